"""A network's pass on candidates, whichever way its workload describes it: by its three numbers, or operation by operation."""

import numpy as np

from planner.errors import InputError
from planner.model import policy
from planner.model.columns import Array, Columns
from planner.model.families import graph, network
from planner.model.operation import Machine, Op
from planner.model.ops.collective import share
from planner.model.passes import Pass, run
from planner.schema.hardware import Device
from planner.schema.workload import Network, Workload
from planner.search import estimate
from planner.search.machines import COMMON


def unsuited(workload: Workload, device: Device) -> str:
    """Why a device cannot be asked for a workload, or "": one without memory beside its chip keeps what passes between
    operations on it, which the laws of operators do not know."""
    main = device.level("main")
    if workload.graph is None or (main is not None and main.bandwidth is not None):
        return ""
    return f"{device.name} has no memory beside its chip: it is known by whole networks only, not operation by operation"


def inside(workload: Workload, machine: Machine) -> Array:
    """Whether passes of a workload stay on a chip that works out of the memory on it (the law of networks has ``hold``) (N,)."""
    summed = workload.architecture is None and workload.graph is None
    return np.asarray(summed & (machine.laws["network"].hold > 0))


def timed(workload: Workload, machine: Machine) -> Array:
    """Whether a memory's rate is known where passes of a workload wait for one (N,)."""
    return np.isfinite(machine.device.bandwidth) | inside(workload, machine)


def laws(workload: Workload) -> tuple[str, ...]:
    """The laws that an estimate of a network stands on."""
    if workload.graph is None:
        return ("network",)
    kinds = {layer.op for layer in workload.graph.operations}
    return (*COMMON, *(law for law in ("convolution", "attention") if law in kinds))


def forward(workload: Workload, rows: Columns) -> list[Op]:
    """Operators of a pass of rows.batch samples."""
    return graph.forward(workload.graph, rows) if workload.graph else network.forward(_summary(workload, len(rows)), rows)


def alone(workload: Workload, rows: Columns, machine: Machine) -> Pass:
    """A pass with nothing beside it: its latency."""
    ops = forward(workload, rows)
    if workload.graph is None:
        return network.alone(ops, machine)
    host = machine.laws["engine"].sequence * graph.tokens(workload.graph) * rows.batch
    return run(ops, machine).plus("overhead", host)


def stream(workload: Workload, rows: Columns, machine: Machine) -> Array:
    """Seconds between passes that follow each other (N,)."""
    return alone(workload, rows, machine).seconds if workload.graph else network.stream(forward(workload, rows), machine)


def step(workload: Workload, rows: Columns) -> list[Op]:
    """Operators of the forward and backward pass of a training step."""
    return graph.step(workload.graph, rows) if workload.graph else network.step(_summary(workload, len(rows)), rows)


def in_training(rows: Columns) -> Columns:
    """``rows`` with weights and activations of 16 bits and more: gradients need them."""
    return rows.with_(weight=np.maximum(rows.weight, 2.0), activation=np.maximum(rows.activation, 2.0))


def update(workload: Workload, rows: Columns, machine: Machine) -> Pass:
    """One optimizer step, data parallel: ``rows.micro_steps`` passes of rows.batch samples on each of rows.ways devices, their
    gradients summed beside the last backward pass, and the update. Large tables are shared, and only rows in use updated."""
    one = run(step(workload, rows), machine)
    dense = updated(workload)
    summed = run([_gradients(dense * rows.weight, rows.ways)], machine).seconds
    shown = np.maximum(0.0, summed - one.seconds / 2)  # the backward pass takes two thirds of a step, its last layer is alone
    moved = policy.optimizer(rows).moved * dense
    spent = moved / (machine.device.bandwidth * machine.laws["stream"].e_b)
    return one.times(rows.micro_steps).plus("communication", shown).plus("optimizer", spent)


def _gradients(message: Array, ways: Array) -> Op:
    """The all-reduce of all gradients among ``ways`` devices; nothing where that is one."""
    n = np.ones(len(ways))
    shape = {"ranks": ways, "volume": share("all_reduce", ways) * message, "stride": n}
    return Op("gradients", "collective", "communication", 1.0 * (ways > 1), shape, 0 * n, variant="all_reduce")


def parameters(workload: Workload) -> float:
    """All weights [count]."""
    return (workload.graph.parameters if workload.graph else _known(workload).parameters).value


def updated(workload: Workload) -> float:
    """Weights that every step updates [count]: all but tables, of which it updates what was looked up."""
    return parameters(workload) - (graph.tables(workload.graph) if workload.graph else 0.0)


def held(workload: Workload, rows: Columns) -> dict[str, Array]:
    """Bytes that inference holds on a device: weights, a large table's share of them, and activations (N,)."""
    count = parameters(workload)
    if workload.graph is None:
        summary = _known(workload)
        activations = summary.activations.value if summary.activations else 0.0
        return {"weights": count * rows.weight, "activations": activations * rows.activation * rows.batch}
    g = workload.graph
    apart, ways = graph.tables(g), rows.ways if "ways" in rows else 1.0
    parts = {"weights": (count - apart) * rows.weight, "activations": graph.widest(g) * rows.activation * rows.batch}
    return parts | ({"tables": apart / ways * rows.weight} if apart else {})


def trained(workload: Workload, rows: Columns) -> dict[str, Array]:
    """Bytes that a training step holds on a device, every part on each of them but large tables (N,): ``rows.optimizer``."""
    count = parameters(workload)
    g, kind = workload.graph, policy.optimizer(rows)
    apart, ways = (graph.tables(g) if g else 0.0), rows.ways if "ways" in rows else 1.0
    dense = count - apart
    activations = graph.kept(g) if g else (s.value if (s := _known(workload).activations) else 0.0)
    held = {
        "weights": dense * rows.weight, "gradients": dense * rows.weight, "optimizer": dense * kind.state,
        "activations": activations * rows.activation * rows.batch,
    }  # fmt: skip
    return held | ({"tables": apart / ways * (rows.weight + TABLE_STATE)} if apart else {})


TABLE_STATE = 0.25
"""Bytes an element of an embedding table that row-wise Adagrad keeps: one fp32 number a row of 16 elements and more
(FBGEMM's EXACT_ROWWISE_ADAGRAD, which torchrec trains with)."""


def _known(workload: Workload) -> Network:
    if workload.network is None:
        raise InputError(f"'{workload.id}' has neither operations nor a network summary")
    return workload.network


def _summary(workload: Workload, n: int) -> Columns:
    return estimate.network_table([_known(workload)]).take(np.zeros(n, int))
