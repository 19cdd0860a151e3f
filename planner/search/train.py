"""Training: which layout on how many instances, by what the run costs and how long it takes."""

from collections.abc import Sequence

import numpy as np

from planner import units
from planner.model import memory, training
from planner.model.columns import Columns, concat
from planner.model.goodput import fleet, interval, share
from planner.model.operation import Machine
from planner.model.policy import OPTIMIZERS
from planner.schema.goals import Train
from planner.schema.inputs import Inputs
from planner.schema.workload import Workload
from planner.search import estimate, layout_space, layouts, networks
from planner.search.drivers import timed, times
from planner.search.listings import Place
from planner.search.options import Explained, Options, Tick, unheard

KEPT = 4
"""Layouts of each place and number of instances that a search remembers: the fastest."""


def options(
    inputs: Inputs,
    train: Train,
    places: Sequence[Place],
    settings: Columns,
    machines: Machine,
    tick: Tick = unheard,
) -> Options:
    """settings (S,): place and precision of each row of machines."""
    job = job_of(inputs, train)
    node = np.array([p.devices for p in places], float)[settings.place]
    most = float(inputs.plan.hardware.max_devices)
    counts = 2.0 ** np.arange(0, 1 + np.floor(np.log2(most)))
    grid = layout_space.usable(job, layout_space.Nodes(node, counts, most), machines)
    grid = grid.with_(place=settings.place[grid.setting], precision=settings.precision[grid.setting])
    tally = layouts.Tally()
    found = []
    for rows in layout_space.chunks(job, grid, layout_space.choices(job), machines):
        found.append(_fastest(layouts.timed(job, rows, machines, tally)))
        tick(int(rows.done[0]), len(grid))
    rows = _fastest(concat(found)) if found else layout_space.none(job, grid, machines)
    return finished(inputs, train, rows)


def finished(inputs: Inputs, train: Train, rows: Columns) -> Options:
    """Whole runs of rows' steps: seconds [s a step], fits [times its memory], devices, instances (N,)."""
    steps = train.amount / (train.global_batch * (train.sequence_length or 1.0))
    kept = goodput(inputs, train, rows)
    duration = steps * rows.seconds / kept
    rows = rows.with_(hours=duration / units.HOUR, rate=train.amount / duration, latency=duration, goodput=kept)
    excess = {
        "memory": rows.fits,
        "deadline": duration / (train.deadline or np.inf),
        "devices": rows.devices / inputs.plan.hardware.max_devices,
    }
    return Options(rows, excess)


def goodput(inputs: Inputs, train: Train, rows: Columns, *, spot: bool = False) -> np.ndarray:
    """Share of the time that is steps kept: the rest goes to checkpoints, failures, restarts and evaluations (N,)."""
    r = train.reliability
    write = _state(inputs.workload, OPTIMIZERS[train.optimizer].state) / (r.checkpoint_bandwidth * rows.devices)
    taken = inputs.plan.rent.spot.mtbf if spot and inputs.plan.rent.spot else np.inf
    mtbf = fleet(r.device_mtbf, rows.devices, taken, rows.instances)
    return np.asarray(share(interval(write, mtbf), write, mtbf, np.full(len(rows), r.restart)) * (1 - r.evaluation))


def _state(workload: Workload, kept: float) -> float:
    """Bytes of a checkpoint, where the optimizer has ``kept`` a parameter beside its 16 bits."""
    if workload.architecture is None:
        return networks.parameters(workload) * 2 + networks.updated(workload) * kept
    _, size = estimate.architecture_table([workload.architecture])
    return float(size.total[0]) * (2 + kept)


def job_of(inputs: Inputs, train: Train) -> layout_space.Job:
    """What the plan wants trained, and how widely it wants to search."""
    a = inputs.workload.architecture
    assert a is not None
    return layout_space.Job(
        a, train.sequence_length, train.global_batch, train.optimizer, train.lora_rank, train.recompute, train.search == "all"
    )


def fits_from(inputs: Inputs, train: Train, place: Place, machine: Machine) -> int:
    """Devices from which on any layout would fit, beyond what the plan allows; 0 where none would, or for a network."""
    if inputs.workload.architecture is None:
        return 0
    usual = inputs.plan.workload.precision or ("bf16",)
    code = np.array([estimate.PRECISIONS.index(usual[0])])
    node = float(place.devices)
    most = int(max(1, inputs.plan.hardware.max_devices // node) * node)
    return layouts.fits_from(job_of(inputs, train), most, node, code, machine)


def _fastest(rows: Columns) -> Columns:
    """The fastest few layouts of every setting and number of instances that fit, and the nearest of those that do not."""
    if not len(rows):
        return rows
    over = rows.fits > 1
    order = np.lexsort((np.where(over, rows.fits, rows.seconds), over, rows.instances, rows.setting))
    group = rows.setting[order] * 1e6 + rows.instances[order]
    _, start, count = np.unique(group, return_index=True, return_counts=True)
    rank = np.arange(len(rows)) - np.repeat(start, count)
    return rows.take(order[rank < KEPT])


def explain(inputs: Inputs, train: Train, rows: Columns, machines: Machine) -> Explained:
    """The chosen rows with their parts."""
    n = np.zeros(len(rows), int)
    table, sizes = estimate.architecture_table([inputs.workload.architecture])  # type: ignore[list-item]
    a, size, machine = table.take(n), sizes.take(n), machines.take(rows.setting)
    step = estimate.train(a, size, rows, machine)
    duration = {"duration": rows.latency}
    held = estimate.held(a, size, rows)
    return Explained(
        rows, duration, held, machine.device.capacity, step.whole, step.model_flop / rows.devices,
        longer={"rate": times(1 / step.seconds, lambda factor: _at_length(inputs, a, size, rows, machine, factor))},
        operators=timed(training.operators(a, estimate.layouts(rows)), machine),
    )  # fmt: skip


def _at_length(inputs: Inputs, a: Columns, size: Columns, rows: Columns, machine: Machine, factor: float) -> np.ndarray:
    """Tokens a second at sequences ``factor`` as long, in units of the plan's tokens a step; NaN where they do not fit (P,)."""
    longest = inputs.workload.architecture.max_context if inputs.workload.architecture else 0
    other = rows.with_(sequence=rows.sequence * factor)
    held = np.sum(list(estimate.held(a, size, other).values()), axis=0)
    fits = (held <= memory.trainable(machine.device)) & (other.sequence <= longest)
    return np.where(fits, factor / estimate.train(a, size, other, machine).seconds, np.nan)
