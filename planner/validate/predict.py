"""Translated rows to estimates: one function a kind of measurement, each over all of its rows at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from planner.model import serving
from planner.model.columns import Array, Columns, product
from planner.model.families import network as network_family
from planner.model.operation import Machine
from planner.model.passes import run
from planner.schema.claim import FUSED, SERIAL, WRITTEN
from planner.search import estimate
from planner.search.machines import Find, machine, weakest
from planner.validate.translate import RECOMPUTE, SEQUENCES_WITHOUT_LENGTH, Translated, virtual_stages, zero_stage

BATCHES = np.array([1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072], float)
DEGREES = np.array([1, 2, 4, 8, 16], float)
SCENARIOS = (
    "step", "offline", "server", "interactive", "singlestream", "multistream", "static_batch", "concurrency",
    "concurrency_disaggregated", "prefill", "decode", "single_thread", "multi_thread",
)  # fmt: skip
Predict = Callable[["Rows"], "dict[str, Array]"]


class Rows:
    """Some rows of a table with everything about them as columns."""

    def __init__(self, translated: Translated, index: Array, find: Find) -> None:
        self.table = translated.table.iloc[index]
        self.subject = self.table["subject"].to_numpy()
        self._translated, self._find = translated, find
        settings = translated.settings
        table, self.found = machine(settings, find)
        self.setting = self.table["setting"].to_numpy()
        self.machine: Machine = table.take(self.setting)
        codes = np.array([estimate.PRECISIONS.index(s.precision) for s in settings])[self.setting]
        cache = np.array([s.quantised_cache for s in settings], bool)[self.setting]
        rows = Columns(fused=self.table["stack"].isin(FUSED).to_numpy(float), length=len(self.table))
        cheap = estimate.with_precision(rows, codes, quantised_cache=False)
        self.base = cheap.with_(kv=np.where(cache, estimate.with_precision(rows, codes).kv, cheap.kv))
        self.evidence = [weakest(self.found[i], *self._laws()) for i in self.setting]

    def _laws(self) -> tuple[str, ...]:
        first = self._translated.subjects[int(self.subject[0])] if len(self.subject) else None
        return ("matmul",) if first is None or first.architecture is not None else ("network",)

    def number(self, name: str, default: float = np.nan) -> Array:
        """A numeric column with ``default`` where it is empty."""
        return self.table[name].fillna(default).to_numpy(float)

    def architectures(self) -> tuple[Columns, Columns]:
        """Sizes and parameter counts of each row's transformer."""
        used, back = np.unique(self.subject, return_inverse=True)
        records = [self._translated.subjects[int(i)].architecture for i in used]
        a, size = estimate.architecture_table([r for r in records if r is not None])
        return a.take(back), size.take(back)

    def networks(self) -> Columns:
        """macs, parameters and activations of each row's network."""
        used, back = np.unique(self.subject, return_inverse=True)
        records = [self._translated.subjects[int(i)].network for i in used]
        numbers = [(r.macs.value, r.parameters.value, r.activations.value if r.activations else 0.0) for r in records if r]
        macs, parameters, activations = np.array(numbers).T
        return Columns(macs=macs, parameters=parameters, activations=activations).take(back)

    def requests(self) -> tuple[Array, Array]:
        """Input and output tokens: the row's own, else the benchmark's."""
        subjects = [self._translated.subjects[int(i)] for i in self.subject]
        of = [(s.requests.input_tokens, s.requests.output_tokens) if s.requests else (np.nan, np.nan) for s in subjects]
        given = np.array(of).reshape(-1, 2)
        isl, osl = self.number("input_tokens"), self.number("output_tokens")
        return np.where(np.isnan(isl), given[:, 0], isl), np.where(np.isnan(osl), given[:, 1], osl)

    def limits(self, which: Literal["ttft", "tpot"]) -> Array:
        """Latency limit of each row's scenario [s], infinite where it has none."""
        subjects = [self._translated.subjects[int(i)] for i in self.subject]
        found = []
        for subject, scenario in zip(subjects, self.table["scenario"], strict=True):
            limits = subject.requests.limits.get(scenario, {}) if subject.requests else {}
            found.append(limits.get(which, np.inf))
        return np.array(found, float)


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
        (text & training, _training), (text & ~training & loaded, _loaded), (text & ~training & ~loaded, _alone),
        (net & training, _network_training), (net & ~training, _network),
    ):  # fmt: skip
        index = np.flatnonzero(rows & open_)
        if index.size:
            _fill(t, index, Rows(translated, index, find), function)
    first = (t["metric"] == "ttft_s").to_numpy()
    t["kind"] = np.select([training, net, first], ["training", "network", "first token"], "serving")
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
    best = _best(row, rate, n)

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


def _best(row: Array, score: Array, n: int) -> Array:
    """For each of n rows the option with the highest score."""
    order = np.lexsort((-score, row))
    return order[np.searchsorted(row[order], np.arange(n))]


def _training(r: Rows) -> dict[str, Array]:
    """A training step at the published layout."""
    a, size = r.architectures()
    n = len(r.table)
    devices = r.number("devices")
    tp, pp, cp, ep = (r.number(name, 1.0) for name in ("tp", "pp", "cp", "ep"))
    dp = np.maximum(1.0, devices / (tp * pp * cp))
    micro = r.number("micro_batch", 1.0)
    batch = np.where(np.isnan(r.number("global_batch")), micro * dp, r.number("global_batch"))
    stage = np.array([zero_stage(text) for text in r.table["sharding"]], float)
    recompute = np.array([RECOMPUTE.get(text, 0) for text in r.table["recompute"]], float)
    virtual = np.array([virtual_stages(text) for text in r.table["notes"]])
    compiled = r.table["notes"].str.contains("compiled", regex=False).to_numpy()
    rows = r.base.with_(
        tp=tp, pp=pp, cp=cp, ep=np.minimum(ep, dp * cp * tp), dp=dp, virtual=np.where(pp > 1, virtual, 1.0), micro_batch=micro,
        num_micro=np.maximum(1.0, batch / (dp * micro)), sequence=r.number("sequence_length", 2048.0), zero_stage=stage,
        shard=_sharing(r, dp * cp, tp), recompute=recompute, gradient=np.full(n, 4.0), fused=np.maximum(r.base.fused, compiled),
        flash=1.0 - r.table["stack"].isin(WRITTEN).to_numpy(float),
        weight=np.maximum(r.base.weight, 1.0),
    )  # fmt: skip
    s = estimate.train(a, size, rows, r.machine)
    tokens = batch * rows.sequence
    full = r.machine.device.peak
    both = 6 * size.total * tokens + 3 * 4 * a.num_layers * a.num_heads * a.head_dim * rows.sequence * tokens
    model = np.where(r.table["notes"].str.contains("without the causal half"), both, s.model_flop)
    return {
        "tokens_per_s_per_device": tokens / s.seconds / devices, "tokens_per_s": tokens / s.seconds, "step_s": s.seconds,
        "mfu": model / s.seconds / devices / full, "model_tflops_per_device": s.model_flop / s.seconds / devices / 1e12,
        "samples_per_s": batch / s.seconds,
    }  # fmt: skip


def _sharing(r: Rows, ranks: Array, tp: Array) -> Array:
    """Data-parallel ranks that share one copy: all, or those of a slice where a row says that slices only sum gradients."""
    within = r.table["sharding"].str.contains("within a slice").to_numpy()
    return np.where(within, np.minimum(ranks, np.maximum(1.0, r.machine.device.up_size / tp)), ranks)


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
