"""The typer application: every module in this folder with an ``app`` or a ``command`` is a verb."""

import atexit
import gc
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from pkgutil import iter_modules
from typing import Annotated

import typer

from planner import cli
from planner.cli.common import standard_output
from planner.errors import InputError

HELP = """Which hardware to buy, rent or commit to for machine learning.

Write a plan with 'planner init', then 'planner report plan.yaml' gives a decision report. Offline at all
times, but for 'planner prices refresh'.
"""
app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
PLUMBING = {"main", "common"}


def _version(value: bool) -> None:
    if value:
        from planner import __version__

        typer.echo(f"planner {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Shown by --help."""
    if context.invoked_subcommand != "bench":  # which times what it finds
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # arrays are small, and its threads spin while they wait for work


root.__doc__ = HELP

for _found in sorted(iter_modules(cli.__path__), key=lambda m: m.name):
    if _found.name not in PLUMBING:
        _module = import_module(f"planner.cli.{_found.name}")
        _verb = _found.name.rstrip("_")  # a verb that Python keeps for itself ends in _
        if hasattr(_module, "app"):
            app.add_typer(_module.app, name=_verb)
        else:
            app.command(name=_verb, epilog=getattr(_module, "EXAMPLES", None))(_module.command)


def main() -> None:
    """Entry point: wrong input is one message on stderr and exit status 2; an interrupt is 130."""
    gc.set_threshold(500_000, 20, 20)  # a run is short and makes many records: looking for cycles took a tenth of it
    atexit.register(gc.freeze)  # what is left then goes with the process, cycles or not
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show × gets a question mark
    try:
        try:
            app(prog_name="planner")
        finally:
            with standard_output():
                pass
    except InputError as error:
        typer.echo(f"planner: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)
