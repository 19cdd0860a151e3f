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
from planner.schema.claim import (
    ALIKE,
    BOTH_COUNTED,
    CORES_APART,
    PAGED,
    PIECE,
    RESERVE_AFTER,
    RESERVED,
    SERIAL,
    SPREAD,
    STATIC,
    TURN,
    UNPACKS,
    WHOLE,
    WRITTEN,
)  # fmt: skip
from planner.search import estimate, networks
from planner.search.intervals import ACCELERATORS, About, Scenario, family_of
from planner.search.machines import Find
from planner.validate import published_disaggregated, published_serving, published_training
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
        (text & split, published_disaggregated.disaggregated), (text & ~training & ~loaded, _alone),
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
    serial = r.of(SERIAL)
    batch = np.where(serial, 1.0, r.number("batch", 1.0))
    cores = np.where(r.of(CORES_APART), _ranks_each(r), 1.0)
    devices, pp = r.number("devices", 1.0) * cores, np.where(serial, 1.0, r.number("pp", 1.0))
    tp = np.where(serial, 1.0, _tensor_degree(r, a, devices / pp))
    a = _whole_heads(a, tp).with_(window_layers=np.where(r.of(STATIC), 0.0, a.window_layers))  # but a mask in a fixed shape
    n = np.ones(len(batch))
    rows = r.base.with_(batch=batch, input_tokens=isl, output_tokens=one, tp=tp, ep=_expert_degree(r, a, tp), pp=pp, adp=n)
    rows = rows.with_(**_habits(r), padded=np.where(r.of(WHOLE), isl + one, isl))
    s = _waves(r, a, rows, _core(r.machine, cores))
    replicas = np.where(serial, 1.0, np.maximum(1.0, devices / tp / pp))
    context = np.where(scenario == "decode", np.maximum(isl, osl), isl)
    tokens = np.where(r.table["software"].str.contains(BOTH_COUNTED), (isl + osl) / osl, 1.0)
    return {
        "output_tokens_per_s": np.where(scenario == "decode", batch / s.tpot, s.output_rate) * replicas * tokens,
        "total_tokens_per_s": s.output_rate * (isl + osl) / osl * replicas,
        "prefill_tokens_per_s": batch * context / s.ttft * np.where(serial, _side_by_side(isl, devices), replicas),
        "samples_per_s": s.output_rate / one * replicas,
        "queries_per_s": s.output_rate / one * replicas,
        "ttft_s": s.ttft, "tpot_s": s.tpot / tokens, "latency_p50_s": s.prefill.seconds + (one - 1) * s.tpot,
    }  # fmt: skip


def _habits(r: Rows) -> dict[str, Array]:
    """What stacks do by themselves, as columns of a pass (n,)."""
    gpu = np.isfinite(r.machine.device.units)
    asked = list(zip(r.table["stack"], r.table["source"], strict=True))
    return {
        "chunk": np.where(r.of(SERIAL), PIECE, np.inf), "flash": np.where(r.of(WRITTEN), 0.0, 1.0),
        "static": r.of(STATIC) * 1.0, "every": r.of(WHOLE) * 1.0, "spread": r.of(SPREAD) * 1.0,
        "unpack": (r.of(UNPACKS) & gpu) * 1.0,
        "alike": np.array([key in ALIKE for key in asked], float),
    }  # fmt: skip


def _side_by_side(tokens: Array, devices: Array) -> Array:
    """How many devices compute at a time (n,), on average, while the pieces of a prompt follow each other through all of them."""
    pieces = np.ceil(tokens / PIECE)
    turn = TURN / PIECE
    full, left = np.floor(pieces / turn), pieces % turn
    steps = full * (turn + devices - 1) + np.where(left > 0, left + devices - 1, 0.0)
    return np.asarray(pieces * devices / steps)


def _waves(r: Rows, a: Columns, rows: Columns, machine: Machine) -> serving.Service:
    """The batch served: all at once; in engines that keep waiting what does not fit, so much at a time; and where they reserve
    what a request will need, so that none follows before one ends, in full waves and one of what is left.
    """
    batch = rows.batch
    most = np.minimum(batch, _fitting(r, rows, machine))
    s = _uncached(r, a, rows.with_(batch=most), machine, estimate.serve(a, rows.with_(batch=most), machine, continuous=False))
    left = np.where(r.of(RESERVED), batch % most, 0.0)
    if not left.any():
        return s
    rest = estimate.serve(a, rows.with_(batch=np.maximum(left, 1.0)), machine, continuous=False)
    seconds = np.floor(batch / most) * most / s.output_rate + np.where(left > 0, np.maximum(left, 1.0) / rest.output_rate, 0.0)
    return replace(s, output_rate=np.where(r.of(RESERVED), batch / seconds, s.output_rate))


def _fitting(r: Rows, rows: Columns, machine: Machine) -> Array:
    """How many requests of a batch run at a time (n,): as many as fit, in engines that keep the others waiting."""
    a, size = r.architectures()
    held = rows.with_(reserved=r.of(RESERVED) * 1.0, reserve_after=r.of(RESERVE_AFTER) * 1.0)
    most = estimate.most_requests(a, size, held, machine)
    waits = r.of(PAGED) & np.asarray(a.causal) & np.isfinite(most)
    return np.where(waits, np.maximum(most, 1.0), np.inf)  # what was published did run


def _ranks_each(r: Rows) -> Array:
    """Ranks of a device whose ranks are cores (n,): all of its cores, or where a row has so many fewer ranks to a device as make
    one of several cores each (AWS Neuron documentation, "Logical NeuronCore configuration"), those.
    """
    cores = r.machine.device.cores
    said = np.nan_to_num(r.number("tp") / r.number("devices", 1.0))
    return np.where((said > 1) & (cores % np.maximum(said, 1.0) == 0), said, cores)


def _core(machine: Machine, cores: Array) -> Machine:
    """What each of ``cores`` equal parts of a device has; that many more of them are joined, in one ring with the others."""
    device = machine.device
    parts = {name: device[name] / cores for name in ("peak", "peak_half", "vector", "bandwidth", "capacity")}
    return replace(machine, device=device.with_(**parts, up_size=device.up_size * cores))


def _uncached(r: Rows, a: Columns, rows: Columns, machine: Machine, s: serving.Service) -> serving.Service:
    """Where notes say that no cache is kept, each token takes a pass over all that came before it, or where shapes are fixed over
    all that will have.
    """
    without = r.table["notes"].str.contains("without kv cache", case=False).to_numpy()
    if not without.any():
        return s
    length = rows.input_tokens + rows.output_tokens * np.where(rows.static > 0, 1.0, 0.5)
    whole = rows.with_(input_tokens=length, padded=length)
    each = serving.prefill(a, estimate.as_pass(whole), machine, rows.batch).seconds
    return replace(
        s, tpot=np.where(without, each, s.tpot), output_rate=np.where(without, rows.batch / each, s.output_rate)
    )  # fmt: skip


def _tensor_degree(r: Rows, a: Columns, devices: Array) -> Array:
    """tp as given; else all ``devices`` that a row has for a stage of its pipeline."""
    tp = r.number("tp")
    return np.where(np.isnan(tp), np.where(np.asarray(~a.causal), 1.0, np.maximum(1.0, devices)), tp)


def _whole_heads(a: Columns, tp: Array) -> Columns:
    """Heads that ranks can share evenly: where they do not, as many more are computed that are empty."""
    many = a.num_kv_heads > tp  # fewer are copied to every rank
    kv_heads = np.where(many, np.ceil(a.num_kv_heads / tp) * tp, a.num_kv_heads)
    return a.with_(num_heads=np.ceil(a.num_heads / tp) * tp, num_kv_heads=kv_heads)


def _expert_degree(r: Rows, a: Columns, tp: Array) -> Array:
    """How many ways whole experts are dealt out (n,)."""
    return np.where(np.asarray(a.num_experts) > 0, np.minimum(r.number("ep", 1.0), tp), 1.0)


def _network(r: Rows) -> dict[str, Array]:
    """A network: a batch at a time on each device; an FPGA's host threads each drive one of its cores."""
    batch = published_batch(r)
    scenario = r.table["scenario"].to_numpy()
    ops = network_family.forward(r.networks(), r.base.with_(batch=batch))
    one = network_family.alone(ops, r.machine).seconds
    between = np.where(scenario == "single_thread", one, network_family.stream(ops, r.machine))
    return _rates(r, batch, between, one)


def _by_operations(r: Rows) -> dict[str, Array]:
    """A network operation by operation, every device a copy of it: passes that follow each other. Where all samples wait and no
    batch is said, the one of QUEUED_BATCHES that gives the most and fits."""
    batch, seconds = published_batch(r), np.full(len(r.table), np.nan)
    waiting = np.isnan(r.number("batch")) & r.table["scenario"].isin(["offline", "server"]).to_numpy()
    for workload, index in r.by_operations():
        base, machine = r.base.take(index).with_(ways=np.ones(len(index))), r.machine.take(index)
        for i, more in enumerate(QUEUED_BATCHES):
            some = np.where(waiting[index], more, batch[index])
            rows = base.with_(batch=some)
            took = networks.stream(workload, rows, machine)
            fits = sum(networks.held(workload, rows).values()) <= np.nan_to_num(machine.device.capacity, nan=np.inf)
            better = (fits & (some / took > batch[index] / seconds[index])) | (i == 0)
            seconds[index], batch[index] = np.where(better, took, seconds[index]), np.where(better, some, batch[index])
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


QUEUED_BATCHES = (64.0, 256.0, 1024.0, 2048.0)
TOGETHER = {"offline": 64.0, "server": 64.0, "multistream": 8.0}
"""Samples of a pass where a row does not say: a benchmark that queues as many as the machine takes; the eight samples of a
query of MLPerf's multistream (mlcommons/inference_policies, inference_rules.adoc, "Scenarios")."""


def published_batch(r: Rows) -> Array:
    """Samples a pass: the row's own, else TOGETHER, else one; of an overlay that works on several frames at least those."""
    asked = r.table["scenario"].map(TOGETHER).fillna(1.0).to_numpy(float)
    return np.maximum(np.where(np.isnan(r.number("batch")), asked, r.number("batch")), r.machine.device.frames)
