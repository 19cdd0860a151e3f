"""``planner report``: a plan to a decision report."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import ProfilesOption, about, plan_text, profiles, progress, same_file, write
from planner.errors import InputError, unknown, visible

EXAMPLES = "Example: planner report plan.yaml -o decision.html"


PAGE = 100  # candidates a page shows; JSON and CSV have them all


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
    from planner.decide.decision import decide, shortened
    from planner.report import build

    kind = format or _kind(output)
    text, path = plan_text(plan)
    if output is None and kind is Kind.html and str(plan) != "-":
        output = plan.with_suffix(".html") if plan.name != "plan.yaml" else plan.with_name("report.html")
    read, _ = read_plan(path, text)
    with about(path), progress("layouts") as tick:
        result = decide(gather(read, text, path, profiles(profiles_dir)), tick)
    if output is not None and same_file(output, plan):
        raise InputError("the report would replace the plan", where=str(output), hint="Name another file with -o.")
    render = {Kind.html: build.html, Kind.md: build.markdown, Kind.csv: build.csv_text, Kind.json: build.json_text}[kind]
    shown = result if kind in (Kind.json, Kind.csv) else shortened(result, PAGE)
    write(render(shown), output)
    typer.echo(visible(result.verdict.headline), err=output is None or str(output) == "-")
    if output is not None and str(output) != "-":
        typer.echo(visible(f"Report: {output}"))
    if not result.verdict.choice:
        for c in result.candidates:
            typer.echo(visible(f"  {c.label}: {c.rejected}"), err=True)
        raise typer.Exit(1)


def _kind(output: Path | None) -> Kind:
    """What the name of the file to write asks for."""
    suffix = output.suffix.lstrip(".").lower() if output else ""
    suffix = {"": "html", "htm": "html", "markdown": "md"}.get(suffix, suffix)
    if suffix not in Kind.__members__:
        raise unknown("kind of report", f".{suffix}", [f".{k}" for k in Kind], where=str(output), listing="Or say --format.")
    return Kind(suffix)
