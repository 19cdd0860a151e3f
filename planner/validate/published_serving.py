"""Published serving under load: what fits, what latency limits allow, closed loops."""

import numpy as np

from planner.model import serving
from planner.model.columns import Array, Columns, product
from planner.model.operation import Machine
from planner.schema.claim import ACCEPTED, ATTENDS_APART, RESERVED, UNPIECED
from planner.search import estimate
from planner.validate.rows import Rows, best_of

BATCHES = np.array([1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072], float)
DEGREES = np.array([1, 2, 4, 8, 16], float)
STAGES = np.array([1, 2, 4], float)
LOADS = np.arange(0.05, 1.0, 0.05)


def loaded(r: Rows) -> dict[str, Array]:
    """Many requests at once: as many as fit, as the latency limits allow, or as a closed loop keeps in flight.

    Where a row does not say its tensor degree or batch, the ones that give the most tokens are taken, and stages of a pipeline
    where those help, as whoever published the number will have tuned them.
    """
    n = len(r.table)
    options = product(row=np.arange(n), tp=DEGREES, pp=STAGES, batch=BATCHES)
    row = options.row.astype(int)
    given_tp, given_pp, devices = r.number("tp"), r.number("pp", 1.0), r.number("devices")
    concurrency = r.number("concurrency")
    fits_tp = np.where(np.isnan(given_tp[row]), options.tp * options.pp <= devices[row], options.tp * options.pp == 1)
    fits_batch = np.isnan(concurrency[row]) | (options.batch == 1)
    options, row = options.take(fits_tp & fits_batch), row[fits_tp & fits_batch]
    tp = np.where(np.isnan(given_tp[row]), options.tp, given_tp[row])
    pp = np.where(np.isnan(given_tp[row]), options.pp, given_pp[row])
    a, size = (c.take(row) for c in r.architectures())
    tp, adp = attention_ranks(r, row, tp, np.asarray(a.num_experts) > 0)
    replicas = np.maximum(1.0, devices[row] / (tp * pp))
    isl, osl = (x[row] for x in r.requests())
    ep = np.minimum(tp * adp, np.maximum(r.number("ep", 1.0)[row], np.where(adp > 1, adp, 1.0)))
    rows = r.base.take(row).with_(input_tokens=isl, output_tokens=osl, tp=tp, ep=ep, adp=adp, pp=pp)
    rows = rows.with_(reserved=r.of(RESERVED).astype(float)[row], unpieced=r.of(UNPIECED).astype(float)[row])
    machine = r.machine.take(row)
    most = np.where(np.isnan(concurrency[row]), estimate.most_requests(a, size, rows, machine), np.inf)
    most = np.where(np.isnan(most), np.inf, np.maximum(most, 1.0))  # what was published did run
    batch = np.where(np.isnan(concurrency[row]), np.minimum(options.batch, most), np.maximum(1.0, concurrency[row] / replicas))
    rows = rows.with_(guesses=r.guesses()[row], acceptance=np.full(len(row), ACCEPTED))
    rows = rows.with_(batch=batch, graphs=np.where(r.captured()[row], np.minimum(most, BATCHES[-1]), 0.0))
    s = estimate.serve(a, rows, machine, continuous=True)
    ttft = np.where(np.isnan(concurrency[row]), s.ttft, serving.closed_loop(s, estimate.as_pass(rows), machine))
    load = _load(s, estimate.as_pass(rows), r.limits("ttft")[row], r.limits("tpot")[row])
    queued = r.queued()[row] / replicas
    admitted = np.isinf(queued) | (options.batch == BATCHES[-1])  # who queues all at once has as many admitted as fit
    rate = np.where((load > 0) & admitted, load * _run(queued, batch, s, a, rows, machine) * replicas, -1.0)
    best = best_of(row, rate, n)

    def pick(x: Array) -> Array:
        return np.where(rate[best] > 0, x[best], np.nan)

    return {
        "output_tokens_per_s": pick(rate), "total_tokens_per_s": pick(rate * (isl + osl) / osl),
        "samples_per_s": pick(rate / osl), "queries_per_s": pick(rate / osl), "ttft_s": pick(ttft), "tpot_s": pick(s.tpot),
    }  # fmt: skip


def _load(s: serving.Service, w: Columns, ttft: Array, tpot: Array) -> Array:
    """The share of its capacity (N,) at which a system keeps limits of ttft and tpot [s] for 99 of 100 requests that come at
    random, as MLPerf's servers must; 1 where there are none, 0 where no load keeps them.
    """
    kept = np.where(np.isinf(ttft) & np.isinf(tpot), 1.0, 0.0)
    for load in LOADS:
        seen = serving.arrivals(s, w.with_(load=np.full(len(w), load)))
        kept = np.where((seen.ttft_at(0.99) <= ttft) & (seen.tpot_at(0.99) <= tpot), np.maximum(kept, load), kept)
    return kept


def _run(queued: Array, batch: Array, s: serving.Service, a: Columns, rows: Columns, machine: Machine) -> Array:
    """Output tokens a second of one replica that works off ``queued`` requests: full batches, and one of what is left over.

    Requests of one length that start together end together, so the last batch is as slow as a full one and seldom as full.
    """
    finite = np.flatnonzero(np.isfinite(queued))
    rate = batch / s.tpot
    if finite.size:
        n, b = queued[finite], batch[finite]
        full = np.floor(n / b)
        left = np.maximum(0.0, n - full * b)
        some = rows.take(finite).with_(batch=np.maximum(left, 1.0))
        last = estimate.serve(a.take(finite), some, machine.take(finite), continuous=True).tpot
        rate[finite] = n / (full * s.tpot[finite] + np.where(left > 0, last, 0.0))
    return rate


def attention_ranks(r: Rows, row: Array, tp: Array, mixture: Array) -> tuple[Array, Array]:
    """Tensor degree of attention, and how many ranks attend to requests of their own while they share the experts.

    As a row's attention_dp says; or all of them, where its notes say that mixtures run so.
    """
    said = r.table["notes"].str.contains(ATTENDS_APART, regex=False).to_numpy()[row] & mixture
    adp = np.maximum(1.0, r.number("attention_dp", 1.0)[row])
    return np.where(said, 1.0, tp), np.where(said, tp, np.where(mixture, adp, 1.0))
