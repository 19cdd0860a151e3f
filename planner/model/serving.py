"""Serving a transformer: the time of a prefill, of a decode step, and what a batch of requests makes of them.

Everything is (N,) columns. ``w`` holds input_tokens, output_tokens and what a pass needs (``transformer.forward``).
"""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.memory import CHUNK
from planner.model.operation import Machine, Op
from planner.model.passes import Pass, run


@dataclass(frozen=True)
class Service:
    """ttft, tpot [s], output_rate [output tokens/s of one replica], decode and prefill passes (N,)."""

    ttft: Array
    tpot: Array
    output_rate: Array
    prefill: Pass
    decode: Pass


def prefill(a: Columns, w: Columns, machine: Machine, batch: Array) -> Pass:
    """``batch`` whole prompts: in one pass, or in as many as pieces of ``w.chunk`` tokens take where there is such a column.

    What the cache holds of them already (``w.prefix``, a share) is attended to but not computed again.
    """
    causal = np.asarray(a.causal) > 0
    new = _new(w)
    context = np.where(causal, w.input_tokens - new / 2, w.input_tokens)
    query = np.minimum(new, w.chunk) if "chunk" in w else new
    p = w.with_(batch=batch, query=query, context=context, cached=w.input_tokens, logits=batch)
    one = run(transformer.forward(a, p, decode=False), machine).plus("overhead", machine.laws["engine"].prefill_step)
    return one.times(new / query)


def _new(w: Columns) -> Array:
    """Tokens of a prompt (N,) that no cache holds: the last one is always computed."""
    return np.maximum(1.0, w.input_tokens * (1 - w.prefix)) if "prefix" in w else w.input_tokens


def decode(a: Columns, w: Columns, machine: Machine, batch: Array, context: Array) -> Pass:
    """One step that gives each of ``batch`` sequences a token after ``context`` tokens."""
    engine = machine.laws["engine"]
    return run(decode_operators(a, w, batch, context), machine).plus("overhead", engine.decode_step + engine.sequence * batch)


def decode_operators(a: Columns, w: Columns, batch: Array, context: Array) -> list[Op]:
    """What such a step computes."""
    p = w.with_(batch=batch, query=np.ones(len(w)), context=context, cached=context, logits=batch)
    return transformer.forward(a, p, decode=True)


def static_batch(a: Columns, w: Columns, machine: Machine) -> Service:
    """``w.batch`` requests start and finish together: one prefill, then output_tokens - 1 decode steps."""
    first = prefill(a, w, machine, w.batch)
    step = decode(a, w, machine, w.batch, w.input_tokens + w.output_tokens / 2)
    total = first.seconds + np.maximum(w.output_tokens - 1, 0) * step.seconds
    return Service(first.seconds + _admission(machine), step.seconds, w.batch * w.output_tokens / total, first, step)


def continuous(a: Columns, w: Columns, machine: Machine) -> Service:
    """``w.batch`` requests always in flight; finished ones are replaced at once, their prefill mixed into the steps.

    Each token a request receives waits for one decode step of the whole batch and for the prefill of the share of the
    batch that is replaced meanwhile, batch / output_tokens. ttft is that of a request that comes alone.
    """
    together = _prompts(w)
    first = prefill(a, w, machine, together)
    step = decode(a, w, machine, w.batch, w.input_tokens + w.output_tokens / 2)
    tpot = step.seconds + first.seconds / together * w.batch / w.output_tokens
    alone = prefill(a, w, machine, np.ones(len(w)))
    return Service(_admission(machine) + alone.seconds + step.seconds, tpot, w.batch / tpot, first, step)


def _prompts(w: Columns) -> Array:
    """Prompts (N,) of continuous batching that one prefill pass takes."""
    return np.maximum(1.0, np.minimum(w.batch, np.floor(CHUNK / _new(w))))


def _admission(machine: Machine) -> Array:
    """Time (N,) [s] a request takes to reach the engine's first pass over it."""
    return machine.laws["engine"].request


def closed_loop(service: Service, w: Columns, machine: Machine) -> Array:
    """Mean TTFT (N,) [s] of a benchmark in which ``w.batch`` clients each send requests one after another.

    All clients start at once: the prompts of a burst queue up behind each other, half of them on average. Later ones come as
    others finish: each waits for the step under way, and behind the prompts that came during it. Ten requests a client, as
    InferenceMAX and others send, make a tenth of all a burst; an engine that lets prompts go first has all its requests end
    together, and every wave of them is one again (``burst`` of the law "engine", by software stack).
    """
    each = service.prefill.seconds / _prompts(w)
    burst = machine.laws["engine"].burst
    queue = (w.batch - 1) / 2 * each
    rho = np.minimum(0.95, w.batch / w.output_tokens * each / service.tpot)
    later = rho / (2 * (1 - rho)) * each + service.tpot / 2
    return service.ttft + queue * burst + later * (1 - burst)


def arrivals(service: Service, w: Columns) -> Array:
    """Mean TTFT (N,) [s] under Poisson arrivals at the replica's load ``w.load`` (0 to 1 of its capacity)."""
    each = service.prefill.seconds / _prompts(w)
    rate = w.load * w.batch / w.output_tokens / service.tpot
    alone = service.ttft - service.decode.seconds
    first, _ = poisson(each, service.decode.seconds, rate, _new(w) / CHUNK, w.output_tokens - 1)
    return alone - each + first


FULL = 0.99  # of the time in prefill, beyond which a queue has no end: kept finite, for what ranks by it


def poisson(each: Array, decode: Array, rate: Array, pieces: Array, further: Array) -> tuple[Array, Array]:
    """Mean TTFT and TPOT (N,) [s] of Poisson arrivals of equal requests, ``rate`` a second.

    each: a prompt's prefill [s], in ``pieces`` of what a step takes; decode: a step's decoding D [s]; further: tokens after
    the first. A step takes D and ``each`` for every prompt that arrived in the one before: L = D / (1 - rho) on average, with
    rho = rate each, and variance rate each^2 L / (1 - rho^2). A request waits for the rest of a step that is seen longer than
    average, E[L^2] / 2 E[L], and then sits in ``own``: the prompts that came beside it, its own, and a D for every piece.
    Prompts that came during ``own`` make the steps after it longer than average, those that come during its last step do not
    count any more: rho (own - L) / (1 - rho) over its further tokens. A queue of single prompts, each with its pieces' D,
    waits at least as M/D/1 does.
    """
    rho = np.minimum(rate * each, FULL)
    whole = np.maximum(1.0, np.ceil(pieces))
    step = decode / (1 - rho)
    seen = step + rho * each / (1 - rho**2)
    own = each * (1 + rate * seen) + whole * decode
    single = each + pieces * decode
    busy = np.minimum(rate * single, FULL)
    queued = busy * single / 2 / (1 - busy) + each + whole * decode
    late = np.maximum(0.0, np.maximum(own, queued) - step)
    return np.maximum(seen / 2 + own, queued), step + rho / (1 - rho) * late / np.maximum(further, 1.0)
