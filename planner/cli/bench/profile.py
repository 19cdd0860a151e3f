"""``planner bench profile``: a starter profile for the catalogue from a record."""

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.bench.common import RecordArgument
from planner.cli.common import write
from planner.errors import InputError

EXAMPLES = """Example: planner bench profile latest -o my-hardware;
planner calibrate --from-bench latest -o my-hardware/calibrations --profiles my-hardware"""


def command(
    record: RecordArgument = "latest",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="A folder of profiles to add to; stdout where none is given."),
    ] = None,
) -> None:
    """Write a device profile whose every figure was found or measured: where the catalogue does not know this machine."""
    from planner.catalogue.records import find, load
    from planner.catalogue.starter import write_to

    path, text = write_to(load(find(record)), output or Path())
    if output is None:
        write(text, None)
        return
    if path.exists():
        raise InputError("is there already: it is not overwritten", where=str(path))
    write(text, path)
    typer.echo(str(path))
