"""``planner validate``: published measurements against estimates."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, dump, profiles, say, table, write
from planner.errors import printable, unknown

if TYPE_CHECKING:
    from planner.catalogue.profiles import Profiles


class LeaveOut(StrEnum):
    """Columns by whose values runs are left out of the fits."""

    workload = "workload"
    devices = "devices"
    family = "family"


EXAMPLES = """Examples: planner validate measurements/*.csv --format json;
planner validate measurements/*.csv --coverage;
planner validate offline.csv --by architecture"""


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV tables of published measurements.")],
    format: FormatOption = Format.table,
    write_intervals: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the spread of errors by task and evidence here (YAML).")
    ] = None,
    leave_out: Annotated[
        LeaveOut | None,
        typer.Option(
            help="Refit each stack without a model, a number of devices or (networks) a family of names, and estimate those runs."
        ),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Bound each row by intervals from other rows alone, and count what they hold.")
    ] = False,
    by: Annotated[
        list[str] | None, typer.Option(help="Errors apart by the values of a column: scenario, architecture …; may be repeated.")
    ] = None,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Estimate every row of tables of published measurements, and say how far off the estimates are."""
    from planner.validate.tables import GROUPED, spread, validate

    for name in by or []:
        if name not in GROUPED:
            raise unknown("column", name, GROUPED)
    tables = [f for f in files if f.name != "architectures.csv"] or files  # a glob takes along what the tables refer to
    catalogue = profiles(profiles_dir)
    if write_intervals:
        from planner.catalogue.tables import intervals_text

        write(intervals_text(spread(tables, catalogue)), write_intervals)
    if leave_out:
        _left_out(tables, catalogue, leave_out, format)
        return
    if coverage:
        _coverage(tables, catalogue, format)
        return
    result = validate(tables, catalogue, by or ())
    if format is Format.json:
        write(dump(result), None)
        return
    errors = ("median_ape", "median_ape_unseen", "p90_ape", "median_signed_error", "inside_interval")
    rows = [
        [f"{f['file']} {f.get('group', '')}".strip(), str(f["cases"]), str(f["estimated"]), *(_percent(f[e]) for e in errors)]
        for f in result["files"]
    ]
    header = ["file", "rows", "estimated", "median error", "unseen only", "90th percentile", "median signed", "in interval"]
    skipped = [
        f"{f['file']}: skipped {n}: {printable(reason, 200)}"
        for f in result["files"]
        for reason, n in f["skipped"].items()
        if not by
    ]
    say("\n".join([table(header, rows, "lrrrrrrr"), *skipped]))


def _left_out(tables: list[Path], catalogue: "Profiles", column: LeaveOut, format: Format) -> None:
    from planner.validate.fit import runs_left_out
    from planner.validate.score import errors_of

    found = {path.name: errors_of(runs_left_out(path, catalogue, column.value)) for path in tables}
    if format is Format.json:
        write(dump({"schema_version": 1, "left_out": column.value, "files": found}), None)
        return
    rows = [[name, str(e["rows"]), *(_percent(e[q]) for q in ("median_ape", "mean_ape", "p90_ape"))] for name, e in found.items()]
    say(f"Each run estimated by fits to the runs of other values of {column.value}.")
    say(table(["file", "runs", "median error", "mean", "90th percentile"], rows, "lrrrr"))


def _coverage(tables: list[Path], catalogue: "Profiles", format: Format) -> None:
    from planner.validate.tables import covered

    found = covered(tables, catalogue)
    if format is Format.json:
        write(dump({"schema_version": 1, "coverage": found}), None)
        return
    partings = ("halves", "workloads", "devices", "files")
    rows = [
        [f["file"], f["task"], f["evidence"], str(f["rows"]), *(_percent(f[p]) for p in partings), _percent(f["median_width"])]
        for f in found
    ]
    say(
        "Published values inside their 90 % interval, where each part of the rows is bounded by intervals from the other parts\n"
        "alone: halves and quarters by a hash of what was run and of the workload's name, devices one by one, files one by one."
    )
    header = ["file", "task", "evidence", "rows", *(f"by {p}" for p in partings), "median width ±"]
    say(table(header, rows, "lllrrrrrr"))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
