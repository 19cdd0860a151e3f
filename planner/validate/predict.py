"""Translated rows to estimates: one function a kind of measurement, each over all of its rows at once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.model import serving
from planner.model.columns import Array, Columns, product
from planner.model.families import network as network_family
from planner.model.passes import run
from planner.schema.claim import SERIAL
from planner.search import estimate
from planner.search.machines import Find
from planner.validate import published_training
from planner.validate.rows import Rows, best_of
from planner.validate.translate import SEQUENCES_WITHOUT_LENGTH, Translated

BATCHES = np.array([1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072], float)
DEGREES = np.array([1, 2, 4, 8, 16], float)
SCENARIOS = (
    "step", "offline", "server", "interactive", "singlestream", "multistream", "static_batch", "concurrency",
    "concurrency_disaggregated", "prefill", "decode", "single_thread", "multi_thread",
)  # fmt: skip
Predict = Callable[["Rows"], "dict[str, Array]"]


def predict(translated: Translated, find: Find) -> pd.DataFrame:
    """The table with ``estimate`` (NaN where there is none), ``evidence`` and the final ``skip``."""
    t = translated.table
    t["estimate"], t["evidence"], t["in_fit"] = np.nan, "", False
    t.loc[~t["scenario"].isin(SCENARIOS) & (t["skip"] == ""), "skip"] = "unknown scenario"
    kind = np.array(["transformer" if s.architecture else "network" for s in translated.subjects] or ["none"])
    of = kind[t["subject"].to_numpy()]
    training = (t["task"] == "training").to_numpy()
    open_ = (t["skip"] == "").to_numpy()
    loaded = t["scenario"].isin(["offline", "server", "interactive", "concurrency", "concurrency_disaggregated"]).to_numpy()
    text, net = of == "transformer", of == "network"
    for rows, function in (
        (text & training, published_training.step), (text & ~training & loaded, _loaded), (text & ~training & ~loaded, _alone),
        (net & training, _network_training), (net & ~training, _network),
    ):  # fmt: skip
        index = np.flatnonzero(rows & open_)
        if index.size:
            _fill(t, index, Rows(translated, index, find), function)
    first = (t["metric"] == "ttft_s").to_numpy()
    t["kind"] = np.select([net, training, first], ["network", "training", "first token"], "serving")
    t["in_fit"] = t["feeds"] & ~(net & training)
    missing = t["estimate"].isna() & (t["skip"] == "")
    t.loc[missing, "skip"] = "no estimate for the metric " + t.loc[missing, "metric"].str.slice(0, 40)
    return t


def _fill(t: pd.DataFrame, index: Array, rows: Rows, function: Predict) -> None:
    with np.errstate(all="ignore"):
        by_metric = function(rows)
    value = np.full(len(index), np.nan)
    for metric, estimates in by_metric.items():
        value = np.where(rows.table["metric"] == metric, estimates, value)
    good = np.isfinite(value) & (value > 0)
    of = t.index[index]
    t.loc[of, "estimate"] = np.where(good, value, np.nan)
    t.loc[of, "evidence"] = np.where(good, rows.evidence, "")


def _alone(r: Rows) -> dict[str, Array]:
    """A batch that starts and ends together: static batches, one stream's prefill or decode, encoders."""
    a, _ = r.architectures()
    isl, osl = r.requests()
    scenario = r.table["scenario"].to_numpy()
    isl = np.where(np.isnan(isl), np.where(a.causal, r.number("sequence_length"), SEQUENCES_WITHOUT_LENGTH), isl)
    osl = np.where(np.isnan(osl), 1.0, osl)
    one = np.where(scenario == "prefill", 1.0, osl)
    isl = np.where((scenario == "decode") & (isl < 1), 1.0, isl)
    serial = r.table["stack"].isin(SERIAL).to_numpy()
    batch = np.where(serial, 1.0, r.number("batch", 1.0))
    tp = np.where(serial, 1.0, _tensor_degree(r, a))
    n = np.ones(len(batch))
    rows = r.base.with_(batch=batch, input_tokens=isl, output_tokens=one, tp=tp, ep=n, pp=n, adp=n)
    s = estimate.serve(a, rows, r.machine, continuous=False)
    replicas = np.where(serial, 1.0, np.maximum(1.0, r.number("devices") / tp / r.number("pp", 1.0)))
    context = np.where(scenario == "decode", np.maximum(isl, osl), isl)
    return {
        "output_tokens_per_s": np.where(scenario == "decode", batch / s.tpot, s.output_rate) * replicas,
        "total_tokens_per_s": s.output_rate * (isl + osl) / osl * replicas,
        "prefill_tokens_per_s": batch * context / s.ttft * replicas,
        "samples_per_s": s.output_rate / one * replicas,
        "queries_per_s": s.output_rate / one * replicas,
        "ttft_s": s.ttft, "tpot_s": s.tpot, "latency_p50_s": s.ttft + (one - 1) * s.tpot,
    }  # fmt: skip


def _tensor_degree(r: Rows, a: Columns) -> Array:
    """tp as given; else all devices of a row that names no pipeline."""
    tp, devices, pp = r.number("tp"), r.number("devices"), r.number("pp", 1.0)
    alone = np.asarray(~a.causal)
    return np.where(np.isnan(tp), np.where(alone, 1.0, np.maximum(1.0, devices / pp)), tp)


def _loaded(r: Rows) -> dict[str, Array]:
    """Many requests at once: as many as fit, as the latency limits allow, or as a closed loop keeps in flight.

    Where a row does not say its tensor degree or batch, the ones that give the most tokens are taken, as whoever
    published the number will have tuned them.
    """
    n = len(r.table)
    options = product(row=np.arange(n), tp=DEGREES, batch=BATCHES)
    row = options.row.astype(int)
    given_tp, devices = r.number("tp"), r.number("devices")
    concurrency = r.number("concurrency")
    fits_tp = np.where(np.isnan(given_tp[row]), options.tp <= devices[row], options.tp == 1)
    fits_batch = np.isnan(concurrency[row]) | (options.batch == 1)
    options, row = options.take(fits_tp & fits_batch), row[fits_tp & fits_batch]
    tp = np.where(np.isnan(given_tp[row]), options.tp, given_tp[row])
    a, size = (c.take(row) for c in r.architectures())
    tp, adp = _attention_ranks(r, row, tp, np.asarray(a.num_experts) > 0)
    workers = np.where(r.table["scenario"].to_numpy()[row] == "concurrency_disaggregated", 2.0, 1.0)
    replicas = np.maximum(1.0, devices[row] / tp / workers)
    batch = np.where(np.isnan(concurrency[row]), options.batch, np.maximum(1.0, concurrency[row] / replicas))
    isl, osl = (x[row] for x in r.requests())
    ep = np.minimum(tp * adp, np.maximum(r.number("ep", 1.0)[row], np.where(adp > 1, adp, 1.0)))
    rows = r.base.take(row).with_(batch=batch, input_tokens=isl, output_tokens=osl, tp=tp, ep=ep, adp=adp, pp=np.ones(len(row)))
    machine = r.machine.take(row)
    most = np.where(np.isnan(concurrency[row]), estimate.most_requests(a, size, rows, machine), np.inf)
    most = np.where(np.isnan(most), np.inf, np.maximum(most, 1.0))  # what was published did run
    s = estimate.serve(a, rows, machine, continuous=True)
    apart = workers > 1
    tpot = np.where(apart, s.decode.seconds, s.tpot)
    ttft = np.where(np.isnan(concurrency[row]), s.ttft, serving.closed_loop(s, estimate.as_pass(rows)))
    late = (tpot > r.limits("tpot")[row]) | (s.ttft > r.limits("ttft")[row])
    rate = np.where((batch <= most) & ~late, batch / tpot * replicas, -1.0)
    best = best_of(row, rate, n)

    def pick(x: Array) -> Array:
        return np.where(rate[best] > 0, x[best], np.nan)

    return {
        "output_tokens_per_s": pick(rate), "total_tokens_per_s": pick(rate * (isl + osl) / osl),
        "samples_per_s": pick(rate / osl), "queries_per_s": pick(rate / osl), "ttft_s": pick(ttft), "tpot_s": pick(tpot),
    }  # fmt: skip


def _attention_ranks(r: Rows, row: Array, tp: Array, mixture: Array) -> tuple[Array, Array]:
    """Tensor degree of attention, and how many ranks attend to requests of their own while they share the experts.

    As a row's attention_dp says; or all of them, where its notes say that mixtures run so.
    """
    said = r.table["notes"].str.contains("MoE models run attention data parallel", regex=False).to_numpy()[row] & mixture
    adp = np.maximum(1.0, r.number("attention_dp", 1.0)[row])
    return np.where(said, 1.0, tp), np.where(said, tp, np.where(mixture, adp, 1.0))


def _network(r: Rows) -> dict[str, Array]:
    """A network summary: a batch at a time on each device; an FPGA's host threads each drive one of its cores."""
    summary = r.networks()
    batch = r.number("batch", 1.0)
    scenario = r.table["scenario"].to_numpy()
    alone = scenario == "single_thread"
    share = np.where(alone, 1 / np.maximum(1.0, r.machine.device.cores), 1.0)
    machine = replace(r.machine, device=r.machine.device.with_(peak=r.machine.device.peak * share))
    p = r.base.with_(batch=batch)
    seconds = run(network_family.forward(summary, p), machine).seconds
    rate = batch / seconds * r.number("devices")
    streams = np.where(scenario == "multistream", 8.0, batch)
    latency = seconds / batch * streams
    return {"samples_per_s": rate, "queries_per_s": rate, "latency_p50_s": latency, "Latency (ms)": latency * 1e3}


def _network_training(r: Rows) -> dict[str, Array]:
    """A training step of a network summary, data parallel."""
    summary = r.networks()
    batch = r.number("batch", 1.0)
    p = r.base.with_(batch=batch)
    seconds = run(network_family.step(summary, p), r.machine).seconds
    rate = batch / seconds * r.number("devices")
    return {"samples_per_s": rate, "step_s": seconds}
