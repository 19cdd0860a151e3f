"""Serving a language model: tensor degrees, precisions and batch sizes of every place, evaluated at once."""

from collections.abc import Sequence

import numpy as np

from planner import units
from planner.model import memory, serving
from planner.model.columns import Columns, product
from planner.model.families import transformer
from planner.model.operation import Machine
from planner.schema.inputs import Inputs
from planner.schema.plan import Serve
from planner.search import estimate
from planner.search.listings import Place
from planner.search.options import Explained, Options

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
DEGREES = (1, 2, 4, 8, 16)


def options(inputs: Inputs, serve: Serve, places: Sequence[Place], settings: Columns, machines: Machine) -> Options:
    """settings (S,): place and precision of each row of machines."""
    rows, a, size, machine = _rows(inputs, serve, places, settings, machines)
    service = estimate.serve(a, rows, machine, continuous=True)
    load = np.full(len(rows), inputs.plan.fullness)
    ttft = serving.arrivals(service, estimate.as_pass(rows).with_(load=load))
    per_instance = np.floor(rows.node / rows.tp)
    each = service.output_rate * per_instance
    instances = np.ceil(serve.rate * serve.output_tokens / (each * load) - 1e-9) + serve.spare
    rate = each * instances
    seconds = serve.requests * serve.output_tokens / rate if serve.requests else np.full(len(rows), units.MONTH)
    rows = rows.with_(instances=instances, devices=instances * rows.node, hours=seconds / units.HOUR, rate=rate)
    each = transformer.kv_bytes(a, rows, rows.input_tokens + rows.output_tokens / 2)
    held = memory.serving(size, rows.batch * each, rows, np.full(len(rows), memory.CHUNK))
    excess = {
        "memory": np.sum(list(held.values()), axis=0) / memory.usable(machine.device.capacity),
        "ttft": ttft / (serve.ttft or np.inf),
        "tpot": service.tpot / (serve.tpot or np.inf),
        "devices": rows.devices / inputs.plan.hardware.max_devices,
    }
    return Options(rows, excess)


def explain(inputs: Inputs, serve: Serve, rows: Columns, machines: Machine) -> Explained:
    """The chosen rows with their parts."""
    n = np.zeros(len(rows), int)
    table, sizes = estimate.architecture_table([inputs.workload.architecture])  # type: ignore[list-item]
    a, size, machine = table.take(n), sizes.take(n), machines.take(rows.setting)
    service = estimate.serve(a, rows, machine, continuous=True)
    load = np.full(len(rows), inputs.plan.fullness)
    ttft = serving.arrivals(service, estimate.as_pass(rows).with_(load=load))
    each = rows.input_tokens + rows.output_tokens / 2
    kv, tokens = rows.batch * transformer.kv_bytes(a, rows, each), rows.batch * each
    latency = {"duration": rows.hours * units.HOUR} if serve.requests else {"ttft": ttft, "tpot": service.tpot}
    return Explained(
        rows, latency, memory.serving(size, kv, rows, tokens), machine.device.capacity,
        service.decode, service.decode.flop,
    )  # fmt: skip


def _rows(
    inputs: Inputs, serve: Serve, places: Sequence[Place], settings: Columns, machines: Machine
) -> tuple[Columns, Columns, Columns, Machine]:
    """Every combination, with its architecture, sizes and machine taken to rows."""
    grid = product(setting=np.arange(len(settings)), tp=np.array(DEGREES, float), batch=np.array(BATCHES, float))
    node = np.array([p.devices for p in places], float)[settings.place[grid.setting]]
    heads = inputs.workload.architecture.num_heads if inputs.workload.architecture else 1
    joined = np.isfinite(machines.device.up_bandwidth[grid.setting]) & (grid.tp <= machines.device.up_size[grid.setting])
    grid = grid.with_(node=node).take((grid.tp <= node) & (heads % grid.tp == 0) & (joined | (grid.tp == 1)))
    rows = grid.with_(
        place=settings.place[grid.setting], precision=settings.precision[grid.setting], ep=np.ones(len(grid)),
        pp=np.ones(len(grid)), adp=np.ones(len(grid)), fused=np.ones(len(grid)),
        input_tokens=np.full(len(grid), serve.input_tokens),
        output_tokens=np.full(len(grid), serve.output_tokens), prefix=np.full(len(grid), serve.prefix_hit),
    )  # fmt: skip
    rows = estimate.with_precision(rows, rows.precision)
    table, sizes = estimate.architecture_table([inputs.workload.architecture])  # type: ignore[list-item]
    zero = np.zeros(len(rows), int)
    return rows, table.take(zero), sizes.take(zero), machines.take(rows.setting)
