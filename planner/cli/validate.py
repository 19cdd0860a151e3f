"""``planner validate``: published measurements against estimates."""

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, dump, profiles, table, write

EXAMPLES = "Example: planner validate measurements/*.csv --format json"


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV tables of published measurements.")],
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Estimate every row of tables of published measurements, and say how far off the estimates are."""
    from planner.validate.tables import validate

    result = validate([f for f in files if f.name != "architectures.csv" or len(files) == 1], profiles(profiles_dir))
    if format is Format.json:
        write(dump(result), None)
        return
    rows = [
        [f["file"], str(f["cases"]), str(f["estimated"]), _percent(f["median_ape"]), _percent(f["median_ape_unseen"]), _percent(f["p90_ape"])]
        + [_percent(f["median_signed_error"]), _percent(f["inside_interval"])]
        for f in result["files"]
    ]
    header = ["file", "rows", "estimated", "median error", "unseen only", "90th percentile", "median signed", "in interval"]
    write(table(header, rows, "lrrrrrrr"), None)
    for file in result["files"]:
        for reason, count in file["skipped"].items():
            typer.echo(f"{file['file']}: skipped {count}: {reason}")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
