"""``planner estimate``: one workload on one system."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, Optimizer, ProfilesOption, answer, dump, profiles, table

if TYPE_CHECKING:
    from planner.search.single import Single

EXAMPLES = """Examples: planner estimate llama-3.1-8b nvidia-h100-sxm-x8 --devices 1 --batch 32;
planner estimate llama-3.1-70b nvidia-h100-sxm-x8 --train --devices 64 --tp 8 --global-batch 128 --sequence 8192"""


class Recompute(StrEnum):
    """What the backward pass computes again."""

    none = "none"
    attention = "attention"
    full = "full"
    operators = "operators"


class Schedule(StrEnum):
    """Pipeline schedules; more than one stage a device interleaves."""

    plain = "1f1b"
    zero_bubble = "zero_bubble"


class Offload(StrEnum):
    """What is kept on the host."""

    optimizer = "optimizer"
    activations = "activations"


def command(
    workload: Annotated[str, typer.Argument(help="A zoo id, a config.json or a workload YAML.")],
    system: Annotated[str, typer.Argument(help="A system or device id: planner hardware list.")],
    devices: Annotated[int | None, typer.Option(min=1, max=100_000, help="How many; by default one node's.")] = None,
    precision: Annotated[str, typer.Option(help="fp32, bf16, fp16, fp8, int8, w4a16 or fp4.")] = "",
    batch: Annotated[int, typer.Option(min=1, max=1_000_000, help="Requests in flight a replica, or samples a pass.")] = 1,
    input: Annotated[int, typer.Option(min=1, help="Tokens in, a request.")] = 1000,
    output: Annotated[int, typer.Option(min=1, help="Tokens out, a request.")] = 300,
    train: Annotated[bool, typer.Option("--train", help="A training step instead of serving.")] = False,
    tp: Annotated[int, typer.Option(min=0, help="Tensor parallel degree; 0 takes all devices to serve, 1 to train.")] = 0,
    pp: Annotated[int, typer.Option(min=1, help="Pipeline stages (training).")] = 1,
    micro_batch: Annotated[int, typer.Option(min=1, help="Sequences a pass (training).")] = 1,
    global_batch: Annotated[int, typer.Option(min=0, help="Sequences a step (training).")] = 0,
    sequence: Annotated[int, typer.Option(min=1, help="Tokens a sequence (training).")] = 4096,
    zero: Annotated[int, typer.Option(min=0, max=3, help="ZeRO stage (training).")] = 1,
    recompute: Annotated[Recompute, typer.Option(help="What the backward pass computes again (training).")] = Recompute.none,
    cp: Annotated[int, typer.Option(min=1, help="Context parallel degree (training).")] = 1,
    ep: Annotated[int, typer.Option(min=0, help="Expert parallel degree; 0 takes up to eight (training).")] = 0,
    virtual: Annotated[int, typer.Option(min=1, help="Interleaved pipeline stages a device (training).")] = 1,
    schedule: Annotated[Schedule, typer.Option(help="Pipeline schedule (training).")] = Schedule.plain,
    optimizer: Annotated[Optimizer, typer.Option(help="What updates the weights (training).")] = Optimizer.adamw,
    lora_rank: Annotated[int, typer.Option(min=0, max=4096, help="Rank of low-rank adapters; 0 trains all.")] = 0,
    offload: Annotated[list[Offload] | None, typer.Option(help="Kept on the host (training); may be repeated.")] = None,
    eager: Annotated[
        bool, typer.Option("--eager", help="Without fused kernels or a compiler (training, and networks of operations).")
    ] = False,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Throughput, latency, memory, bottleneck, cost and energy of one workload on one system, and what they rest on."""
    from planner.catalogue.subject import subject
    from planner.errors import unknown
    from planner.model import policy
    from planner.schema.precision import RECIPES
    from planner.search.request import Request
    from planner.search.single import single

    if precision and precision not in RECIPES:
        raise unknown("precision", precision, RECIPES)
    catalogue = profiles(profiles_dir)
    about = subject(workload, system, catalogue)
    mode = "train" if train else "serve" if about.workload.architecture else "infer"
    count = devices or (about.system.devices if about.system else 1)
    stage = policy.RECOMPUTE.index(recompute.value)
    kind = policy.SCHEDULES.index(schedule.value)
    updated = list(policy.OPTIMIZERS).index(optimizer.value)
    moved = tuple(part.value for part in offload or ())
    request = Request(
        mode, count, precision, batch, input, output, tp, pp, micro_batch, global_batch, sequence, zero, stage, cp, ep, virtual,
        kind, updated, lora_rank, moved, eager,
    )  # fmt: skip
    found = single(request, about, catalogue.calibration)
    answer(format, lambda: dump({"schema_version": 1, **asdict(found)}), lambda: _text(found))
    if not found.fits:
        typer.echo("It does not fit: see memory.", err=True)
        raise typer.Exit(1)


def _text(s: "Single") -> str:
    from planner import units

    def number(name: str, value: float) -> str:
        return units.duration(value) if name.endswith("_s") and "per_s" not in name else units.significant(value)

    title = f"{s.workload} on {s.devices} × {s.device}, {s.precision}, " + ", ".join(f"{k} {v}" for k, v in s.layout.items())
    rows = [[k, number(k, e.value), f"{number(k, e.low)} – {number(k, e.high)}", e.evidence] for k, e in s.figures.items()]
    if s.unit_cost:
        money = [units.money(x) for x in (s.unit_cost.value, s.unit_cost.low, s.unit_cost.high)]
        rows.append([f"cost a {s.work_unit}", money[0], f"{money[1]} – {money[2]}", s.unit_cost.evidence])
    total = sum(s.time.values())
    parts = [[k, units.duration(v), f"{100 * v / total:.0f} %"] for k, v in sorted(s.time.items(), key=lambda x: -x[1])]
    held = [[k, units.show(v, "byte")] for k, v in s.memory.items()]
    held.append(["all", f"{units.show(sum(s.memory.values()), 'byte')} of {units.show(s.memory_capacity, 'byte')} a device"])
    rent = f"{units.money(s.hourly)}/h ({s.offer}, on demand)" if s.offer else "no offer in the catalogue"
    facts = [
        f"Bottleneck: {s.bottleneck}. MFU {100 * s.mfu:.1f} %, MBU {100 * s.mbu:.1f} % of the step below.",
        f"Power {units.show(s.power, 'watt')}, {units.show(s.joules_per_unit, 'joule')} a {s.work_unit}. Rent: {rent}.",
    ]
    cited = [[c.what, c.value, c.source] for c in s.cited]
    blocks = [
        title, table(["figure", "estimate", "nine of ten within", "evidence"], rows, "lrrl"), "\n".join(facts),
        table(["time of a step", "", "share"], parts, "lrr"), table(["memory", "on each device"], held, "lr"),
        table(["rests on", "value", "source"], cited, "lrl"),
    ]  # fmt: skip
    return "\n\n".join(blocks)
