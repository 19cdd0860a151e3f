"""``planner layouts``: every way to lay a training job out over devices, the best first."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, Optimizer, ProfilesOption, answer, dump, profiles, progress, table

if TYPE_CHECKING:
    from planner.search.best_layouts import Answer, Ranked

EXAMPLES = """Examples: planner layouts llama-3.1-70b nvidia-h100-sxm-x8 --devices 256 --global-batch 1024 --sequence 8192;
planner layouts deepseek-v3 nvidia-gb200-nvl72 --devices 512 --up-to --global-batch 4096 --rank cost --precision fp8"""


class Search(StrEnum):
    """How widely to search."""

    usual = "usual"
    all = "all"


class Rank(StrEnum):
    """What the best layout has least of."""

    time = "time"
    cost = "cost"
    energy = "energy"


def command(
    workload: Annotated[str, typer.Argument(help="A language model: zoo id, config.json or workload YAML.")],
    system: Annotated[str, typer.Argument(help="A system or device id: planner hardware list.")],
    devices: Annotated[int | None, typer.Option(min=1, max=100_000, help="How many; by default one node's.")] = None,
    up_to: Annotated[bool, typer.Option("--up-to", help="Fewer devices too: powers of two nodes and their trebles.")] = False,
    global_batch: Annotated[int, typer.Option(min=1, max=10_000_000, help="Sequences a step.")] = 1024,
    sequence: Annotated[int, typer.Option(min=2, max=100_000_000, help="Tokens a sequence.")] = 4096,
    precision: Annotated[list[str] | None, typer.Option(help="bf16 (default), fp16, fp8, fp4 …; may be repeated.")] = None,
    optimizer: Annotated[Optimizer, typer.Option(help="What updates the weights.")] = Optimizer.adamw,
    lora_rank: Annotated[int, typer.Option(min=0, max=4096, help="Rank of low-rank adapters; 0 trains all.")] = 0,
    search: Annotated[Search, typer.Option(help="'all' also tries what is rarely the best.")] = Search.usual,
    rank: Annotated[Rank, typer.Option(help="What to rank by.")] = Rank.time,
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many to show.")] = 10,
    tp: Annotated[int | None, typer.Option(min=1, help="Only this tensor parallel degree.")] = None,
    pp: Annotated[int | None, typer.Option(min=1, help="Only so many pipeline stages.")] = None,
    cp: Annotated[int | None, typer.Option(min=1, help="Only this context parallel degree.")] = None,
    ep: Annotated[int | None, typer.Option(min=1, help="Only this expert parallel degree.")] = None,
    micro_batch: Annotated[int | None, typer.Option(min=1, help="Only so many sequences a pass.")] = None,
    zero: Annotated[int | None, typer.Option(min=0, max=3, help="Only this ZeRO stage.")] = None,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Enumerate and rank layouts of a training step: parallel degrees, schedule, sharding, recomputation, offloading."""
    from planner.catalogue.subject import subject
    from planner.errors import InputError
    from planner.search.best_layouts import Asked, best
    from planner.search.layout_space import Job

    catalogue = profiles(profiles_dir)
    about = subject(workload, system, catalogue)
    a = about.workload.architecture
    if a is None:
        raise InputError(f"'{about.workload.id}' is not a language model")
    if sequence > a.max_context:
        raise InputError(f"a sequence of {sequence:,} tokens is longer than {about.workload.id} allows: {a.max_context:,}")
    given = {"tp": tp, "pp": pp, "cp": cp, "ep": ep, "micro_batch": micro_batch, "zero_stage": zero}
    fixed = {name: float(value) for name, value in given.items() if value is not None}
    job = Job(a, float(sequence), float(global_batch), optimizer.value, lora_rank, (), search is Search.all, fixed)
    count = devices or (about.system.devices if about.system else 1)
    asked = Asked(count, up_to, tuple(precision or ["bf16"]), rank.value, top)
    with progress("layouts") as tick:
        found = best(job, asked, about, catalogue.calibration, tick)
    answer(format, lambda: dump({"schema_version": 1, **asdict(found)}), lambda: _text(found, about.workload.name, count))
    if not found.best:
        raise typer.Exit(1)


HEADER = ["devices", "dtype", "layout", "step", "tokens/s each", "MFU", "HFU", "memory", "a billion tokens", "a token"]
SHORT = {"zero_stage": "zero", "micro_batch": "mb"}


def _text(found: "Answer", model: str, devices: int) -> str:
    from planner import units

    blocks = []
    if found.best:
        first, total = found.best[0], sum(found.best[0].time.values())
        shares = ", ".join(f"{k} {100 * v / total:.1f} %" for k, v in sorted(first.time.items(), key=lambda x: -x[1]))
        spread = f"{units.duration(first.step.low)} – {units.duration(first.step.high)} ({first.step.evidence})"
        memory = ", ".join(f"{k} {units.show(v, 'byte')}" for k, v in first.memory.items() if v)
        blocks.append(table(HEADER, [_row(r) for r in found.best], "rllrrrrrrr"))
        blocks.append(f"The first one's step: {shares}. Nine of ten such estimates lie within {spread}.\nIts memory: {memory}.")
    else:
        more = f" It would from {found.fits_from:,} devices on." if found.fits_from else ""
        blocks.append(f"Nothing fits on {devices:,} devices.{more}")
    blocks.append(f"{found.seen:,} layouts of {model} looked at; {found.too_large:,} of them do not fit.")
    if found.dropped:
        lines = [f"  {_layout(r)} ({r.precision}, {r.devices} devices): {r.why}" for r in found.dropped]
        blocks.append("First ones dropped:\n" + "\n".join(lines))
    priced = f"Priced at {found.offer}, on demand, pro rata." if found.offer else "No offer in the catalogue prices this system."
    return "\n\n".join([*blocks, priced])


def _row(r: "Ranked") -> list[str]:
    from planner import units

    money = units.money(r.billion_tokens) if r.billion_tokens == r.billion_tokens else "–"
    energy = units.show(r.joules, "joule") if r.joules == r.joules else "–"
    each, use = units.significant(r.tokens_per_s / r.devices), [f"{100 * x:.1f} %" for x in (r.mfu, r.hfu)]
    first = [str(r.devices), r.precision, _layout(r), units.duration(r.step.value), each]
    return [*first, *use, units.show(r.held, "byte"), money, energy]


def _layout(r: "Ranked") -> str:
    plain = {"cp": 1, "pp": 1, "ep": 1, "recompute": "none", "schedule": "1f1b"}
    return " ".join(f"{SHORT.get(k, k)} {v}" for k, v in r.layout.items() if plain.get(k) != v)
