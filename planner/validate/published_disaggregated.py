"""Published serving with prefill and decode on workers of their own."""

import re

import numpy as np

from planner.model import serving
from planner.model.columns import Array, Columns, product
from planner.model.operation import Machine
from planner.schema.claim import ACCEPTED, Apart
from planner.search import estimate
from planner.validate.published_serving import attention_ranks
from planner.validate.rows import Rows, best_of

WORKERS = re.compile(
    r"prefill: workers (\w+), tp (\w+), attention dp (\w+), moe tp \w+, moe ep (\w+), batch (\w+); "
    r"decode: workers (\w+), batch (\w+)"
)
USUAL_WORKERS = (4.0, 1.0)
"""Decode workers where a row does not say how many: of plain tensor ranks, and of ranks that attend apart."""
FILLED = np.geomspace(1.0, 1 / 64, 31)
FIRST_WAVE = 0.1
"""Share of a closed loop's requests that come all at once: the first of ten a client (``serving.closed_loop``). Decoding waits
for no prompts here, so that later ones do not end together.
"""
ENOUGH = 1.05  # times the requests there are: a batch is looked for in steps of 15 %


def disaggregated(r: Rows) -> dict[str, Array]:
    """Prefill and decode on workers of their own, in a closed loop of so many requests.

    As many of them decode as wait for no first token, as the workers take, or as the prefill workers keep supplied: the fullest
    batch that does not ask for more requests than those finish. What is not decoding waits for its first token. Ranks that
    attend apart all compute as many as the fullest of them, to whose CUDA graph the others are padded. Where a row's description
    fits several runs, the middle of them is estimated.
    """
    n = len(r.table)
    runs = _layouts(r)
    of = runs.row.astype(int)
    a, base, machine = r.architectures()[0].take(of), r.base.take(of), r.machine.take(of)
    isl, osl = (x[of] for x in r.requests())
    concurrency = r.number("concurrency", 1.0)[of]
    workers = np.minimum(runs.decoders, concurrency)
    most = np.fmin(runs.batch, np.maximum(1.0, concurrency / (workers * runs.adp)))
    one, beside, lanes, supply = _supply(a, base.with_(input_tokens=isl), machine, runs)
    first = one + beside + np.maximum(0.0, concurrency / lanes - 1) / 2 * one * FIRST_WAVE
    base = base.with_(input_tokens=isl, output_tokens=osl, tp=runs.tp, ep=runs.ep, adp=runs.adp, pp=np.ones(len(of)))
    base = base.with_(guesses=runs.guesses, acceptance=np.full(len(of), ACCEPTED))

    options = product(row=np.arange(len(of)), filled=FILLED)
    i = options.row.astype(int)
    batch = np.maximum(1.0, most[i] * options.filled)
    computed = np.where(runs.adp[i] > 1, np.maximum(1.0, most[i]), batch)
    s = estimate.serve(a.take(i), base.take(i).with_(batch=computed), machine.take(i), continuous=True)
    between = s.decode.seconds / s.tokens
    decoding = workers[i] * runs.adp[i] * batch
    finished = decoding / (osl[i] * between)
    fed = (finished <= supply[i]) & (decoding + finished * first[i] <= concurrency[i] * ENOUGH)
    best = best_of(i, np.where(fed | (options.filled == FILLED[-1]), batch, -batch), len(of))
    tpot, rate = between[best], finished[best]
    ttft = np.maximum(first, concurrency / rate - osl * tpot)
    found = {"tpot_s": tpot, "ttft_s": ttft, "output_tokens_per_s": rate * osl, "total_tokens_per_s": rate * (isl + osl)}
    ways = np.bincount(of, minlength=n)
    return {name: np.exp(np.bincount(of, np.log(x), n) / ways) for name, x in found.items()}


def _layouts(r: Rows) -> Columns:
    """How each row's run may have been laid out, a line each: ``row`` and the fields of ``claim.Apart``.

    As its notes say; as the benchmark's own files say of runs that its description fits; else so many decode workers as are
    usual, with guesses and without where either is as likely. What is not known of prefill workers is NaN.
    """
    lines: list[tuple[float, ...]] = []
    mixture = np.asarray(r.architectures()[0].num_experts) > 0
    tp, adp = attention_ranks(r, np.arange(len(r.table)), r.number("tp", 1.0), mixture)
    ep = np.minimum(tp * adp, np.maximum(r.number("ep", 1.0), np.where(adp > 1, adp, 1.0)))
    usual = np.where(adp > 1, USUAL_WORKERS[1], USUAL_WORKERS[0])
    guesses, may = r.guesses(), r.may_guess()
    for i, (noted, known) in enumerate(zip(_noted(r), r.table["runs"], strict=True)):
        if known:
            lines += [(i, 1.0, *run) for run in known]
            continue
        *prefill, prefill_batch, decoders, batch = noted
        workers = usual[i] if np.isnan(decoders) else decoders
        ways = (guesses[i], may[i]) if may[i] else (guesses[i],)
        lines += [(i, prefill_batch, *prefill, workers, tp[i], adp[i], ep[i], batch, way) for way in ways]
    return Columns(dict(zip(("row", "prefill_batch", *Apart._fields), np.array(lines, float).T, strict=True)))


def _noted(r: Rows) -> Array:
    """What notes say of the workers (N, 7), in the order of WORKERS; NaN where they say nothing."""
    found = [WORKERS.search(text) for text in r.table["notes"]]
    numbers = [[float(x) if x.isdigit() else np.nan for x in m.groups()] if m else [np.nan] * WORKERS.groups for m in found]
    return np.array(numbers).reshape(-1, WORKERS.groups)


def _supply(a: Columns, rows: Columns, machine: Machine, runs: Columns) -> tuple[Array, Array, Array, Array]:
    """Seconds of a prefill and of the host beside it, how many run side by side, and requests a second that they finish: infinite
    where the number of prefill workers is not said.
    """
    ranks, tp, batch = (np.maximum(1.0, np.nan_to_num(runs[x], nan=1.0)) for x in ("prefill_adp", "prefill_tp", "prefill_batch"))
    ep = np.minimum(tp * ranks, np.maximum(np.nan_to_num(runs.prefill_ep, nan=1.0), np.where(ranks > 1, ranks, 1.0)))
    rows = rows.with_(tp=tp, ep=ep, adp=ranks, pp=np.ones(len(rows)), batch=batch)
    first = serving.prefill(a, estimate.as_pass(rows), machine, batch)
    one, lanes = first.seconds, np.nan_to_num(runs.prefillers, nan=1.0) * ranks * batch
    return one, serving.admission(first, machine), lanes, np.where(np.isnan(runs.prefillers), np.inf, lanes / one)
