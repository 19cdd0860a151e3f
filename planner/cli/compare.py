"""``planner compare``: candidates side by side in the terminal, from a plan or from flags."""

import os
import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.common import (
    Format,
    FormatOption,
    ProfilesOption,
    about,
    answer,
    dump,
    plan_text,
    profiles,
    progress,
    table,
    write,
)
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.catalogue.profiles import Profiles
    from planner.decide.techniques import Cell, Comparison
    from planner.schema.inputs import Inputs
    from planner.search.result import Result

EXAMPLES = """Examples: planner compare plan.yaml;
planner compare --model llama-3.1-8b --requests 5 --input 1000 --output 200 --tpot '40 ms' --kind gpu;
planner compare plan.yaml --techniques all;
planner compare --model yolov8s --samples 60 --latency '50 ms' --precision int8 --provider retail --power-modes"""
ROWS = 25
Texts = list[str] | None


def command(
    plan: Annotated[Path | None, typer.Argument(metavar="[PLAN]", help="A plan, - for stdin; or give the flags below.")] = None,
    model: Annotated[str, typer.Option(help="A zoo id or config.json.")] = "",
    requests: Annotated[float, typer.Option(help="Requests a second to serve.")] = 0,
    input: Annotated[int, typer.Option(help="Tokens in, a request.")] = 1000,
    output: Annotated[int, typer.Option(help="Tokens out, a request.")] = 300,
    ttft: Annotated[str, typer.Option(help="Mean time to first token allowed, e.g. '1 s'.")] = "",
    tpot: Annotated[str, typer.Option(help="Mean time per output token allowed, e.g. '50 ms'.")] = "",
    samples: Annotated[float, typer.Option(help="Samples a second to run a network on, instead of requests.")] = 0,
    latency: Annotated[str, typer.Option(help="Latency allowed for a sample.")] = "",
    precision: Annotated[Texts, typer.Option(help="Accepted precision; may be repeated.")] = None,
    system: Annotated[Texts, typer.Option(help="Only these systems; may be repeated.")] = None,
    provider: Annotated[Texts, typer.Option(help="Only these providers; may be repeated.")] = None,
    kind: Annotated[Texts, typer.Option(help="cpu, gpu, tpu, fpga or asic; may be repeated.")] = None,
    term: Annotated[Texts, typer.Option(help="on_demand, spot, reserved_1y, reserved_3y, owned; may be repeated.")] = None,
    power_modes: Annotated[
        bool, typer.Option("--power-modes", help="Devices in each of their power modes; in one: --system ID@MODE.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Every candidate, the rejected too, instead of the best.")] = False,
    techniques: Annotated[
        Texts, typer.Option(help="What techniques save on each device: 'all', or one by its id; may be repeated.")
    ] = None,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Compare hardware for one goal: what each offer costs, how fast it is, and why some are out."""
    from planner.catalogue.plan import gather, plan_from, read_plan
    from planner.decide.decision import decide
    from planner.report.export import json_text

    if (plan is None) == (not model):
        raise InputError("give either a plan file or --model", hint="For example: planner compare plan.yaml")
    if plan is None:
        serve = {"requests_per_second": requests, "input_tokens": input, "output_tokens": output, "ttft": ttft, "tpot": tpot}
        goal = {"infer": {"samples_per_second": samples, "latency": latency}} if samples else {"serve": serve}
        hardware: dict[str, Any] = {"systems": system, "providers": provider, "kinds": kind, "terms": term}
        hardware |= {"power_modes": "all"} if power_modes else {}
        asked, text, path = plan_from(_flags(model, precision, goal, hardware))
    else:
        text, path = plan_text(plan)
        asked, _ = read_plan(path, text)
    catalogue = profiles(profiles_dir)
    if techniques:
        _techniques(gather(asked, text, path, catalogue), path, catalogue, techniques, format, every)
        return
    with about(path), progress("layouts") as tick:
        result = decide(gather(asked, text, path, catalogue), tick)
    write(json_text(result) if format is Format.json else _text(result, every), None)
    if not result.verdict.choice:
        raise typer.Exit(1)


def _techniques(
    inputs: "Inputs", path: Path, catalogue: "Profiles", wanted: list[str], format: Format, every: bool
) -> None:  # fmt: skip
    from dataclasses import asdict

    from planner.catalogue.techniques import variants
    from planner.decide.techniques import compare

    with about(path), progress("techniques") as tick:
        found = compare(variants(inputs, path, catalogue, wanted), tick)
    answer(format, lambda: dump({"schema_version": 1, **asdict(found)}), lambda: _saved(found, every))
    if not found.devices:
        raise typer.Exit(1)


def _flags(model: str, precision: Texts, goal: dict[str, dict[str, Any]], hardware: dict[str, Any]) -> dict[str, Any]:
    """What a plan file would say; what was not given is left out."""
    given = {name: {k: v for k, v in parts.items() if v != ""} for name, parts in goal.items()}
    limits = {k: v for k, v in hardware.items() if v}
    workload = {"model": model, "precision": precision or []}
    return {"title": f"Which hardware for {model}?", "workload": workload, **given, "hardware": limits}


def _text(r: "Result", every: bool) -> str:
    from planner.report.terminal import terminal

    able = [c for c in r.candidates if c.feasible]
    shown = list(r.candidates) if every else (able or list(r.candidates))[:ROWS]
    width = get_terminal_size().columns if sys.stdout.isatty() else None
    return terminal(r, shown, width, sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb")


DEVICES = 15


def _saved(c: "Comparison", every: bool) -> str:
    """What each technique saves, a device a line; then what each is and costs in quality."""
    from planner import units

    shown = range(len(c.devices) if every else min(DEVICES, len(c.devices)))
    rows = []
    for d in shown:
        base = c.rows[0].cells[d]
        cost = units.money(base.cost, c.currency) if base.cost == base.cost else "not possible"
        rows.append([c.names[d], cost, *(_cell(row.cells[d], c.currency) for row in c.rows[1:])])
    header = ["device", f"base, a {c.period}", *(row.id for row in c.rows[1:])]
    legend = [f"  {r.id}: {r.name}. {r.caution[:1].upper()}{r.caution[1:]} ({r.source})." for r in c.rows[1:] if r.source]
    legend += [f"  {r.id}: {r.caution}." for r in c.rows[1:] if not r.source]
    hidden = len(c.devices) - len(shown)
    more = [f"{hidden} more devices: --all shows them."] if hidden else []
    said = "The share of the base's cost that each technique saves alone, in whole instances. Base: 16 bits, nothing else."
    return "\n\n".join([said, table(header, rows, "l" + "r" * (len(header) - 1)), *more, "\n".join(legend)])


def _cell(cell: "Cell", currency: str) -> str:
    """The share saved; the cost where the base was not possible, a dash where the technique is not."""
    from planner import units

    if cell.cost != cell.cost:
        return "–"
    if cell.saves < -1:
        return f"{1 - cell.saves:.3g} x"
    return f"{100 * cell.saves:+.0f} %" if cell.saves == cell.saves else units.money(cell.cost, currency)
