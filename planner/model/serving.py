"""Serving a transformer: the time of a prefill, of a decode step, and what a batch of requests makes of them.

Everything is (N,) columns. ``w`` holds input_tokens, output_tokens, pp and what a pass needs (``transformer.forward``); and
where requests differ, output_cv, the coefficient of variation of output_tokens. ``w.batch`` are the requests in flight. An engine
that captures decode steps as CUDA graphs pads their batch to the next of GRAPHS, or to ``w.graphs``, the largest it admits.
"""

from dataclasses import dataclass, replace

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.memory import CHUNK
from planner.model.operation import Machine, Op
from planner.model.passes import Pass, run
from planner.model.queueing import Traffic, Waits, waits
from planner.model.speculative import Draft


@dataclass(frozen=True)
class Service:
    """ttft, tpot [s], output_rate [output tokens/s of one replica], decode and prefill passes (N,).

    prompt: seconds of the replica that one prompt takes; tokens: how many a decode step gives each request.
    """

    ttft: Array
    tpot: Array
    output_rate: Array
    prefill: Pass
    decode: Pass
    prompt: Array
    tokens: Array


def prefill(a: Columns, w: Columns, machine: Machine, batch: Array) -> Pass:
    """``batch`` whole prompts: in one pass, or in as many as pieces of ``w.chunk`` tokens take where there is such a column.

    What the cache holds of them already (``w.prefix``, a share) is attended to but not computed again. Where an engine pads
    prompts (``w.padded`` [tokens]), it computes the padding too; logits are of the last token, or of each one (``w.every`` > 0).
    """
    causal = np.asarray(a.causal) > 0
    length = w.padded if "padded" in w else w.input_tokens
    new = _new(w, length)
    context = np.where(causal, length - new / 2, length)
    query = np.minimum(new, w.chunk) if "chunk" in w else new
    logits = batch * np.where(w.every > 0, query, 1.0) if "every" in w else batch
    p = w.with_(batch=batch, query=query, context=context, cached=length, logits=logits)
    ops = [*transformer.forward(a, p, decode=False), *_stages(a, p)]
    return run(ops, machine).plus("overhead", machine.laws["engine"].prefill_step).times(new / query)


def _stages(a: Columns, p: Columns) -> list[Op]:
    """Sends of hidden states from stage to stage of a pipeline."""
    if not np.any(p.pp > 1):
        return []
    volume = p.batch * p.query * a.hidden_size * p.activation / p.tp
    shape = {"ranks": np.full(len(p), 2.0), "volume": volume, "stride": p.tp * p.adp}
    return [Op("between stages", "collective", "communication", p.pp - 1, shape, np.zeros(len(p)), variant="send")]


def context(w: Columns) -> Array:
    """Tokens a request in flight has on average (N,): long outputs are in flight for longer."""
    spread = w.output_cv**2 if "output_cv" in w else 0.0
    return np.asarray(w.input_tokens + w.output_tokens * (1 + spread) / 2)


def _new(w: Columns, length: Array | None = None) -> Array:
    """Tokens (N,) of a prompt of ``length``, input_tokens if not given, that no cache holds: the last one is always computed."""
    length = w.input_tokens if length is None else length
    return np.maximum(1.0, length * (1 - w.prefix)) if "prefix" in w else length


def decode(a: Columns, w: Columns, machine: Machine, batch: Array, context: Array, draft: Draft | None = None) -> Pass:
    """One step that gives each of ``batch`` sequences a token after ``context`` tokens; with a draft, ``draft.tokens``."""
    p, ops = decode_operators(a, w, batch, context, draft)
    step = _with_others(run(ops, machine), w, machine).plus("overhead", _host(machine, batch))
    return step.and_(draft.guess(p, machine)) if draft else step


def _with_others(step: Pass, w: Columns, machine: Machine) -> Pass:
    """A step and the wait for the busiest of the ranks where ``w.adp`` of them attend apart."""
    share = machine.laws["engine"].apart
    return step.plus("waiting", step.seconds * (1 / share - 1) * (w.adp > 1)) if "adp" in w and np.any(share != 1) else step


def _host(machine: Machine, batch: Array) -> Array:
    """Time (N,) [s] that the host takes for a decode step of ``batch`` sequences."""
    engine = machine.laws["engine"]
    return np.asarray(engine.decode_step + engine.sequence * batch)


def decode_operators(
    a: Columns, w: Columns, batch: Array, context: Array, draft: Draft | None = None
) -> tuple[Columns, list[Op]]:
    """The columns of such a step's pass, and what it computes."""
    query = 1 + draft.guesses if draft else np.ones(len(w))
    whole = np.maximum(batch, np.minimum(_captured(batch), w.graphs)) if "graphs" in w else batch
    p = w.with_(batch=whole, attended=batch, query=query, context=context, cached=context, logits=whole * query)
    return p, [*transformer.forward(a, p, decode=True), *_stages(a, p)]


GRAPHS = np.array([*(2.0**i for i in range(9)), 384, *(2.0**i for i in range(9, 14))])
"""Batches whose decode steps are captured as CUDA graphs: what NVIDIA/TensorRT-LLM's docs/source/performance/perf-overview.md
(v1.0) has as cuda_graph_config, with padding."""


def _captured(batch: Array) -> Array:
    """The smallest captured batch (N,) that holds ``batch``, which is padded to it; larger ones than any stay as they are."""
    place = np.searchsorted(GRAPHS, np.ceil(batch - ROUNDING))
    return np.where(place < len(GRAPHS), GRAPHS[np.minimum(place, len(GRAPHS) - 1)], batch)


ROUNDING = 1e-6


def admission(first: Pass, machine: Machine) -> Array:
    """Time (N,) [s] that the host takes to bring a request to its first pass, and to launch that kernel by kernel: beside the
    device's time, and hidden behind the work of others but for whoever waits for this pass.
    """
    engine = machine.laws["engine"]
    return engine.request + engine.launch * first.launches


def static_batch(a: Columns, w: Columns, machine: Machine) -> Service:
    """``w.batch`` requests start and finish together: one prefill, then output_tokens - 1 decode steps.

    A step reads what the cache holds, half of the output on average; or where shapes are fixed (``w.static`` > 0) all it will.
    """
    first = prefill(a, w, machine, w.batch)
    done = np.where(w.static > 0, 1.0, 0.5) if "static" in w else 0.5
    step = decode(a, w, machine, w.batch, w.input_tokens + w.output_tokens * done)
    total = first.seconds + np.maximum(w.output_tokens - 1, 0) * step.seconds
    rate = w.batch * w.output_tokens / total
    ttft = first.seconds + admission(first, machine)
    return Service(ttft, step.seconds, rate, first, step, first.seconds / w.batch, np.ones(len(w)))


@dataclass(frozen=True)
class Decoding:
    """A decode step of one replica, and the tokens it gives each request (N,)."""

    step: Pass
    tokens: Array

    def take(self, index: Array) -> "Decoding":
        """Rows by index."""
        return Decoding(self.step.take(index), self.tokens[index])


@dataclass(frozen=True)
class Prefilling:
    """Prompts at one replica: a pass over as many as a step takes, seconds of the replica a prompt, and (N,) [s] in which one
    that comes alone has its pass behind it.
    """

    whole: Pass
    prompt: Array
    alone: Array

    def take(self, index: Array) -> "Prefilling":
        """Rows by index."""
        return Prefilling(self.whole.take(index), self.prompt[index], self.alone[index])


def decoding(a: Columns, w: Columns, machine: Machine, draft: Draft | None = None) -> Decoding:
    """A step of ``w.batch`` requests in flight; the stages of a pipeline each have a share of them under way."""
    batch = w.batch / w.pp
    step = decode(a, w, machine, batch, context(w), draft)
    if np.any(w.pp > 1):
        query = 1 + draft.guesses if draft else 1.0
        last = run([transformer.logits(a, w.with_(batch=batch, logits=batch * query))], machine).seconds
        step = step.plus("pipeline", _uneven(a, w, step.seconds, last, _host(machine, batch)))
    return Decoding(step, draft.tokens if draft else np.ones(len(w)))


def _uneven(a: Columns, w: Columns, step: Array, last: Array, host: Array) -> Array:
    """Time (N,) [s] by which a pipeline's round, each of its shares through each stage, is longer than one through all stages.

    Stages go at the pace of the slowest: one with a layer more where layers do not divide by their number, or the last,
    which has the ``last`` [s] of a pass, the logits, too. Every stage has a ``host`` [s] of its own for each share, which it
    can't hide: a share's next step is known once the last stage is done with it
    (https://github.com/NVIDIA/TensorRT-LLM/pull/3878).
    """
    layer = (step - host - last) / a.num_layers
    slowest = np.maximum(np.ceil(a.num_layers / w.pp) * layer, np.floor(a.num_layers / w.pp) * layer + last)
    return np.asarray(w.pp * (slowest + host) - step)


def prefilling(a: Columns, w: Columns, machine: Machine) -> Prefilling:
    """Prompts as a step takes them, ``w.budget`` tokens at most (CHUNK without such a column)."""
    many = _prompts(w)
    whole = prefill(a, w, machine, many)
    alone = prefill(a, w, machine, np.ones(len(w))) if np.any(many > 1) else whole
    each = whole.seconds
    if np.any(w.pp > 1):
        each = each + _uneven(a, w, each, np.zeros(len(w)), whole.parts["overhead"])
    return Prefilling(whole, each / many / w.pp, alone.seconds + admission(alone, machine))


def together(d: Decoding, p: Prefilling, w: Columns) -> Service:
    """A system of decoders and prefillers (N,): one and the same replica, or where ``w.apart`` is above 0 ones of their own,
    from which a request's cache takes ``w.transfer`` [s] to come over.

    Each token a request receives waits for one decode step of the whole batch and, in one replica, for the prefill of the
    share of the batch that is replaced meanwhile, batch / output_tokens. ttft is that of a request that comes alone.
    """
    step = d.step.seconds
    between = p.prompt * w.batch / w.output_tokens
    tpot = step / d.tokens + (np.where(w.apart > 0, 0.0, between) if "apart" in w else between)
    ttft = p.alone + step + (w.transfer if "transfer" in w else 0.0)
    return Service(ttft, tpot, w.batch / tpot, p.whole, d.step, p.prompt, d.tokens)


def continuous(a: Columns, w: Columns, machine: Machine, draft: Draft | None = None) -> Service:
    """``w.batch`` requests always in flight; finished ones are replaced at once, their prefill mixed into the steps."""
    return together(decoding(a, w, machine, draft), prefilling(a, _few(w), machine), w)


def _few(w: Columns) -> Columns:
    """Prompts of a pass are no more than the requests in flight."""
    return w.with_(budget=np.minimum(_budget(w), w.batch * _new(w)))


def _budget(w: Columns) -> Array:
    """Tokens of prompts that a step takes (N,)."""
    return w.budget if "budget" in w else np.full(len(w), CHUNK)


def _prompts(w: Columns) -> Array:
    """Prompts (N,) that one prefill pass takes."""
    return np.maximum(1.0, np.floor(_budget(w) / _new(w)))


def closed_loop(service: Service, w: Columns, machine: Machine) -> Array:
    """Mean TTFT (N,) [s] of a benchmark in which ``w.batch`` clients each send requests one after another.

    All clients start at once: the prompts of a burst queue up behind each other, half of them on average. Later ones come as
    others finish: each waits for the step under way, and behind the prompts that came during it. Ten requests a client, as
    InferenceMAX and others send, make a tenth of all a burst; an engine that lets prompts go first has all its requests end
    together, and every wave of them is one again (``burst`` of the law "engine", by software stack).
    """
    each = service.prompt
    burst = machine.laws["engine"].burst
    queue = (w.batch - 1) / 2 * each
    rho = np.minimum(0.95, w.batch / w.output_tokens * each / service.tpot)
    later = rho / (2 * (1 - rho)) * each + service.tpot / 2
    return service.ttft + queue * burst + later * (1 - burst)


def arrivals(service: Service, w: Columns) -> Waits:
    """What requests see that come at random to a system at the load ``w.load`` (0 to 1 of its capacity).

    Where they differ, ``w`` has burstiness and input_cv (``queueing.Traffic``). They queue for the replica, or for the
    prefiller where that is one of its own. tpot is that of the load's full steps.
    """
    apart = w.apart > 0 if "apart" in w else np.zeros(len(w), bool)
    rate = w.load * np.where(apart, 1 / service.prompt, w.batch / w.output_tokens / service.tpot)
    traffic = Traffic(rate, w.burstiness if "burstiness" in w else 1.0, w.input_cv if "input_cv" in w else 0.0)
    step = np.where(apart, 0.0, service.decode.seconds)
    attention = service.decode.parts.get("attention", np.zeros(len(w))) / service.decode.seconds
    crowd = attention / np.sqrt(np.maximum(1.0, w.batch)) / (1 - np.minimum(attention, 0.9))
    steps = (w.output_tokens - 1) / service.tokens
    found = waits(service.prompt, step, _new(w) / _budget(w), steps, traffic, crowd)
    beside = service.ttft - step - service.prompt
    cv = np.where(apart, crowd, found.tpot_cv)
    return replace(found, ttft=beside + found.ttft, least=beside + found.least, tpot=service.tpot, tpot_cv=cv)
