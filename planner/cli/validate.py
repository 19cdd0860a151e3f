"""``planner validate``: published measurements against estimates."""

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, dump, profiles, say, table, write
from planner.errors import printable

EXAMPLES = "Example: planner validate measurements/*.csv --format json"


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV tables of published measurements.")],
    format: FormatOption = Format.table,
    write_intervals: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the spread of errors by task and evidence here (YAML).")
    ] = None,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Estimate every row of tables of published measurements, and say how far off the estimates are."""
    from planner.validate.tables import spread, validate

    tables = [f for f in files if f.name != "architectures.csv"] or files  # a glob takes along what the tables refer to
    catalogue = profiles(profiles_dir)
    if write_intervals:
        from planner.catalogue.tables import intervals_text

        write(intervals_text(spread(tables, catalogue)), write_intervals)
    result = validate(tables, catalogue)
    if format is Format.json:
        write(dump(result), None)
        return
    errors = ("median_ape", "median_ape_unseen", "p90_ape", "median_signed_error", "inside_interval")
    rows = [[f["file"], str(f["cases"]), str(f["estimated"]), *(_percent(f[e]) for e in errors)] for f in result["files"]]
    header = ["file", "rows", "estimated", "median error", "unseen only", "90th percentile", "median signed", "in interval"]
    skipped = [
        f"{f['file']}: skipped {n}: {printable(reason, 200)}" for f in result["files"] for reason, n in f["skipped"].items()
    ]
    say("\n".join([table(header, rows, "lrrrrrrr"), *skipped]))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
