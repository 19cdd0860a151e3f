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
from planner.search.drivers import timed, times
from planner.search.listings import Place
from planner.search.options import Explained, Options
from planner.search.result import CONTEXTS, LOADS

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
DEGREES = (1, 2, 4, 8, 16)


def options(inputs: Inputs, serve: Serve, places: Sequence[Place], settings: Columns, machines: Machine) -> Options:
    """settings (S,): place and precision of each row of machines."""
    rows, a, size, machine = _rows(inputs, serve, places, settings, machines)
    service = estimate.serve(a, rows, machine, continuous=True)
    load = np.full(len(rows), inputs.plan.fullness)
    ttft = serving.arrivals(service, estimate.as_pass(rows).with_(load=load))
    each = each_instance(service, rows)
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
    return Options(rows, excess, {"throughput": each_instance(service, rows), "latency": service.tpot})


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
    waits = [serving.arrivals(service, estimate.as_pass(rows).with_(load=np.full(len(rows), x))) for x in LOADS]
    ops = serving.decode_operators(a, estimate.as_pass(rows), rows.batch, each)
    return Explained(
        rows, latency, memory.serving(size, kv, rows, tokens), machine.device.capacity,
        service.decode, service.decode.flop, None if serve.requests else np.stack(waits, axis=1),
        _longer(inputs, service, a, size, rows, machine, ttft), timed(ops, machine),
    )  # fmt: skip


def each_instance(service: serving.Service, rows: Columns) -> np.ndarray:
    """Output tokens a second of one instance (N,): as many replicas as its devices hold."""
    return np.asarray(service.output_rate * np.floor(rows.node / rows.tp))


def _longer(
    inputs: Inputs, service: serving.Service, a: Columns, size: Columns, rows: Columns, machine: Machine, ttft: np.ndarray
) -> dict[str, np.ndarray]:
    """Rate and time to first token where prompts are shorter and longer; NaN where their cache does not fit."""
    longest = inputs.workload.architecture.max_context if inputs.workload.architecture else 0

    def at(factor: float) -> tuple[np.ndarray, np.ndarray]:
        other = rows.with_(input_tokens=rows.input_tokens * factor)
        changed = estimate.serve(a, other, machine, continuous=True)
        load = np.full(len(rows), inputs.plan.fullness)
        tokens = rows.batch * (other.input_tokens + rows.output_tokens / 2)
        kv = rows.batch * transformer.kv_bytes(a, rows, other.input_tokens + rows.output_tokens / 2)
        held = np.sum(list(memory.serving(size, kv, rows, tokens).values()), axis=0)
        fits = (held <= memory.usable(machine.device.capacity)) & (other.input_tokens + rows.output_tokens <= longest)
        first = serving.arrivals(changed, estimate.as_pass(other).with_(load=load))
        return np.where(fits, changed.output_rate, np.nan), np.where(fits, first, np.nan)

    found = {factor: at(factor) for factor in CONTEXTS if factor != 1}
    return {
        "rate": times(service.output_rate, lambda factor: found[factor][0]),
        "ttft": times(ttft, lambda factor: found[factor][1]),
    }


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
