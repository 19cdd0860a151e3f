"""The best layouts of one training job on one kind of system, with what each takes, and why the next ones fell."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from planner import units
from planner.errors import InputError
from planner.model import cost, memory
from planner.model.columns import Array, Columns, concat
from planner.model.operation import Machine
from planner.schema.coefficients import Calibration
from planner.schema.inputs import Subject
from planner.search import estimate, layout_space, layouts
from planner.search.assumed import joined
from planner.search.candidate import Estimate
from planner.search.intervals import about, around
from planner.search.machines import USUAL_STACKS, Setting, arithmetic, machine, weakest
from planner.search.offers import cheapest
from planner.search.options import Tick

TRAINABLE = ("bf16", "fp16", "fp32", "tf32", "fp8", "mxfp8", "fp4", "nvfp4")
RANKS = ("time", "cost", "energy")
FIRST_DROPPED = 3


@dataclass(frozen=True)
class Asked:
    """What to search: a number of devices or up to it, precisions, and what to rank by."""

    devices: int
    up_to: bool = False
    precisions: tuple[str, ...] = ("bf16",)
    rank: str = "time"
    top: int = 10
    pue: float = 1.3


@dataclass(frozen=True)
class Ranked:
    """One layout and what it takes on each device and in all; ``why`` says why it is out, or nothing."""

    devices: int
    precision: str
    layout: dict[str, int | str]
    step: Estimate
    tokens_per_s: float
    mfu: float
    hfu: float
    memory: dict[str, float]
    capacity: float
    time: dict[str, float]
    billion_tokens: float
    """Money for a billion tokens, NaN without a price."""
    joules: float
    """A token, PUE included."""
    why: str = ""

    @property
    def held(self) -> float:
        """Bytes on the fullest device."""
        return sum(self.memory.values())


@dataclass(frozen=True)
class Answer:
    """Layouts best first, the first ones dropped, how many were looked at, and what emptied the search if it is empty."""

    best: tuple[Ranked, ...]
    dropped: tuple[Ranked, ...]
    seen: int
    too_large: int
    offer: str
    fits_from: int = 0
    """Where nothing fits: the least number of devices on which something would, 0 where none was found."""


def best(job: layout_space.Job, asked: Asked, subject: Subject, find: Callable[[str], Calibration | None], tick: Tick) -> Answer:
    """Search; ``tick(done, of)`` is called as it goes. InputError where no layout can be formed, with what emptied the search."""
    settings = _settings(asked, subject)
    machines, found = machine(settings, find)
    evidence, near = weakest(found[0], "matmul"), about("train", subject.device.kind, subject.workload, found[0])
    bound = partial(around, intervals=subject.intervals, task="training", evidence=evidence, about=near)
    node = float(settings[0].system.devices if settings[0].system and asked.devices > 1 else 1)
    counts = _counts(asked, node)
    rows, tally = _timed(
        job, layout_space.Nodes(np.full(len(settings), node), counts, float(asked.devices)), settings, machines, tick
    )
    price, offer = cheapest(subject, 1)
    rows = _priced(rows, job, machines, price, asked)
    order = np.lexsort((rows.seconds, _score(rows, asked.rank), rows.fits > 1))
    fit = rows.fits[order] <= 1
    chosen, out = order[fit][: asked.top], order[~fit][np.argsort(rows.fits[order[~fit]], kind="stable")][:FIRST_DROPPED]
    made = [_ranked(job, rows.take([i]), settings, machines, bound) for i in (*chosen, *out)]
    codes = np.array([estimate.PRECISIONS.index(s.precision) for s in settings])
    fits_from = 0 if len(chosen) else layouts.fits_from(job, asked.devices, node, codes, machines)
    return Answer(tuple(made[: len(chosen)]), tuple(made[len(chosen) :]), tally.seen, tally.too_large, offer, fits_from)


def _settings(asked: Asked, subject: Subject) -> list[Setting]:
    device = subject.device
    able = [p for p in asked.precisions if arithmetic(device, p) and p in TRAINABLE]
    if not able:
        can = ", ".join(p for p in TRAINABLE if arithmetic(device, p)) or "none"
        raise InputError(f"{device.name} trains in none of {', '.join(asked.precisions)}", hint=f"It has peaks for: {can}.")
    system = joined(device, subject.system) if asked.devices > 1 else subject.system
    return [Setting(device, system, p, USUAL_STACKS["train"], quantised_cache=False) for p in able]


def _counts(asked: Asked, node: float) -> Array:
    """Nodes to try: all that are asked for, or powers of two and their trebles up to it."""
    most = asked.devices / node
    if most < 1 or (not asked.up_to and most % 1):
        nodes = int(max(1, round(most)))
        raise InputError(
            f"{asked.devices} devices are no whole number of nodes of {node:g}",
            hint=f"The nearest: --devices {int(nodes * node)}.",
        )
    if not asked.up_to:
        return np.array([most])
    powers = 2.0 ** np.arange(0, 1 + np.floor(np.log2(most)))
    counts = np.unique(np.concatenate([powers, 3 * powers, [np.floor(most)]]))
    return np.asarray(counts[counts <= most])


def _timed(
    job: layout_space.Job, nodes: layout_space.Nodes, settings: list[Setting], machines: Machine, tick: Tick
) -> tuple[Columns, layouts.Tally]:
    grid = layout_space.usable(job, nodes, machines)
    if not len(grid):
        raise InputError("no layout divides the job over these devices", hint=layout_space.emptied(job, nodes, machines))
    codes = np.array([estimate.PRECISIONS.index(s.precision) for s in settings])
    grid = grid.with_(precision=codes[grid.setting])
    tally, found = layouts.Tally(), []
    more = layout_space.choices(job)
    with np.errstate(all="ignore"):
        for rows in layout_space.chunks(job, grid, more, machines):
            timed = layouts.timed(job, rows, machines, tally, keep=FIRST_DROPPED)
            found.append(_promising(timed))
            tick(int(rows.done[0]), len(grid))
    if not found:
        raise InputError("no layout makes sense on these devices", hint=layout_space.emptied(job, nodes, machines))
    return concat(found), tally


def _promising(rows: Columns, most: int = 2000) -> Columns:
    """The fastest a device of a chunk, and those that do not fit: all that can come first by time, cost or energy."""
    over = rows.fits > 1
    order = np.lexsort((np.where(over, rows.fits, rows.seconds * rows.devices), over))
    return rows.take(order[:most])


def _priced(rows: Columns, job: layout_space.Job, machines: Machine, price: float, asked: Asked) -> Columns:
    tokens = job.global_batch * job.sequence
    device = machines.device.take(rows.setting)
    with np.errstate(all="ignore"):
        watts = cost.power(device, rows.devices, np.ones(len(rows)))
        money = price * rows.devices * rows.seconds / units.HOUR / tokens * 1e9
        return rows.with_(money=money, joules=watts * asked.pue * rows.seconds / tokens)


def _score(rows: Columns, rank: str) -> Array:
    return np.nan_to_num({"time": rows.seconds, "cost": rows.money, "energy": rows.joules}[rank], nan=np.inf)


def _ranked(
    job: layout_space.Job, row: Columns, settings: list[Setting], machines: Machine, bound: Callable[[float], Estimate]
) -> Ranked:
    table, size = estimate.architecture_table([job.architecture])
    setting = int(row.setting[0])
    one = machines.take(np.array([setting]))
    with np.errstate(all="ignore"):
        step = estimate.train(table, size, row, one)
    seconds, devices = float(step.seconds[0]), int(row.devices[0])
    held = {k: float(v[0]) for k, v in estimate.held(table, size, row).items()}
    capacity = float(one.device.capacity[0])
    peak = float(one.device.peak[0])
    degrees: dict[str, int | str] = {n: int(row[n][0]) for n in layout_space.DEGREES}
    return Ranked(
        devices, settings[setting].precision, degrees | layout_space.named(row), bound(seconds),
        job.global_batch * job.sequence / seconds, float(step.model_flop[0]) / devices / seconds / peak,
        float(step.whole.flop[0]) / seconds / peak, held, capacity,
        {k: float(v[0]) for k, v in step.whole.parts.items() if v[0] > 0},
        float(row.money[0]), float(row.joules[0]), _why(held, capacity, float(memory.trainable(one.device)[0])),
    )  # fmt: skip


def _why(held: dict[str, float], capacity: float, able: float) -> str:
    total, largest = sum(held.values()), max(held, key=held.__getitem__)
    if total <= able:
        return ""
    needs, most, has, free = (units.show(x, "byte") for x in (total, held[largest], capacity, able))
    return f"needs {needs} a device, {most} of it {largest}; it has {has}, {free} of it to use"
