"""``planner deployments``: every way to serve a model on one kind of system."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, answer, dump, profiles, table

if TYPE_CHECKING:
    from planner.search.deployments import Answer, Deployment

EXAMPLES = """Examples: planner deployments llama-3.3-70b nvidia-h100-sxm-x8 --ttft '1 s' --tpot '40 ms' --rate 20;
planner deployments deepseek-v3 nvidia-b200-sxm-x8 --decode-system nvidia-h200-sxm-x8 --input 4000 --output 500"""


def command(
    workload: Annotated[str, typer.Argument(help="A language model: zoo id, config.json or workload YAML.")],
    system: Annotated[str, typer.Argument(help="A system or device id: planner hardware list.")],
    rate: Annotated[float, typer.Option(min=0, help="Requests a second: the smallest deployment for them is looked for.")] = 0,
    input: Annotated[int, typer.Option(min=1, max=10_000_000, help="Tokens in, a request.")] = 1000,
    output: Annotated[int, typer.Option(min=1, max=1_000_000, help="Tokens out, a request.")] = 300,
    ttft: Annotated[str, typer.Option(help="Time to first token allowed, e.g. '1 s'.")] = "",
    tpot: Annotated[str, typer.Option(help="Time per output token allowed, e.g. '50 ms'.")] = "",
    percentile: Annotated[str, typer.Option(help="Share of requests that must keep both, e.g. '99 %'; else means must.")] = "",
    utilisation: Annotated[float, typer.Option(min=0.01, max=1, help="Load a replica may have: the rest is for peaks.")] = 0.7,
    precision: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated. By default all there are.")] = None,
    decode_system: Annotated[str, typer.Option(help="Decode on this system, and take prompts in on SYSTEM.")] = "",
    max_devices: Annotated[int, typer.Option(min=1, max=100_000, help="Devices at most.")] = 1024,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Search every configuration of a serving system: the front of speed against cost, and the smallest for a load."""
    from planner.catalogue.plan import plan_from
    from planner.catalogue.subject import subject
    from planner.errors import InputError, unknown
    from planner.schema.precision import RECIPES
    from planner.search.deployments import best
    from planner.search.serve import Asked

    catalogue = profiles(profiles_dir)
    about = subject(workload, system, catalogue)
    a = about.workload.architecture
    if a is None or not a.causal:
        raise InputError(f"'{about.workload.id}' does not generate text, so there is no serving of it")
    if input + output > a.max_context:
        raise InputError(f"a context of {input + output:,} tokens is longer than {about.workload.id} allows: {a.max_context:,}")
    for name in precision or []:
        if name not in RECIPES:
            raise unknown("precision", name, RECIPES)
    limits = {k: v for k, v in {"ttft": ttft, "tpot": tpot, "percentile": percentile}.items() if v}
    raw = {"requests_per_second": rate or 1.0, "input_tokens": input, "output_tokens": output, "max_batch": 4096, **limits}
    plan, _, _ = plan_from({"title": "deployments", "workload": {"model": workload}, "serve": raw})
    assert plan.serve is not None
    serve = plan.serve if rate else replace(plan.serve, requests_per_second=None)
    other = subject(workload, decode_system, catalogue) if decode_system else None
    found = best(Asked(a, serve, utilisation), about, tuple(precision or ()), max_devices, catalogue.calibration, other)
    answer(format, lambda: dump({"schema_version": 1, **asdict(found)}), lambda: _text(found, about.workload.name))
    if found.nearest:
        raise typer.Exit(1)


HEADER = ["dtype", "configuration", "tokens/s a user", "tokens/s a device", "a million tokens", "ttft", "tpot"]


def _text(found: "Answer", model: str) -> str:
    from planner import units

    blocks = [f"{found.seen:,} configurations of {model} looked at; {found.fitting:,} of them fit."]
    if found.front:
        blocks.append(table(HEADER, [_row(d) for d in found.front], "llrrrrr"))
        e = found.front[0].tpot
        within = f"{e.low / e.value:.2f} to {e.high / e.value:.2f} of these ({e.evidence})"
        blocks.append(f"Nine of ten such times per token lie within {within}.")
    if found.smallest:
        s = found.smallest
        money = f", {units.money(s.hourly)} an hour" if s.hourly == s.hourly else ""
        blocks.append(f"The load takes {s.devices:,} devices in {s.instances:,} instances{money}: {s.precision}, {_layout(s)}.")
    if found.nearest:
        blocks.append(
            f"Nothing keeps every limit. The nearest is {found.nearest.precision}, {_layout(found.nearest)}: {found.why}."
        )
    priced = (
        f"Priced at {found.offer}, on demand, pro rata." if found.offer else "No offer in the catalogue prices these systems."
    )
    return "\n\n".join([*blocks, priced])


def _row(d: "Deployment") -> list[str]:
    from planner import units

    money = units.money(d.million) if d.million == d.million else "–"
    rates = [units.significant(d.user), units.significant(d.device)]
    return [d.precision, _layout(d), *rates, money, units.duration(d.ttft.value), units.duration(d.tpot.value)]


def _layout(d: "Deployment") -> str:
    plain = {"pp": 1, "adp": 1, "ep": 1, "prompts": "mixed", "prefill_pp": 1}
    return " ".join(f"{k} {v}" for k, v in d.layout.items() if plain.get(k) != v)
