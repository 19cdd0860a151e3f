"""A single configuration of a serving system, simulated request by request and answered by the queueing law."""

from dataclasses import dataclass

import numpy as np

from planner.errors import InputError
from planner.model import memory
from planner.model.columns import Array, Columns, product
from planner.model.families import transformer
from planner.model.operation import Machine
from planner.model.passes import run
from planner.model.serving import decode
from planner.model.simulation import QUANTILES, Engine, Queue, Requests, Steady, named, queue, simulate
from planner.schema.inputs import Subject
from planner.search import estimate
from planner.search.assumed import joined
from planner.search.machines import USUAL_STACKS, Find, Setting, arithmetic, in_fp8_blocks, machine, weakest
from planner.search.options import Tick

PREFERRED = ("fp8", "bf16", "fp16", "int8", "fp32")


@dataclass(frozen=True)
class Configuration:
    """What is simulated: one replica of ``tp`` devices."""

    precision: str = ""
    tp: int = 1
    max_batch: int = 256
    budget: int = 8192


@dataclass(frozen=True)
class Outcome:
    """What each request saw, in seconds, and what the replica did; the queueing answer where there is one for such traffic."""

    precision: str
    requests: int
    rate: float
    """Requests a second served."""
    output_tokens_per_s: float
    utilisation: float
    steps: int
    ttft: dict[str, float]
    tpot: dict[str, float]
    e2e: dict[str, float]
    queue: Queue | None
    evidence: str


@dataclass(frozen=True)
class Replica:
    """The tables of one replica, what it computes in, what they stand on and the tokens a request may have."""

    engine: Engine
    precision: str
    evidence: str
    longest: int


def replica(c: Configuration, subject: Subject, find: Find) -> Replica:
    """InputError where the model does not generate, the device does not compute in that precision, or it does not fit."""
    device, workload = subject.device, subject.workload
    if workload.architecture is None or not workload.architecture.causal:
        raise InputError(f"'{workload.id}' does not generate text, so there is no serving of it to simulate")
    precision = c.precision or next((p for p in PREFERRED if arithmetic(device, p)), "")
    if not arithmetic(device, precision):
        raise InputError(f"{device.name} has no published peak for '{precision}'")
    if workload.architecture.num_heads % c.tp:
        raise InputError(f"tp {c.tp} does not divide {workload.architecture.num_heads} heads")
    system = joined(device, subject.system) if c.tp > 1 else subject.system
    blocks = in_fp8_blocks(workload.architecture)
    machines, found = machine([Setting(device, system, precision, USUAL_STACKS["serve"], blocks=blocks)], find)
    table, sizes = estimate.architecture_table([workload.architecture])
    code = np.array([estimate.PRECISIONS.index(precision)])
    one = estimate.with_precision(Columns(tp=float(c.tp), pp=1.0, adp=1.0, ep=1.0, fused=1.0, length=1), code)
    with np.errstate(all="ignore"):
        fixed = memory.serving(sizes, np.zeros(1), one, np.array([float(c.budget)]))
        free = memory.usable(machines.device.capacity) - fixed["weights"] - fixed["activations"]
        each = transformer.kv_bytes(table, one, np.ones(1))
        cache = float(free[0] / each[0])
        if not cache > 1:
            needs = float(fixed["weights"][0] + fixed["activations"][0]) / 1e9
            raise InputError(f"does not fit: {needs:.0f} GB of weights and activations a device leave no room for a cache")
        longest = workload.architecture.max_context
        tables = _tables(c, table, one, machines, cache, float(longest))
        return Replica(tables, precision, weakest(found[0], "matmul"), longest)


def _tables(c: Configuration, table: Columns, one: Columns, machines: Machine, cache: float, longest: float) -> Engine:
    batches = np.unique(np.concatenate([[1.0], np.geomspace(1, c.max_batch, 16).round()]))
    contexts = np.geomspace(16, max(32.0, longest), 12)
    pieces = np.unique(np.concatenate([[1.0], np.geomspace(16, c.budget, 12).round()]))
    pasts = np.concatenate([[0.0], np.geomspace(256, max(512.0, longest), 9)])

    def over(grid: Columns) -> tuple[Columns, Columns, Machine]:
        zero = np.zeros(len(grid), int)
        return table.take(zero), estimate.as_pass(one.take(zero)), machines.take(zero)

    grid = product(batch=batches, context=contexts)
    a, w, m = over(grid)
    step = decode(a, w, m, grid.batch, grid.context).seconds
    part = product(piece=pieces, past=pasts)
    a, w, m = over(part)
    n = np.ones(len(part))
    p = w.with_(batch=n, query=part.piece, context=part.past + part.piece / 2, cached=part.past + part.piece, logits=n)
    first = run(transformer.forward(a, p, decode=False), m).seconds + m.laws["engine"].prefill_step
    shape = (len(pieces), len(pasts))
    decoded = step.reshape(len(batches), len(contexts))
    return Engine(batches, contexts, decoded, pieces, pasts, first.reshape(shape), c.max_batch, c.budget, cache)


def drawn(requests: int, t: Steady, longest: int, seed: int) -> Requests:
    """Requests at random: gamma gaps of the traffic's burstiness (1 is Poisson), lognormal lengths where they vary.

    None is longer than the model allows.
    """
    if t.input + t.output > longest:
        raise InputError(f"a request of {t.input + t.output:,.0f} tokens is more than the model allows: {longest:,}")
    draw = np.random.default_rng(seed)
    gaps = draw.gamma(1 / t.burstiness, t.burstiness / t.rate, requests)
    output = np.minimum(_lengths(draw, t.output, t.output_cv, requests), longest - 1)
    return Requests(np.cumsum(gaps), np.minimum(_lengths(draw, t.input, t.input_cv, requests), longest - output), output)


def _lengths(draw: np.random.Generator, mean: float, cv: float, n: int) -> Array:
    sigma = np.sqrt(np.log1p(cv**2))
    return np.maximum(1, np.rint(draw.lognormal(np.log(mean) - sigma**2 / 2, sigma, n))).astype(int)


def outcome(r: Replica, requests: Requests, clients: int, steady: Steady | None, tick: Tick) -> Outcome:
    """Simulate; ``steady`` is the traffic that requests were drawn from, for which the queueing law has an answer too."""
    most = int((requests.input + requests.output).max())
    if most > r.longest:
        raise InputError(f"a request of {most:,} tokens is more than the model allows: {r.longest:,}")
    if most > r.engine.cache:
        raise InputError(f"a request of {most:,} tokens does not fit the cache, which holds {int(r.engine.cache):,}")
    served = simulate(r.engine, requests, clients, tick)
    answer = queue(r.engine, steady) if steady else None
    return Outcome(
        r.precision, len(served.ttft), len(served.ttft) / served.end, float(requests.output.sum()) / served.end,
        served.busy / served.end, served.steps, _spread(served.ttft), _spread(served.tpot), _spread(served.e2e), answer,
        r.evidence,
    )  # fmt: skip


def _spread(values: Array) -> dict[str, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return {}
    return {"mean": float(known.mean()), **{named(q): float(np.quantile(known, q)) for q in QUANTILES}}
