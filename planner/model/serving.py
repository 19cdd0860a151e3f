"""Serving a transformer: the time of a prefill, of a decode step, and what a batch of requests makes of them.

Everything is (N,) columns. ``w`` holds input_tokens, output_tokens and what a pass needs (``transformer.forward``).
"""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.memory import CHUNK
from planner.model.operation import Machine
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
    """One pass over ``batch`` whole prompts."""
    causal = np.asarray(a.causal) > 0
    context = np.where(causal, w.input_tokens / 2, w.input_tokens)
    p = w.with_(batch=batch, query=w.input_tokens, context=context, cached=w.input_tokens, logits=batch)
    return run(transformer.forward(a, p, decode=False), machine).plus("overhead", machine.laws["engine"].prefill_step)


def decode(a: Columns, w: Columns, machine: Machine, batch: Array, context: Array) -> Pass:
    """One step that gives each of ``batch`` sequences a token after ``context`` tokens."""
    p = w.with_(batch=batch, query=np.ones(len(w)), context=context, cached=context, logits=batch)
    return run(transformer.forward(a, p, decode=True), machine).plus("overhead", machine.laws["engine"].decode_step)


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
    return np.maximum(1.0, np.minimum(w.batch, np.floor(CHUNK / w.input_tokens)))


def _admission(machine: Machine) -> Array:
    """Time (N,) [s] a request takes to reach the engine's first pass over it."""
    return machine.laws["engine"].request


WAVES = 10.0  # requests a client sends in a benchmark run: InferenceMAX and others use --num-prompts = 10 × concurrency


def closed_loop(service: Service, w: Columns) -> Array:
    """Mean TTFT (N,) [s] of a benchmark in which ``w.batch`` clients each send WAVES requests, one after another.

    All clients start at once: the first wave's prompts queue up behind each other, half of them on average. Later ones come
    as others finish: each waits for the step under way, and behind the prompts that came during it.
    """
    each = service.prefill.seconds / _prompts(w)
    burst = (w.batch - 1) / 2 * each
    rho = np.minimum(0.95, w.batch / w.output_tokens * each / service.tpot)
    later = rho / (2 * (1 - rho)) * each + service.tpot / 2
    return service.ttft + burst / WAVES + later * (1 - 1 / WAVES)


def arrivals(service: Service, w: Columns) -> Array:
    """Mean TTFT (N,) [s] under Poisson arrivals at the replica's load ``w.load`` (0 to 1 of its capacity).

    Prompts queue for the share of time the engine gives to prefill: an M/D/1 queue (Pollaczek-Khinchine) whose
    server is busy with prefill a share rho of the time, plus half a decode step until the scheduler looks.
    """
    each = service.prefill.seconds / _prompts(w)
    rho = np.minimum(0.99, w.load * w.batch / w.output_tokens * each / service.tpot)
    return service.ttft + rho / (2 * (1 - rho)) * each + service.decode.seconds / 2
