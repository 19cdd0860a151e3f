"""Translated rows to estimates: one function a kind of measurement, each over all of its rows at once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.model import serving
from planner.model.columns import Array, Columns
from planner.model.families import network as network_family
from planner.model.operation import Machine
from planner.model.passes import run
from planner.schema.claim import CORES_APART, PAGED, PIECE, RESERVE_AFTER, RESERVED, SERIAL, WRITTEN
from planner.search import estimate, networks
from planner.search.intervals import ACCELERATORS, About, Scenario, family_of
from planner.search.machines import Find
from planner.validate import published_serving, published_training
from planner.validate.rows import Rows
from planner.validate.translate import SEQUENCES_WITHOUT_LENGTH, Translated

SCENARIOS = (
    "step", "offline", "server", "interactive", "singlestream", "multistream", "static_batch", "concurrency",
    "concurrency_disaggregated", "prefill", "decode", "single_thread", "multi_thread",
)  # fmt: skip
ASKED: dict[str, Scenario] = {
    **dict.fromkeys(("offline", "server", "interactive", "concurrency"), "load"), "concurrency_disaggregated": "apart",
    **dict.fromkeys(("static_batch", "decode", "singlestream", "multistream", "single_thread", "multi_thread"), "batch"),
    "prefill": "prefill", "step": "step",
}  # fmt: skip
"""How a published scenario asks for its work, as the intervals tell them apart."""
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
    split = (t["scenario"] == "concurrency_disaggregated").to_numpy()
    text, net, operations = of == "transformer", of == "network", translated.by_operations()
    summary = np.array([s.network is not None for s in translated.subjects] or [False])[t["subject"].to_numpy()]
    for rows, function in (
        (text & training, published_training.step), (text & loaded & ~split, published_serving.loaded),
        (text & split, published_serving.apart), (text & ~training & ~loaded, _alone),
        (net & training & summary, _network_training), (net & ~training & operations, _by_operations),
        (net & ~training & ~operations & summary, _network),
    ):  # fmt: skip
        index = np.flatnonzero(rows & open_)
        if index.size:
            _fill(t, index, Rows(translated, index, find), function)
    first = (t["metric"] == "ttft_s").to_numpy()
    on_chip = net & translated.of_device("kind").isin(ACCELERATORS).to_numpy()
    moe = np.array([bool(s.architecture and s.architecture.moe) for s in translated.subjects] or [False])
    t["architecture"] = np.where(of == "network", "network", np.where(moe[t["subject"].to_numpy()], "mixture", "dense"))
    t["kind"] = np.select([on_chip, net, training, first], ["accelerator", "network", "training", "first token"], "serving")
    t["about"] = pd.Series(_about(t, translated), index=t.index, dtype=object)
    t["in_fit"] = t["feeds"]
    missing = t["estimate"].isna() & (t["skip"] == "")
    t.loc[missing, "skip"] = "no estimate for the metric " + t.loc[missing, "metric"].str.slice(0, 40)
    return t


def _about(t: pd.DataFrame, translated: Translated) -> list[About]:
    """What each row is about, as far as errors depend on it."""
    family = [family_of(s.architecture) for s in translated.subjects]
    columns = (t["subject"], t["setting"], t["scenario"], t["stack"])
    kinds = [s.device.kind for s in translated.settings]
    return [
        About(kinds[setting] if setting >= 0 else "", family[subject], stack, ASKED.get(scenario, ""))
        for subject, setting, scenario, stack in zip(*columns, strict=True)
    ]


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
    rows = rows.with_(batch=np.minimum(batch, _fitting(r, rows)))
    flash = np.where(r.table["stack"].isin(WRITTEN), 0.0, 1.0)
    rows = rows.with_(chunk=np.where(serial, PIECE, np.inf), flash=flash)
    copies = np.where(r.table["stack"].isin(CORES_APART) & ~np.asarray(a.causal), r.machine.device.cores, 1.0)
    s = _uncached(r, a, rows, estimate.serve(a, rows, _a_core_each(r.machine, copies), continuous=False))
    replicas = np.where(serial, 1.0, np.maximum(1.0, r.number("devices") / tp / r.number("pp", 1.0))) * copies
    context = np.where(scenario == "decode", np.maximum(isl, osl), isl)
    pieces, through = np.ceil(isl / PIECE), r.number("devices", 1.0)
    side_by_side = np.where(serial, pieces * through / (pieces + through - 1), replicas)
    return {
        "output_tokens_per_s": np.where(scenario == "decode", batch / s.tpot, s.output_rate) * replicas,
        "total_tokens_per_s": s.output_rate * (isl + osl) / osl * replicas,
        "prefill_tokens_per_s": batch * context / s.ttft * side_by_side,
        "samples_per_s": s.output_rate / one * replicas,
        "queries_per_s": s.output_rate / one * replicas,
        "ttft_s": s.ttft, "tpot_s": s.tpot, "latency_p50_s": s.ttft + (one - 1) * s.tpot,
    }  # fmt: skip


def _fitting(r: Rows, rows: Columns) -> Array:
    """How many requests of a batch run at a time (n,): as many as fit, in engines that keep the others waiting."""
    a, size = r.architectures()
    after = r.table["stack"].isin(RESERVE_AFTER).to_numpy(float)
    most = estimate.most_requests(
        a, size, rows.with_(reserved=r.table["stack"].isin(RESERVED).to_numpy(float), reserve_after=after), r.machine
    )
    waits = r.table["stack"].isin(PAGED).to_numpy() & np.asarray(a.causal) & np.isfinite(most)
    return np.where(waits, np.maximum(most, 1.0), np.inf)  # what was published did run


def _a_core_each(machine: Machine, copies: Array) -> Machine:
    """What each of ``copies`` equal parts of a device has."""
    device = machine.device
    parts = {name: device[name] / copies for name in ("peak", "peak_half", "vector", "bandwidth", "capacity")}
    return replace(machine, device=device.with_(**parts))


def _uncached(r: Rows, a: Columns, rows: Columns, s: serving.Service) -> serving.Service:
    """Where notes say that no cache is kept, each token takes a pass over all that came before it."""
    without = r.table["notes"].str.contains("without kv cache", case=False).to_numpy()
    if not without.any():
        return s
    whole = rows.with_(input_tokens=rows.input_tokens + rows.output_tokens / 2)
    each = serving.prefill(a, estimate.as_pass(whole), r.machine, rows.batch).seconds
    return replace(
        s, tpot=np.where(without, each, s.tpot), output_rate=np.where(without, rows.batch / each, s.output_rate)
    )  # fmt: skip


def _tensor_degree(r: Rows, a: Columns) -> Array:
    """tp as given; else all devices of a row that names no pipeline."""
    tp, devices, pp = r.number("tp"), r.number("devices"), r.number("pp", 1.0)
    alone = np.asarray(~a.causal)
    return np.where(np.isnan(tp), np.where(alone, 1.0, np.maximum(1.0, devices / pp)), tp)


def _network(r: Rows) -> dict[str, Array]:
    """A network: a batch at a time on each device; an FPGA's host threads each drive one of its cores."""
    batch = published_batch(r)
    scenario = r.table["scenario"].to_numpy()
    ops = network_family.forward(r.networks(), r.base.with_(batch=batch))
    one = network_family.alone(ops, r.machine).seconds
    between = np.where(scenario == "single_thread", one, network_family.stream(ops, r.machine))
    return _rates(r, batch, between, one)


def _by_operations(r: Rows) -> dict[str, Array]:
    """A network operation by operation, every device a copy of it: passes that follow each other."""
    seconds = np.full(len(r.table), np.nan)
    batch = published_batch(r)
    for workload, index in r.by_operations():
        rows = r.base.take(index).with_(batch=batch[index], ways=np.ones(len(index)))
        seconds[index] = networks.stream(workload, rows, r.machine.take(index))
    kept = np.where(r.table["scenario"] == "server", r.machine.laws["engine"].server, 1.0)
    return _rates(r, batch, seconds / kept, seconds)


def _rates(r: Rows, batch: Array, between: Array, one: Array) -> dict[str, Array]:
    """Metrics of passes of ``batch`` samples, ``between`` seconds apart, that take ``one`` each."""
    rate = batch / between * r.number("devices")
    return {"samples_per_s": rate, "queries_per_s": rate, "latency_p50_s": one, "Latency (ms)": one * 1e3}


def _network_training(r: Rows) -> dict[str, Array]:
    """A training step of a network, data parallel."""
    batch = r.number("batch", 1.0)
    seconds = run(network_family.step(r.networks(), r.base.with_(batch=batch)), r.machine).seconds
    rate = batch / seconds * r.number("devices")
    return {"samples_per_s": rate, "step_s": seconds}


TOGETHER = {"offline": 64.0, "server": 64.0, "multistream": 8.0}
"""Samples of a pass where a row does not say: a benchmark that queues as many as the machine takes; the eight samples of a
query of MLPerf's multistream (mlcommons/inference_policies, inference_rules.adoc, "Scenarios")."""


def published_batch(r: Rows) -> Array:
    """Samples a pass: the row's own, else TOGETHER, else one."""
    asked = r.table["scenario"].map(TOGETHER).fillna(1.0).to_numpy(float)
    return np.where(np.isnan(r.number("batch")), asked, r.number("batch"))
