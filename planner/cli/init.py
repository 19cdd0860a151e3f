"""``planner init``: a commented plan to start from."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import write
from planner.errors import InputError, visible

EXAMPLES = "Example: planner init serve -o plan.yaml && planner report plan.yaml"


class Scenario(StrEnum):
    """What the plan is about."""

    serve = "serve"
    train = "train"
    infer = "infer"
    capacity = "capacity"
    lifetime = "lifetime"


def command(
    scenario: Annotated[
        Scenario, typer.Argument(metavar="[serve|train|infer|capacity|lifetime]", help="What the plan is about.")
    ] = Scenario.serve,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is stdout.")] = Path(
        "plan.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace a plan that is there.")] = False,
) -> None:
    """Write a commented plan: every field, its unit, and what it is for."""
    if str(output) != "-" and os.path.lexists(output) and not force:
        raise InputError("exists already", where=str(output), hint="Name another with -o, or use --force.")
    template = Path(__file__).parents[1] / "data" / "plans" / f"{scenario.value}.yaml"
    write(template.read_text(encoding="utf-8"), output)
    if str(output) != "-":
        typer.echo(visible(f"Wrote {output}. Next: planner report {output}"))
