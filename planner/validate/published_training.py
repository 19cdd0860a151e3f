"""Published training runs of language models: each row's layout, what it does not say of it, and the step."""

import numpy as np
import pandas as pd

from planner.model import memory
from planner.model.columns import Array, Columns, product
from planner.model.policy import FULL
from planner.schema.claim import FUSED_LOSS, HALF_GRADIENTS, OVERLAPPED, UNBALANCED, WRITTEN
from planner.search import estimate
from planner.search.machines import Find
from planner.validate.rows import Rows, best_of
from planner.validate.translate import Translated, recomputed, virtual_stages, zero_stage

DEGREES = np.array([1, 2, 4, 8], float)
TRAITS = {
    "written": WRITTEN, "fused_loss": FUSED_LOSS, "overlapped": OVERLAPPED, "unbalanced": UNBALANCED,
    "half_gradients": HALF_GRADIENTS,
}  # fmt: skip


def step(r: Rows) -> dict[str, Array]:
    """A training step at the published layout; at the one that gives the most tokens where a row says nothing of it."""
    given = r.table[["tp", "pp", "cp"]].notna().any(axis=1).to_numpy() | (r.table["sharding"] != "").to_numpy()
    options = product(row=np.arange(len(r.table)), tp=DEGREES, pp=DEGREES, recompute=np.array([0, 1]))
    row = options.row.astype(int)
    plain = (options.tp == 1) & (options.pp == 1) & (options.recompute == 0)
    options = options.take(np.where(given[row], plain, options.tp * options.pp <= r.number("devices", 1.0)[row]))
    row = options.row.astype(int)
    free = ~given[row]
    said = {name: r.table[name].to_numpy()[row] for name in ("tp", "pp", "recompute", "sharding")}
    wide = r.repeated(
        row, tp=np.where(free, options.tp, said["tp"]), pp=np.where(free, options.pp, said["pp"]),
        recompute=np.where(free, np.array(["none", "full"])[options.recompute.astype(int)], said["recompute"]),
        sharding=np.where(free, "zero1", said["sharding"]),
    )  # fmt: skip
    found, fits = _steps(wide)
    best = best_of(row, np.where(fits, 1e15, 0.0) + np.nan_to_num(found["tokens_per_s"]), len(r.table))
    return {metric: values[best] for metric, values in found.items()}


def fits(t: Translated, find: Find) -> pd.DataFrame:
    """The training runs of a table with ``fits``: whether what each held at its layout is within its device's memory."""
    index = np.flatnonzero((t.table["task"] == "training") & (t.table["skip"] == ""))
    with np.errstate(all="ignore"):
        return t.table.iloc[index].assign(fits=_steps(Rows(t, index, find))[1])


def _steps(r: Rows) -> tuple[dict[str, Array], Array]:
    """Every metric of each row's layout, and whether it fits."""
    a, size = r.architectures()
    devices = r.number("devices")
    tp, pp, cp, ep = (r.number(name, 1.0) for name in ("tp", "pp", "cp", "ep"))
    dp = np.maximum(1.0, devices / (tp * pp * cp))
    micro = r.number("micro_batch", 1.0)
    batch = r.table["global_batch"].fillna(r.table["batch"]).to_numpy(float)
    batch = np.where(np.isnan(batch), micro * dp, batch)
    stage = np.array([zero_stage(text) for text in r.table["sharding"]], float)
    recompute = np.array([recomputed(*of) for of in zip(r.table["recompute"], r.table["stack"], strict=True)])
    virtual = np.array([virtual_stages(text) for text in r.table["notes"]])
    compiled = r.table["notes"].str.contains("compiled", regex=False).to_numpy()
    of = {name: r.of(stacks).astype(float) for name, stacks in TRAITS.items()}
    rows = r.base.with_(
        tp=tp, pp=pp, cp=cp, ep=np.minimum(ep, dp * cp * tp), dp=dp, virtual=np.where(pp > 1, virtual, 1.0), micro_batch=micro,
        num_micro=np.maximum(1.0, batch / (dp * micro)), sequence=r.number("sequence_length", 2048.0), zero_stage=stage,
        shard=_sharing(r, dp * cp, tp), recompute=recompute, fused=np.maximum(r.base.fused, compiled), flash=1 - of["written"],
        weight=np.maximum(r.base.weight, 1.0), fused_loss=np.maximum(of["fused_loss"], compiled), overlap=of["overlapped"],
        balanced=1 - of["unbalanced"], sp=_sequence_parallel(r), gradient=4 - 2 * of["half_gradients"],
    )  # fmt: skip
    rows = _fitted(r, a, size, rows)
    fits = sum(estimate.held(a, size, rows).values()) <= memory.trainable(r.machine.device)
    s = estimate.train(a, size, rows, r.machine)
    tokens = batch * rows.sequence
    full = r.machine.device.peak
    both = 6 * size.total * tokens + 3 * 4 * a.num_layers * a.num_heads * a.head_dim * rows.sequence * tokens
    model = np.where(r.table["notes"].str.contains("without the causal half"), both, s.model_flop)
    figures = {
        "tokens_per_s_per_device": tokens / s.seconds / devices, "tokens_per_s": tokens / s.seconds, "step_s": s.seconds,
        "mfu": model / s.seconds / devices / full, "model_tflops_per_device": s.model_flop / s.seconds / devices / 1e12,
        "samples_per_s": batch / s.seconds,
    }  # fmt: skip
    return figures, fits


RANK = 16.0  # of low-rank adapters, where a row does not say it
STATES = ("weights", "gradients", "optimizer", "vocabulary")
FULL_OF_STATES = 0.9  # of the memory: what leaves less for activations was no training of all parameters


def _fitted(r: Rows, a: Columns, size: Columns, rows: Columns) -> Columns:
    """With what a row does not say but the memory it ran in does.

    Low-rank adapters, where the states of all parameters would have taken all but a tenth of it; and, where activations would
    not have fitted, that they were moved to the host or computed again, whichever is faster.
    """
    had = memory.trainable(r.machine.device)
    said = r.table[["ref", "notes"]].agg(" ".join, axis=1).str.contains(r"\blora\b|\bpeft\b", case=False).to_numpy()
    held = estimate.held(a, size, rows)
    rows = rows.with_(lora_rank=np.where(said | (sum(held[n] for n in STATES) > FULL_OF_STATES * had), RANK, 0.0))
    over = (r.table["recompute"] == "").to_numpy() & (sum(estimate.held(a, size, rows).values()) > had)
    moved = rows.with_(offload_activations=np.where(over, 1.0, 0.0))
    again = rows.with_(recompute=np.where(over, FULL, rows.recompute))
    first, second = (estimate.train(a, size, p, r.machine).seconds for p in (moved, again))
    better = over & (first < second)
    return again.with_(
        offload_activations=np.where(better, 1.0, 0.0), recompute=np.where(better, rows.recompute, again.recompute)
    )


def _sequence_parallel(r: Rows) -> Array:
    """1, but where attention's scores are written and a row does not say so: stacks split norms over tensor ranks since then."""
    old = r.of(WRITTEN)
    said = r.table["recompute"].str.contains("sequence_parallel").to_numpy()
    return np.where(old & ~said, 0.0, 1.0)


def _sharing(r: Rows, ranks: Array, tp: Array) -> Array:
    """Data-parallel ranks that share one copy: all, or those of a slice where a row says that slices only sum gradients."""
    within = r.table["sharding"].str.contains("within a slice").to_numpy()
    return np.where(within, np.minimum(ranks, np.maximum(1.0, r.machine.device.up_size / tp)), ranks)
