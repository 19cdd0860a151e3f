"""Running a network summary on samples: batch sizes and precisions of every place, evaluated at once."""

from collections.abc import Sequence

import numpy as np

from planner import units
from planner.model import memory
from planner.model.columns import Columns, product
from planner.model.families import network
from planner.model.operation import Machine
from planner.schema.inputs import Inputs
from planner.schema.plan import Infer
from planner.search import estimate
from planner.search.listings import Place
from planner.search.options import Explained, Options

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def options(inputs: Inputs, infer: Infer, places: Sequence[Place], settings: Columns, machines: Machine) -> Options:
    """settings (S,): place and precision of each row of machines."""
    grid = product(setting=np.arange(len(settings)), batch=np.array(BATCHES, float))
    node = np.array([p.devices for p in places], float)[settings.place[grid.setting]]
    rows = grid.with_(node=node, place=settings.place[grid.setting], precision=settings.precision[grid.setting])
    rows = estimate.with_precision(rows, rows.precision)
    machine = machines.take(rows.setting)
    ops = network.forward(_summary(inputs, len(rows)), rows)
    seconds = network.alone(ops, machine).seconds
    rate = rows.batch / network.stream(ops, machine) * node
    instances = np.ceil(infer.rate / (rate * inputs.plan.economics.utilisation) - 1e-9)
    rows = rows.with_(
        instances=instances, devices=instances * node, hours=np.full(len(rows), units.MONTH / units.HOUR),
        rate=rate * instances,
    )  # fmt: skip
    held = sum(_memory(inputs, rows).values())
    free = memory.usable(machine.device.capacity)
    excess = {
        "memory": np.where(np.isfinite(free), held / free, 0.0),
        "latency": (seconds + _gathering(infer, rows)) / (infer.latency or np.inf),
        "devices": rows.devices / inputs.plan.hardware.max_devices,
    }
    return Options(rows, excess)


def explain(inputs: Inputs, infer: Infer, rows: Columns, machines: Machine) -> Explained:
    """The chosen rows with their parts."""
    machine = machines.take(rows.setting)
    one = network.alone(network.forward(_summary(inputs, len(rows)), rows), machine)
    latency = {"latency": one.seconds + _gathering(infer, rows)}
    return Explained(rows, latency, _memory(inputs, rows), machine.device.capacity, one, one.flop)


def _gathering(infer: Infer, rows: Columns) -> np.ndarray:
    """Mean wait until a batch has come together at one device: half the time its samples take to arrive."""
    return (rows.batch - 1) / 2 / (infer.rate / np.maximum(rows.devices, 1))


def _summary(inputs: Inputs, n: int) -> Columns:
    assert inputs.workload.network is not None
    return estimate.network_table([inputs.workload.network]).take(np.zeros(n, int))


def _memory(inputs: Inputs, rows: Columns) -> dict[str, np.ndarray]:
    s = _summary(inputs, len(rows))
    return {"weights": s.parameters * rows.weight, "activations": s.activations * rows.activation * rows.batch}
