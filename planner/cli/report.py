"""``planner report``: a plan to a decision report."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import ProfilesOption, about, plan_text, profiles, progress, same_file, write
from planner.errors import InputError, unknown, visible

if TYPE_CHECKING:
    from planner.search.result import Result

EXAMPLES = """Examples: planner report plan.yaml -o decision.html --open;
planner report plan.yaml --format md; planner report plan.yaml --pdf decision.pdf --png charts/;
planner report plan.yaml --watch --open; planner report --verify decision.html"""


PAGE = 100  # candidates a page shows; JSON and CSV have them all


class Kind(StrEnum):
    """What the report is written as."""

    html = "html"
    md = "md"
    csv = "csv"
    json = "json"


def command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan (YAML); - reads it from stdin. With --verify, a report.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is stdout. HTML goes beside the plan."),
    ] = None,
    format: Annotated[Kind | None, typer.Option("--format", help="By default what FILE's name says, else html.")] = None,
    pdf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Print the report to PDF too, by an installed Chromium.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write every chart as PNG too, by an installed Chromium.")
    ] = None,
    open: Annotated[bool, typer.Option("--open", help="Show the report in the browser.")] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="PLAN is a report: make it again, and say whether and why it differs."),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Serve the page on 127.0.0.1, rendered again when the plan changes.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of --watch; 0 takes a free one.")] = 0,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Decide a plan and write the report: the recommendation, why, what it costs and how sure that is."""
    if verify:
        _verify(plan, profiles_dir)
        return
    if watch:
        _watch(plan, profiles_dir, port, open)
        return
    kind = format or _kind(output)
    text, path = plan_text(plan)
    if output is None and kind is Kind.html and str(plan) != "-":
        output = plan.with_suffix(".html") if plan.name != "plan.yaml" else plan.with_name("report.html")
    result = _decided(path, text, profiles_dir)
    for written in (output, pdf):
        if written is not None and same_file(written, plan):
            raise InputError("the report would replace the plan", where=str(written), hint="Name another file.")
    rendered = _rendered(result, kind)
    write(rendered, output)
    _more(result, rendered if kind is Kind.html else "", pdf, png)
    typer.echo(visible(result.verdict.headline), err=output is None or str(output) == "-")
    if output is not None and str(output) != "-":
        typer.echo(visible(f"Report: {output}"))
        if open:
            _show(output.resolve().as_uri())
    if not result.verdict.choice:
        for c in result.candidates:
            typer.echo(visible(f"  {c.label}: {c.rejected}"), err=True)
        raise typer.Exit(1)


def _decided(path: Path, text: str, profiles_dir: Path | None) -> "Result":
    from planner.catalogue.plan import gather, read_plan
    from planner.decide.decision import decide

    read, _ = read_plan(path, text)
    with about(path), progress("layouts") as tick:
        return decide(gather(read, text, path, profiles(profiles_dir)), tick)


def _rendered(result: "Result", kind: Kind) -> str:
    from planner.decide.decision import shortened
    from planner.report import build

    render = {Kind.html: build.html, Kind.md: build.markdown, Kind.csv: build.csv_text, Kind.json: build.json_text}[kind]
    return render(result if kind in (Kind.json, Kind.csv) else shortened(result, PAGE))


def _more(result: "Result", page: str, pdf: Path | None, png: Path | None) -> None:
    """The outputs that a browser makes of the page."""
    if pdf is None and png is None:
        return
    from planner.report import chromium

    page = page or _rendered(result, Kind.html)
    if pdf is not None:
        chromium.pdf(page, pdf)
        typer.echo(visible(f"PDF: {pdf}"), err=True)
    if png is not None:
        typer.echo(visible(f"PNG: {len(chromium.png(page, png))} charts in {png}"), err=True)


def _verify(report: Path, profiles_dir: Path | None) -> None:
    from planner.catalogue.document import read_text
    from planner.report.verify import differences, embedded

    page = read_text(report, 20_000_000)
    said = embedded(page, str(report))
    result = _decided(report, said.plan, profiles_dir)
    reasons = differences(page, _rendered(result, Kind.html), result, said)
    if not reasons:
        typer.echo(visible(f"{report}: made again, byte for byte the same."))
        return
    typer.echo(visible("\n".join([f"{report} cannot be made again as it is:", *(f"  {reason}" for reason in reasons)])))
    typer.echo(visible(f"Today the plan in it gives: {result.verdict.headline}"))
    raise typer.Exit(1)


def _watch(plan: Path, profiles_dir: Path | None, port: int, show: bool) -> None:
    from threading import Event

    from planner.report.live import Live, server, watch

    if str(plan) == "-":
        raise InputError("--watch needs a file", hint="stdin cannot change.")
    live = Live(plan, lambda: _rendered(_decided(plan, plan_text(plan)[0], profiles_dir), Kind.html))
    made = server(live, port)
    address = f"http://127.0.0.1:{made.server_address[1]}/"
    live.look()
    typer.echo(visible(f"{address} shows {plan}, rendered again when it changes; Ctrl-C stops."))
    if live.error:
        typer.echo(visible(f"planner: {live.error}"), err=True)
    if show:
        _show(address)
    watch(live, made, lambda now: typer.echo(visible(now.error or f"Rendered again ({now.version})."), err=True), Event())


def _show(address: str) -> None:
    import webbrowser

    if not webbrowser.open(address):
        typer.echo(visible(f"No browser was found; open {address}"), err=True)


def _kind(output: Path | None) -> Kind:
    """What the name of the file to write asks for."""
    suffix = output.suffix.lstrip(".").lower() if output else ""
    suffix = {"": "html", "htm": "html", "markdown": "md"}.get(suffix, suffix)
    if suffix not in Kind.__members__:
        raise unknown("kind of report", f".{suffix}", [f".{k}" for k in Kind], where=str(output), listing="Or say --format.")
    return Kind(suffix)
