"""Serving a language model: every configuration of every place, evaluated at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner import units
from planner.model import memory, serving
from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.families.transformer_size import adapter_width
from planner.model.operation import Machine, Op
from planner.model.passes import Pass
from planner.model.speculative import Draft, layer_of
from planner.schema.goals import Serve
from planner.schema.inputs import Inputs
from planner.schema.workload import Architecture
from planner.search import estimate
from planner.search.candidate import CONTEXTS, LOADS
from planner.search.drivers import timed, times
from planner.search.listings import Place
from planner.search.options import Explained, Options
from planner.search.serving_space import Space, space, workers

KEPT = (
    "setting", "place", "precision", "node", "reach", "tp", "pp", "adp", "ep", "size", "batch", "input_tokens", "output_tokens",
    "prefix", "input_cv", "output_cv", "burstiness", "weight", "head_weight", "activation", "kv", "fused", "adapters",
    "adapter_rank",
)  # fmt: skip
"""What a configuration has of its decoder."""
PREFILLED = ("tp", "pp", "adp", "ep", "size")
"""What a prefiller that is a worker of its own has beside its decoder's."""


@dataclass(frozen=True)
class Asked:
    """The model, what guesses for it, the traffic, the share of their capacity that replicas are loaded to, and whether two of
    every four weights are zero."""

    architecture: Architecture
    serve: Serve
    load: float
    draft: Architecture | None = None
    sparse: bool = False


@dataclass(frozen=True)
class Served:
    """Configurations (N,): ``rows`` has the decoders' columns and prefill_size, apart, load, budget.

    ttft, tpot [s]: what the plan limits, means or a percentile. alone [s]: the first token of a request without others.
    rate [output tokens/s], prompts [1/s]: of one decode and one prefill replica with all its attention ranks. held,
    prefill_held: bytes by part on the fullest device. service: the passes behind it.
    """

    rows: Columns
    service: serving.Service
    ttft: Array
    tpot: Array
    alone: Array
    rate: Array
    prompts: Array
    held: dict[str, Array]
    prefill_held: dict[str, Array]
    capacity: Array


def options(inputs: Inputs, serve: Serve, places: Sequence[Place], settings: Columns, machines: Machine) -> Options:
    """settings (S,): place and precision of each row of machines."""
    asked, most = asking(inputs, serve), inputs.plan.hardware.max_devices
    of = replicas(asked, most, places, settings, machines)
    pairs = space(of, serve, mixed=not serve.disaggregated, apart=side_by_side(of) if serve.disaggregated else None)
    return _everywhere(rated(serve, served(asked, pairs, machines), most), inputs.plan.sites)


def _everywhere(found: Options, sites: int) -> Options:
    """What one site needs, at every site of a fleet."""
    if sites == 1:
        return found
    many = {name: found.rows[name] * sites for name in ("instances", "prefill_instances", "devices", "rate")}
    return replace(found, rows=found.rows.with_(**many))


def asking(inputs: Inputs, serve: Serve) -> Asked:
    """What a plan asks."""
    assert inputs.workload.architecture is not None
    draft = inputs.draft.architecture if inputs.draft else None
    return Asked(inputs.workload.architecture, serve, inputs.plan.fullness, draft, bool(inputs.plan.workload.sparsity))


def side_by_side(of: Columns) -> tuple[Array, Array]:
    """Keys of workers (W,) that prefill and decode for each other: of one setting, whose instances a network joins."""
    return np.where(of.reach > of.node, of.setting, -1), of.setting


def replicas(asked: Asked, most: float, places: Sequence[Place], settings: Columns, machines: Machine) -> Columns:
    """The workers (W,) of every setting; ``most`` devices each, where instances are joined."""
    node = np.array([p.devices for p in places], float)[settings.place]
    joined = np.where(np.isfinite(machines.device.up_bandwidth), machines.device.up_size, np.nan)
    whole = np.array([p.devices == p.system.devices for p in places])[settings.place]
    reach = np.where(whole & np.isfinite(machines.device.out_bandwidth), most, node)
    return workers(asked.architecture, asked.serve, settings, node, joined, reach, sparse=asked.sparse)


def holding(asked: Asked, of: Columns, machines: Machine) -> Array:
    """Whether the devices of each worker hold the model at all (W,), before any request comes."""
    side = _side(asked, of, machines)
    held = side.held(np.zeros(len(of)), 0.0)
    return np.asarray(_total(held) <= memory.usable(side.machine.device.capacity))


def rated(serve: Serve, s: Served, most: float) -> Options:
    """How many instances the load takes, and how far every limit is kept; ``most`` devices in all."""
    rows, load, apart = s.rows, s.rows.load, s.rows.apart > 0
    decoding = _instances(serve.rate * serve.output_tokens / (s.rate * load), rows.node, rows.size)
    prefilling = np.where(apart, _instances(serve.rate / (s.prompts * load), rows.node, rows.prefill_size), 0.0)
    rate = s.rate * _held_by(decoding + serve.spare, rows.node, rows.size)
    fed = s.prompts * serve.output_tokens * _held_by(prefilling + serve.spare, rows.node, rows.prefill_size)
    rate = np.where(apart, np.minimum(rate, fed), rate)
    instances = decoding + prefilling + np.where(apart, 2, 1) * serve.spare
    seconds = serve.requests * serve.output_tokens / rate if serve.requests else np.full(len(rows), units.MONTH)
    rows = rows.with_(
        instances=instances, devices=instances * rows.node, hours=seconds / units.HOUR, rate=rate, prefill_instances=prefilling,
    )  # fmt: skip
    held = np.maximum(_total(s.held), np.where(apart, _total(s.prefill_held), 0.0))
    excess = {
        "memory": held / memory.usable(s.capacity),
        "ttft": s.ttft / (serve.ttft or np.inf),
        "tpot": s.tpot / (serve.tpot or np.inf),
        "devices": rows.devices / most,
    }
    return Options(rows, excess, {"throughput": rate / instances, "latency": s.tpot})


def explain(inputs: Inputs, serve: Serve, rows: Columns, machines: Machine) -> Explained:
    """The chosen rows with their parts."""
    s = _alone(inputs, serve, rows, machines)
    latency = {"duration": rows.hours * units.HOUR} if serve.requests else {"ttft": s.ttft, "tpot": s.tpot}
    step = s.service.decode
    behind = {"ttft": s.service.prefill, "tpot": step, "duration": step}
    return Explained(
        rows.with_(queued=s.ttft > 2 * s.alone), latency, s.held, s.capacity, step, step.flop, behind,
        None if serve.requests else _waits(serve, s), _longer(inputs, serve, rows, machines, s),
        _operators(inputs, serve, rows, machines),
    )  # fmt: skip


def _alone(inputs: Inputs, serve: Serve, rows: Columns, machines: Machine) -> Served:
    """Chosen rows, each with a worker of its own."""
    pair = np.arange(len(rows))
    prefillers = rows.with_(**{name: rows[f"prefill_{name}"] for name in PREFILLED})
    decoding, prompts = Columns(worker=pair, batch=rows.batch), Columns(worker=pair, budget=rows.budget)
    return served(asking(inputs, serve), Space(rows, decoding, prompts, pair, pair, rows.apart > 0), machines, prefillers)


def _waits(serve: Serve, s: Served) -> Array:
    """Time to first token [s] at LOADS, as the plan limits it (P, len(LOADS))."""
    seen = [serving.arrivals(s.service, s.rows.with_(load=np.full(len(s.rows), x))) for x in LOADS]
    return np.stack([w.ttft_at(serve.percentile) if serve.percentile else w.ttft for w in seen], axis=1)


def _longer(inputs: Inputs, serve: Serve, rows: Columns, machines: Machine, s: Served) -> dict[str, Array]:
    """Rate and time to first token where prompts are shorter and longer; NaN where their cache does not fit."""
    longest = inputs.workload.architecture.max_context if inputs.workload.architecture else 0

    def at(factor: float) -> tuple[Array, Array]:
        other = _alone(inputs, serve, rows.with_(input_tokens=rows.input_tokens * factor), machines)
        held = np.maximum(_total(other.held), np.where(rows.apart > 0, _total(other.prefill_held), 0.0))
        fits = (held <= memory.usable(other.capacity)) & (rows.input_tokens * factor + rows.output_tokens <= longest)
        return np.where(fits, other.rate, np.nan), np.where(fits, other.ttft, np.nan)

    found = {factor: at(factor) for factor in CONTEXTS if factor != 1}
    return {"rate": times(s.rate, lambda f: found[f][0]), "ttft": times(s.ttft, lambda f: found[f][1])}


def _operators(inputs: Inputs, serve: Serve, rows: Columns, machines: Machine) -> tuple[tuple[Op, Pass], ...]:
    side = _side(asking(inputs, serve), rows, machines)
    _, ops = serving.decode_operators(side.a, side.w, side.w.batch, serving.context(side.w), side.draft)
    return timed(ops, side.machine)


def served(asked: Asked, sp: Space, machines: Machine, prefill_workers: Columns | None = None) -> Served:
    """Every configuration of a space at the load; passes are timed once a decoder and once a prefiller.

    prefill_workers: the workers that prefillers index where those are not the space's own.
    """
    d, p = sp.decoders, sp.prefillers
    step = _side(asked, sp.workers.take(d.worker).with_(batch=d.batch), machines)
    prompts = (prefill_workers or sp.workers).take(p.worker)
    fill = _side(asked, prompts.with_(batch=np.ones(len(p)), budget=p.budget), machines)
    one = serving.decoding(step.a, step.w, step.machine, step.draft)
    first = serving.prefilling(fill.a, fill.w, fill.machine)
    left, right = _only(step.w, KEPT).take(sp.decoder), _only(fill.w, (*PREFILLED, "budget")).take(sp.prefiller)
    device = _only(step.machine.device, ("capacity", "out_bandwidth", "up_bandwidth")).take(sp.decoder)
    sent = step.cache(step.w.input_tokens)[sp.decoder] * step.w.tp[sp.decoder] / np.minimum(left.tp, right.tp)
    rows = left.with_(
        apart=sp.apart.astype(float), budget=right.budget, load=np.full(len(sp), asked.load),
        transfer=np.where(sp.apart, sent / way(device), 0.0),
        **{f"prefill_{name}": right[name] for name in PREFILLED},
    )  # fmt: skip
    s = serving.together(one.take(sp.decoder), first.take(sp.prefiller), rows)
    seen, share = serving.arrivals(s, rows), asked.serve.percentile
    held, prefill_held = step.held(step.w.batch, asked.serve.max_tokens), fill.held(p.budget / fill.w.input_tokens, p.budget)
    return Served(
        rows, s, seen.ttft_at(share) if share else seen.ttft, seen.tpot_at(share) if share else seen.tpot, s.ttft,
        s.output_rate * rows.adp, rows.prefill_adp / s.prompt, {k: v[sp.decoder] for k, v in held.items()},
        {k: v[sp.prefiller] for k, v in prefill_held.items()}, device.capacity,
    )  # fmt: skip


@dataclass(frozen=True)
class _Side:
    """One half of a space, as the model wants it (n rows each)."""

    a: Columns
    size: Columns
    w: Columns
    machine: Machine
    draft: Draft | None
    beside: dict[str, tuple[Array, Array]]
    """Bytes that are held besides, and of those a token in the cache."""

    def cache(self, tokens: Array) -> Array:
        """Bytes of cache of a request on one device (n,)."""
        return transformer.kv_bytes(self.a, self.w, tokens)

    def held(self, requests: Array, chunk: Array | float) -> dict[str, Array]:
        """Bytes on one device by part (n,) with so many requests in flight, half done."""
        each = serving.context(self.w)
        tokens = requests * each
        held = memory.serving(self.size, requests * self.cache(each + memory.BLOCK / 2), self.w, np.minimum(tokens, chunk))
        return held | {name: fixed + a_token * tokens for name, (fixed, a_token) in self.beside.items()}


def _side(asked: Asked, rows: Columns, machines: Machine) -> _Side:
    serve = asked.serve
    w = estimate.as_pass(rows)
    zero = np.zeros(len(w), int)
    table, sizes = estimate.architecture_table([asked.architecture])
    a, size = table.take(zero), sizes.take(zero)
    draft, beside = None, {}
    if serve.speculation:
        share, guesses = np.full(len(w), serve.speculation.acceptance), np.full(len(w), float(serve.speculation.tokens))
        if asked.draft:
            small, small_size = (c.take(zero) for c in estimate.architecture_table([asked.draft]))
        else:
            small = layer_of(a)
            small_size = size.with_(layers=size.layers / a.num_layers, experts=size.experts / a.num_layers, embeddings=0.0 * zero)
        draft = Draft(small, guesses, share)
        beside["draft"] = (memory.weights(small_size, w), transformer.kv_bytes(small, w, np.ones(len(w))))
    if serve.adapters:
        beside["adapters"] = (serve.adapters.count * serve.adapters.rank * adapter_width(a) * 2 / w.tp / w.pp, 0.0 * zero)
    return _Side(a, size, w, machines.take(w.setting), draft, beside)


def _only(columns: Columns, names: Sequence[str]) -> Columns:
    """What many pairs need of them: taking a column costs as much as working with it."""
    return Columns({name: columns[name] for name in names if name in columns}, length=len(columns))


def way(device: Columns) -> Array:
    """Bytes/s a device sends a cache by to another instance: the network outside, else the one inside."""
    return np.where(np.isfinite(device.out_bandwidth), device.out_bandwidth, device.up_bandwidth)


def _total(held: dict[str, Array]) -> Array:
    return np.asarray(np.sum(list(held.values()), axis=0))


def _instances(wanted: Array, node: Array, size: Array) -> Array:
    """Instances (N,) for so many replicas: several of these in one, or one in several of those."""
    return np.ceil(wanted / np.maximum(1.0, np.floor(node / size)) - 1e-9) * np.maximum(1.0, np.ceil(size / node))


def _held_by(instances: Array, node: Array, size: Array) -> Array:
    """Replicas (N,) in so many instances."""
    return np.floor(instances / np.maximum(1.0, np.ceil(size / node))) * np.maximum(1.0, np.floor(node / size))
