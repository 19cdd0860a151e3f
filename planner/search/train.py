"""Training a language model: instances, parallel degrees, micro-batch, sharding and recomputation, evaluated at once."""

from collections.abc import Sequence

import numpy as np

from planner import units
from planner.model import memory
from planner.model.columns import Columns, product
from planner.model.operation import Machine
from planner.schema.inputs import Inputs
from planner.schema.plan import Train
from planner.search import estimate
from planner.search.listings import Place
from planner.search.options import Explained, Options

RECOMPUTE = ("none", "attention", "full")


def options(inputs: Inputs, train: Train, places: Sequence[Place], settings: Columns, machines: Machine) -> Options:
    """settings (S,): place and precision of each row of machines."""
    rows = _rows(inputs, train, places, settings, machines)
    table, sizes = estimate.architecture_table([inputs.workload.architecture])  # type: ignore[list-item]
    zero = np.zeros(len(rows), int)
    a, size, machine = table.take(zero), sizes.take(zero), machines.take(rows.setting)
    held = np.sum(list(memory.training(size, a, rows).values()), axis=0)
    fits = held / memory.usable(machine.device.capacity)
    kept = np.flatnonzero((fits <= 1) | _least(fits, rows.place))  # what cannot run is not timed, but for the nearest of a place
    rows, fits = rows.take(kept), fits[kept]
    a, size, machine = a.take(kept), size.take(kept), machine.take(kept)
    seconds = estimate.train(a, size, rows, machine).seconds
    tokens = train.global_batch * train.sequence_length
    duration = train.tokens / tokens * seconds
    rows = rows.with_(hours=duration / units.HOUR, rate=tokens / seconds, latency=duration)
    excess = {
        "memory": fits,
        "deadline": duration / (train.deadline or np.inf),
        "devices": rows.devices / inputs.plan.hardware.max_devices,
    }
    return Options(rows, excess)


def explain(inputs: Inputs, train: Train, rows: Columns, machines: Machine) -> Explained:
    """The chosen rows with their parts."""
    n = np.zeros(len(rows), int)
    table, sizes = estimate.architecture_table([inputs.workload.architecture])  # type: ignore[list-item]
    a, size, machine = table.take(n), sizes.take(n), machines.take(rows.setting)
    step = estimate.train(a, size, rows, machine)
    duration = {"duration": rows.latency}
    return Explained(
        rows, duration, memory.training(size, a, rows), machine.device.capacity, step.whole, step.model_flop / rows.devices
    )


def _rows(inputs: Inputs, train: Train, places: Sequence[Place], settings: Columns, machines: Machine) -> Columns:
    """Every layout that divides: degrees into devices, layers and batch."""
    most = inputs.plan.hardware.max_devices
    powers = 2.0 ** np.arange(0, 1 + np.floor(np.log2(most)))
    grid = product(
        setting=np.arange(len(settings)), instances=powers, tp=np.array([1.0, 2, 4, 8]), pp=np.array([1.0, 2, 4, 8, 16]),
        zero_stage=np.array([1.0, 3.0]), recompute=np.array([0.0, 1.0, 2.0]), micro_batch=np.array([1.0, 2, 4, 8]),
    )  # fmt: skip
    node = np.array([p.devices for p in places], float)[settings.place[grid.setting]]
    grid = grid.with_(node=node, devices=grid.instances * node, dp=grid.instances * node / (grid.tp * grid.pp))
    reach = machines.device.up_size[grid.setting]
    whole = node == machines.device.node[grid.setting]  # part of a node is rented without the node's network
    joined = (np.isfinite(machines.device.out_bandwidth[grid.setting]) & whole) | (grid.instances == 1)
    slices = machines.device.torus[grid.setting] > 0  # a torus is rented in slices of any size
    joined |= (grid.instances * node <= reach) & (whole | slices)
    joined &= (grid.devices == 1) | (node == 1) | np.isfinite(machines.device.up_bandwidth[grid.setting])
    a = inputs.workload.architecture
    assert a is not None
    num_micro = train.global_batch / (grid.dp * grid.micro_batch)
    good = (
        joined & (grid.devices <= most) & (grid.tp <= node) & (grid.dp >= 1) & (grid.dp % 1 == 0) & (num_micro >= 1)
        & (num_micro % 1 == 0)
        & (a.num_heads % grid.tp == 0) & (a.num_layers % grid.pp == 0) & ((grid.zero_stage < 3) | (grid.pp == 1))
        & ((grid.tp == 1) | (np.isfinite(machines.device.up_bandwidth[grid.setting]) & (grid.tp <= reach)))
    )  # fmt: skip
    rows = grid.with_(num_micro=num_micro).take(good)
    n = np.ones(len(rows))
    rows = rows.with_(
        place=settings.place[rows.setting], precision=settings.precision[rows.setting], cp=n, ep=_experts(inputs, rows),
        virtual=n, shard=rows.dp,  sequence=train.sequence_length * n, gradient=4 * n, fused=n, flash=n, latency=n,
    )  # fmt: skip
    return estimate.with_precision(rows, rows.precision)


def _experts(inputs: Inputs, rows: Columns) -> np.ndarray:
    """Expert parallel degree: as many ways as data and tensor ranks allow, up to eight."""
    a = inputs.workload.architecture
    if a is None or a.moe is None:
        return np.ones(len(rows))
    return np.asarray(np.minimum(8.0, rows.dp * rows.tp))


def _least(fits: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Marks, for each place, the option that comes nearest to fitting."""
    order = np.lexsort((fits, place))
    _, start = np.unique(place[order], return_index=True)
    mark = np.zeros(len(fits), bool)
    mark[order[start]] = True
    return mark
