"""``planner report``: a plan to a decision report."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import ProfilesOption, profiles, write

EXAMPLES = "Example: planner report plan.yaml -o decision.html"


class Kind(StrEnum):
    """What the report is written as."""

    html = "html"
    md = "md"
    csv = "csv"
    json = "json"


def command(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help="A plan (YAML); - reads it from stdin. 'planner init' writes one.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is stdout. HTML goes beside the plan."),
    ] = None,
    format: Annotated[Kind | None, typer.Option("--format", help="By default what FILE's name says, else html.")] = None,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Decide a plan and write the report: the recommendation, why, what it costs and how sure that is."""
    from planner.catalogue.plan import gather, read_plan
    from planner.decide.decision import decide
    from planner.report import build

    suffix = output.suffix.lstrip(".").lower() if output else ""
    kind = format or (Kind(suffix) if suffix in Kind.__members__ else Kind.html)
    read, text = read_plan(plan, sys.stdin.read(1_000_000) if str(plan) == "-" else None)
    result = decide(gather(read, text, plan, profiles(profiles_dir)))
    render = {Kind.html: build.html, Kind.md: build.markdown, Kind.csv: build.csv_text, Kind.json: build.json_text}[kind]
    if output is None and kind is Kind.html and str(plan) != "-":
        output = plan.with_suffix(".html") if plan.name != "plan.yaml" else plan.with_name("report.html")
    write(render(result), output)
    typer.echo(result.verdict.headline, err=output is None or str(output) == "-")
    if output is not None and str(output) != "-":
        typer.echo(f"Report: {output}")
    if not result.verdict.choice:
        for c in result.candidates:
            typer.echo(f"  {c.label}: {c.rejected}", err=True)
        raise typer.Exit(1)
