"""One workload on one system at one layout: N = 1 of what a search does, with everything it found out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner import units
from planner.errors import InputError, unknown
from planner.model import cost, memory
from planner.model.columns import Columns
from planner.model.families import transformer
from planner.schema.coefficients import Calibration
from planner.schema.inputs import Subject
from planner.schema.precision import RECIPES
from planner.search import divide, estimate, layout_space, networks, single_networks
from planner.search.assumed import joined
from planner.search.candidate import Cited, Estimate
from planner.search.cite import device_figures, law, tier_figures
from planner.search.duty import Duty, duty
from planner.search.intervals import about, around, task_of
from planner.search.machines import USUAL_STACKS, Setting, arithmetic, in_fp8_blocks, machine, used, weakest
from planner.search.offers import cheapest
from planner.search.reasons import bottleneck
from planner.search.request import Request, Run

PREFERRED = ("bf16", "fp16", "int8", "fp32")


@dataclass(frozen=True)
class Single:
    """The answer: rates and latencies with intervals, memory and time by part, and the figures it rests on."""

    workload: str
    system: str
    device: str
    devices: int
    precision: str
    layout: dict[str, int | str]
    figures: dict[str, Estimate]
    memory: dict[str, float]
    memory_capacity: float
    fits: bool
    time: dict[str, float]
    bottleneck: str
    mfu: float
    mbu: float
    power: float
    hourly: float
    offer: str
    unit_cost: Estimate | None
    joules_per_unit: float
    work_unit: str
    cited: tuple[Cited, ...]
    power_modes: tuple[str, ...] = ()
    """Modes that the device could be in instead; none where it is in one."""
    duty: Duty | None = None
    """Of a network that is asked now and then."""


def single(request: Request, subject: Subject, find: Callable[[str], Calibration | None]) -> Single:
    """Estimate ``request``; raises InputError for a layout that does not divide or a precision the device lacks."""
    device = subject.device
    if request.precision and request.precision not in RECIPES:
        raise unknown("precision", request.precision, RECIPES)
    precision = request.precision or next((p for p in PREFERRED if arithmetic(device, p)), "")
    if not precision or not arithmetic(device, precision):
        has = ", ".join(device.peak) or "none"
        raise InputError(f"{device.name} has no published peak for '{precision or 'any precision'}'", hint=f"It has: {has}.")
    if why := networks.unsuited(subject.workload, device):
        raise InputError(why, hint="Take the network's summary, e.g. yolov8n in place of yolov8n-graph.")
    system = joined(device, subject.system) if request.devices > 1 else subject.system
    stacks = USUAL_STACKS[request.mode] if subject.workload.architecture else ()
    serves = request.mode == "serve"
    blocks = serves and in_fp8_blocks(subject.workload.architecture)
    setting = Setting(device, system, precision, stacks, quantised_cache=serves, blocks=blocks)
    table, found = machine([setting], find)
    talk = single_networks.joined(request, subject.workload)
    if request.devices > 1 and not np.isfinite(table.device.up_bandwidth[0]) and talk:
        raise InputError(f"nothing is published about how several {device.name} are joined", hint="Estimate one: --devices 1.")
    if not networks.timed(subject.workload, table)[0]:
        raise InputError(f"the memory bandwidth of {device.name} is not published, so nothing can be estimated on it")
    one = Columns(fused=1.0, precision=estimate.PRECISIONS.index(precision), length=1)
    rows = estimate.with_precision(one, one.precision)
    way = _WAYS[request.mode, subject.workload.architecture is not None]
    with np.errstate(all="ignore"):
        ran = way(request, subject, rows, table)
    evidence = weakest(found[0], *(("matmul",) if subject.workload.architecture else networks.laws(subject.workload)))
    if not np.isfinite(ran.one.seconds[0]):
        what = f"'{subject.workload.id}' cannot be estimated on {device.name}"
        raise InputError(what, hint="It attends, which is computed in 16 bits, and the device publishes no peak for that.")
    near = about(request.mode, device.kind, subject.workload, found[0])

    def spread(figure: str, value: float) -> Estimate:
        task = task_of(request.mode, figure, graph=subject.workload.graph is not None, kind=device.kind)
        return around(value, subject.intervals, task, evidence, near)

    if request.demand and request.mode != "infer":
        raise InputError("a rate is asked of a network that infers", hint="Requests of a language model: planner simulate.")
    figures = {k: spread(k, v) for k, v in ran.figures.items()}
    asked = request.demand
    busy = duty(asked, figures["samples_per_s"], table.device, request.devices) if asked else None
    watts = float(cost.power(table.device, np.array([float(request.devices)]), np.ones(1))[0])
    hourly, offer = cheapest(subject, request.devices)
    each = spread("cost", hourly / units.HOUR / ran.rate * 1e6) if offer else None
    seconds, inside = ran.one.seconds[0], bool(networks.inside(subject.workload, table)[0])
    capacity = float(table.device.capacity[0])
    able = memory.trainable(table.device) if request.mode == "train" else memory.usable(table.device.capacity)
    return Single(
        subject.workload.name, subject.system.id if subject.system else "", device.id, request.devices, precision, ran.layout,
        figures, ran.memory, capacity, not sum(ran.memory.values()) > float(able[0]),
        {k: float(v[0]) for k, v in ran.one.parts.items() if v[0] > 0}, bottleneck(ran.one, 0, table.device),
        ran.model_flop / float(seconds) / float(table.device.peak[0]),
        math.nan if inside else float(ran.one.moved[0] / seconds / table.device.bandwidth[0]),
        watts, hourly, offer, each, watts / ran.rate * 1e6, ran.work_unit,
        (*device_figures(device, precision), *tier_figures(system),
         *(law(f) for f in used(found[0], subject.workload).values() if f.fit)),
        tuple(device.power_modes), busy,
    )  # fmt: skip


def _architecture(subject: Subject) -> tuple[Columns, Columns]:
    if subject.workload.architecture is None:
        raise InputError(f"'{subject.workload.id}' is not a language model")
    return estimate.architecture_table([subject.workload.architecture])


def _serve(r: Request, subject: Subject, rows: Columns, machine: object) -> Run:
    a, size = _architecture(subject)
    tp = r.tp or r.devices
    if a.num_heads[0] % tp or r.devices % tp:
        raise InputError(
            f"tp {tp} divides neither {int(a.num_heads[0])} heads nor {r.devices} devices evenly", hint=_divisors(a, r.devices)
        )
    longest = subject.workload.architecture.max_context if subject.workload.architecture else 0
    if r.input_tokens + r.output_tokens > longest:
        raise InputError(f"a context of {r.input_tokens + r.output_tokens:,} tokens is longer than the model allows: {longest:,}")
    rows = rows.with_(
        batch=float(r.batch),
        input_tokens=float(r.input_tokens),
        output_tokens=float(r.output_tokens),
        tp=float(tp),
        ep=1.0,
        adp=1.0,
        pp=1.0,
    )
    s = estimate.serve(a, rows, machine, continuous=True)  # type: ignore[arg-type]
    replicas = r.devices // tp
    each = rows.input_tokens + rows.output_tokens / 2
    held = memory.serving(size, rows.batch * transformer.kv_bytes(a, rows, each + memory.BLOCK / 2), rows, rows.batch * each)
    rate = float(s.output_rate[0]) * replicas
    figures = {
        "output_tokens_per_s": rate, "requests_per_s": rate / r.output_tokens,
        "ttft_s": float(s.ttft[0]), "tpot_s": float(s.tpot[0]),
        "decode_step_s": float(s.decode.seconds[0]),
    }  # fmt: skip
    layout: dict[str, int | str] = {
        "tp": tp,
        "replicas": replicas,
        "batch": r.batch,
        "input_tokens": r.input_tokens,
        "output_tokens": r.output_tokens,
    }
    return Run(
        figures,
        rate,
        "million output tokens",
        {k: float(v[0]) for k, v in held.items()},
        s.decode,
        layout,
        float(s.decode.flop[0]),
    )


def _divisors(a: Columns, devices: int) -> str:
    able = [t for t in (1, 2, 4, 8, 16, 32, 64) if t <= devices and a.num_heads[0] % t == 0 and devices % t == 0]
    return f"Possible here: {', '.join(map(str, able))}."


def _train(r: Request, subject: Subject, rows: Columns, machine: object) -> Run:
    a, size = _architecture(subject)
    assert subject.workload.architecture is not None
    names = ("cp", "pp", "ep", "virtual", "schedule", "micro_batch", "zero_stage", "recompute", "optimizer", "lora_rank")
    asked = {name: float(getattr(r, name)) for name in names} | {"tp": float(r.tp or 1)}
    asked |= {f"offload_{name}": 1.0 for name in r.offload}
    asked |= {"fused": 0.0, "fused_loss": 0.0} if r.eager else {}
    chosen = divide.layout(subject.workload.architecture, r.devices, r.global_batch, r.sequence, asked)
    rows = estimate.layouts(rows.with_(**{name: chosen[name] for name in chosen}))
    batch = int(chosen.num_micro[0] * chosen.dp[0] * r.micro_batch)
    step = estimate.train(a, size, rows, machine)  # type: ignore[arg-type]
    seconds, tokens = float(step.seconds[0]), batch * r.sequence
    held = estimate.held(a, size, rows)
    peak = machine.device.peak[0]  # type: ignore[attr-defined]
    figures = {
        "tokens_per_s": tokens / seconds, "tokens_per_s_per_device": tokens / seconds / r.devices, "step_s": seconds,
        "model_tflops_per_device": float(step.model_flop[0]) / seconds / r.devices / 1e12,
        "model_flop_utilisation": float(step.model_flop[0]) / seconds / r.devices / peak,
        "hardware_flop_utilisation": float(step.whole.flop[0]) / seconds / peak,
    }  # fmt: skip
    layout: dict[str, int | str] = {name: int(rows[name][0]) for name in layout_space.DEGREES}
    layout |= {"global_batch": batch, "sequence": r.sequence, **layout_space.named(rows)}
    return Run(
        figures,
        tokens / seconds,
        "million tokens",
        {k: float(v[0]) for k, v in held.items()},
        step.whole,
        layout,
        float(step.model_flop[0]) / r.devices,
    )


_WAYS = {
    ("serve", True): _serve, ("train", True): _train, ("infer", False): single_networks.infer,
    ("train", False): single_networks.train,
}  # fmt: skip
"""By what is asked, and whether the workload is a language model."""
