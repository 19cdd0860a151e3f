"""Running a network summary on samples: batch sizes and precisions of every place, evaluated at once."""

from collections.abc import Sequence

import numpy as np

from planner import units
from planner.model import memory
from planner.model.columns import Columns, product
from planner.model.operation import Machine
from planner.schema.goals import Infer
from planner.schema.inputs import Inputs
from planner.search import estimate, networks
from planner.search.drivers import timed
from planner.search.listings import Place
from planner.search.options import Explained, Options

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def options(inputs: Inputs, infer: Infer, places: Sequence[Place], settings: Columns, machines: Machine) -> Options:
    """settings (S,): place and precision of each row of machines."""
    grid = product(setting=np.arange(len(settings)), batch=np.array(BATCHES, float))
    node = np.array([p.devices for p in places], float)[settings.place[grid.setting]]
    where = {"place": settings.place[grid.setting], "precision": settings.precision[grid.setting]}
    rows = grid.with_(fused=1.0, node=node, ways=node, **where)
    rows = estimate.with_precision(rows, rows.precision)
    machine = machines.take(rows.setting)
    seconds = networks.alone(inputs.workload, rows, machine).seconds
    between = networks.stream(inputs.workload, rows, machine)
    known = np.isfinite(seconds)  # not where devices share tables over links that nobody published
    rows, machine, node = rows.take(known), machine.take(known), node[known]
    seconds, between = seconds[known], between[known]
    rate = rows.batch / between * node
    instances = np.ceil(infer.rate / (rate * inputs.plan.economics.utilisation) - 1e-9)
    sites = inputs.plan.sites
    rows = rows.with_(
        instances=instances * sites, devices=instances * node * sites, hours=np.full(len(rows), units.MONTH / units.HOUR),
        rate=rate * instances * sites,
    )  # fmt: skip
    held = sum(networks.held(inputs.workload, rows).values())
    free = memory.usable(machine.device.capacity)
    excess = {
        "memory": np.where(np.isfinite(free), held / free, 0.0),
        "latency": (seconds + _gathering(inputs, infer, rows)) / (infer.latency or np.inf),
        "devices": rows.devices / sites / inputs.plan.hardware.max_devices,
    }
    return Options(rows, excess, {"throughput": rate, "latency": seconds + _gathering(inputs, infer, rows)})


def explain(inputs: Inputs, infer: Infer, rows: Columns, machines: Machine) -> Explained:
    """The chosen rows with their parts."""
    machine = machines.take(rows.setting)
    one = networks.alone(inputs.workload, rows, machine)
    latency = {"latency": one.seconds + _gathering(inputs, infer, rows)}
    ops = timed(networks.forward(inputs.workload, rows), machine)
    held = networks.held(inputs.workload, rows)
    return Explained(rows, latency, held, machine.device.capacity, one, one.flop, operators=ops)


def _gathering(inputs: Inputs, infer: Infer, rows: Columns) -> np.ndarray:
    """Mean wait until a batch has come together at one device: half the time its samples take to arrive."""
    return (rows.batch - 1) / 2 / (infer.rate / np.maximum(rows.devices / inputs.plan.sites, 1))
