"""``planner estimate``: one workload on one system."""

import math
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, Optimizer, ProfilesOption, answer, dump, profiles, quantity, table
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.schema.hardware import Device
    from planner.search.candidate import Estimate
    from planner.search.duty import Duty
    from planner.search.request import Demand
    from planner.search.single import Single

EXAMPLES = """Examples: planner estimate llama-3.1-8b nvidia-h100-sxm-x8 --devices 1 --batch 32;
planner estimate llama-3.1-70b nvidia-h100-sxm-x8 --train --devices 64 --tp 8 --global-batch 128 --sequence 8192;
planner estimate yolov8s nvidia-jetson-agx-orin-64gb --precision int8 --power-mode all --rate 15 --streams 4 --battery '500 Wh'"""
EVERY = "all"


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
    power_mode: Annotated[str, typer.Option(help="A power mode of the device, as in ID@MODE; 'all' compares them.")] = "",
    rate: Annotated[float, typer.Option(min=0, help="Samples a second that each stream asks of a network.")] = 0,
    streams: Annotated[int, typer.Option(min=1, help="Streams, such as cameras, that ask so.")] = 1,
    battery: Annotated[str, typer.Option(help="What the devices run from, e.g. '500 Wh': how long it lasts at that rate.")] = "",
    device_power: Annotated[str, typer.Option(help="Measured at work, e.g. '14 W', instead of a device's board power.")] = "",
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
    demand = _demand(rate, streams, battery, device_power)
    about = subject(workload, f"{system}@{power_mode}" if power_mode not in ("", EVERY) else system, catalogue)
    mode = "train" if train else "serve" if about.workload.architecture else "infer"
    count = devices or (about.system.devices if about.system else 1)
    stage = policy.RECOMPUTE.index(recompute.value)
    kind = policy.SCHEDULES.index(schedule.value)
    updated = list(policy.OPTIMIZERS).index(optimizer.value)
    moved = tuple(part.value for part in offload or ())
    request = Request(
        mode, count, precision, batch, input, output, tp, pp, micro_batch, global_batch, sequence, zero, stage, cp, ep, virtual,
        kind, updated, lora_rank, moved, eager, demand,
    )  # fmt: skip
    if power_mode == EVERY:
        subjects = {m: subject(workload, f"{system}@{m}", catalogue) for m in _modes(about.device)}
        each = {m: single(request, of, catalogue.calibration) for m, of in subjects.items()}
        listed = {m: asdict(s) for m, s in each.items()}
        answer(format, lambda: dump({"schema_version": 1, "modes": listed}), lambda: _compared(each))
        if not any(_able(s) for s in each.values()):
            raise typer.Exit(1)
        return
    found = single(request, about, catalogue.calibration)
    answer(format, lambda: dump({"schema_version": 1, **asdict(found)}), lambda: _text(found))
    if not found.fits:
        typer.echo("It does not fit: see memory.", err=True)
        raise typer.Exit(1)
    if not _able(found):
        typer.echo("It cannot keep up: see duty cycle.", err=True)
        raise typer.Exit(1)


def _demand(rate: float, streams: int, battery: str, device_power: str) -> "Demand | None":
    from planner.search.request import Demand

    if not rate and (streams > 1 or battery or device_power):
        what = "--streams, --battery and --device-power say what comes of a rate"
        raise InputError(what, hint="Give --rate too, e.g. --rate 15.")
    if not math.isfinite(rate):
        raise InputError("--rate is not a finite number")
    stored, drawn = quantity("--battery", battery, "joule"), quantity("--device-power", device_power, "watt")
    return Demand(rate, streams, stored, drawn) if rate else None


def _modes(device: "Device") -> list[str]:
    if not device.power_modes:
        raise InputError(f"{device.id} has no power modes to compare")
    return list(device.power_modes)


def _able(s: "Single") -> bool:
    """Whether it fits, and keeps up with what it is asked."""
    return s.fits and not (s.duty and s.duty.busy.value > 1)


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
    mbu = f", MBU {100 * s.mbu:.1f} %" if math.isfinite(s.mbu) else ""
    spent = f"Power {units.show(s.power, 'watt')}, {units.show(s.joules_per_unit, 'joule')} a {s.work_unit}"
    power = spent if s.power else "Power is not published"
    facts = [
        f"Bottleneck: {s.bottleneck}. MFU {100 * s.mfu:.1f} %{mbu} of the step below.",
        f"{power}. Rent: {rent}.",
    ]
    if s.power_modes:
        facts.append(f"Power modes: {', '.join(s.power_modes)}; these are the device's own figures.")
    cited = [[c.what, c.value, c.source] for c in s.cited]
    blocks = [
        title, table(["figure", "estimate", "nine of ten within", "evidence"], rows, "lrrl"), "\n".join(facts),
        *([_asked(s.duty, s.device)] if s.duty else []),
        table(["time of a step", "", "share"], parts, "lrr"), table(["memory", "on each device"], held, "lr"),
        table(["rests on", "value", "source"], cited, "lrl"),
    ]  # fmt: skip
    return "\n\n".join(blocks)


def _asked(d: "Duty", device: str) -> str:
    """The duty cycle and what follows from it, with the range of each."""
    from planner import units

    def row(name: str, e: "Estimate | None", show: Callable[[float], str]) -> list[list[str]]:
        return [[name, show(e.value), f"{show(e.low)} – {show(e.high)}"]] if e else []

    rows = [
        *row("duty cycle", d.busy, _percent), *row("streams at most", d.streams, lambda x: f"{x:,.0f}"),
        *row("average power", d.power, lambda x: units.show(x, "watt")),
        *row("energy a sample", d.sample, lambda x: units.show(x, "joule")), *row("energy a day", d.day, units.kilowatt_hours),
        *row("battery lasts", d.lasts, units.duration),
    ]  # fmt: skip
    drawn = {"idle": d.idle, "at work": d.full}
    known = ", ".join(f"{units.show(watts, 'watt')} {when}" for when, watts in drawn.items() if watts is not None)
    missing = " and ".join(when for when, watts in drawn.items() if watts is None)
    said = f"Power: {known} at most."
    if missing:
        said = f"Nobody publishes what {device} draws {missing}: no energy is estimated."
    return f"{table([f'asked {units.plainly(d.rate)} samples/s', '', 'nine of ten within'], rows, 'lrr')}\n\n{said}"


def _percent(share: float) -> str:
    from planner import units

    return f"{units.plainly(100 * share)} %"


def _compared(each: "dict[str, Single]") -> str:
    """A line a power mode, and which of those that can do it takes least energy."""
    from planner import units

    rows = []
    for mode, s in each.items():
        name, rate = next(iter(s.figures.items()))
        rows.append([mode, units.significant(rate.value), units.show(s.power, "watt"), units.show(s.joules_per_unit, "joule")])
        if d := s.duty:
            energy = (
                [units.show(d.power.value, "watt"), units.show(d.sample.value, "joule")] if d.power and d.sample else ["–", "–"]
            )
            lasts = [units.duration(d.lasts.value)] if d.lasts else []
            rows[-1] += [_percent(d.busy.value), f"{d.streams.value:,.0f}", *energy, *lasts]
    header = ["mode", name, "power", f"a {s.work_unit}", "duty cycle", "streams", "average", "a sample", "battery lasts"]
    able = {mode: s.duty.sample.value if s.duty and s.duty.sample else s.joules_per_unit for mode, s in each.items() if _able(s)}
    best = min(able, key=lambda mode: able[mode]) if able else ""
    verdict = (
        f"{best} takes the least energy of those that can do it, if each draws at work what it may."
        if able
        else "None can do it."
    )
    title = f"{s.workload} on {s.devices} × {s.device.partition('@')[0]}, {s.precision}"
    return f"{title}\n\n{table(header[: len(rows[0])], rows, 'l' + 'r' * (len(rows[0]) - 1))}\n\n{verdict}"
