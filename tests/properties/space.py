"""Random but valid machines, models and layouts, as columns of N rows."""

import numpy as np
from hypothesis import strategies as st

from planner.model.columns import Columns, concat
from planner.model.operation import Machine
from planner.schema.workload import Architecture, Mla, Moe, Window
from tests.model.rows import columns, inference, layout, machine

UNIT = st.floats(0.1, 1.0)
LITTLE = st.floats(0.0, 1e-4)


def _one(draw: st.DrawFn, n: int, value: st.SearchStrategy[float]) -> np.ndarray:
    return np.array(draw(st.lists(value, min_size=n, max_size=n)), float)


@st.composite
def machines(draw: st.DrawFn, n: int, *, ideal: bool = False) -> Machine:
    """Devices joined by links at least as fast inside a node as outside; efficiencies up to 1. ``ideal``: no fixed times."""
    of = lambda value: _one(draw, n, value)  # noqa: E731
    peak, out = of(st.floats(1e12, 5e15)), of(st.floats(1e9, 1e11))
    size = of(st.sampled_from([1.0, 4.0, 8.0, 72.0]))
    device = {
        "peak": peak, "peak_half": peak * of(st.sampled_from([0.25, 0.5, 1.0])), "bandwidth": of(st.floats(1e10, 1e13)),
        "capacity": of(st.floats(8e9, 3e11)), "cache": of(st.sampled_from([np.nan, 5e7])),
        "units": of(st.sampled_from([np.nan, 8.0, 80.0, 132.0])), "out_bandwidth": out,
        "up_bandwidth": out * of(st.floats(1, 50)), "up_size": size,
        "systolic": of(st.sampled_from([np.nan, 128.0])), "up_peers": of(st.sampled_from([0.0, 1.0])) * (size - 1),
    }  # fmt: skip
    zero = st.just(0.0)
    time, count, share = (zero, zero, st.just(1.0)) if ideal else (LITTLE, st.floats(0, 200), UNIT)
    product = {"e": share, "e_b": share, "t0": time, "c": count, "k0": count, "t_s": time, "e16": share}
    kinds = {
        "matmul": product | {"t_q": time, "q": st.floats(0, 2)},
        "experts": product | {"i": share, "t_r": time, "z": st.floats(0, 1), "y": st.floats(0, 2)},
        "mla": {"e": share, "e_b": share, "t0": time, "kv0": count},
        "decode_mla": {"e": share, "e_b": share, "t0": time, "t_b": time, "t_s": time, "t_k": st.just(0.0)},
        "attention": {"e": share, "e_b": share, "t0": time, "kv0": count, "w": UNIT, "h": st.floats(1, 5), "f": UNIT},
        "decode_attention": {
            "e_b": share,
            "e": share,
            "t0": time,
            "t_b": time,
            "t_s": time,
            "d": UNIT,
            "p": st.sampled_from([1.0, 8.0, 1000.0]),
            "t_k": zero if ideal else st.floats(0, 1e-7),
        },
        "stream": {"e_b": share, "t0": time},
        "collective": {"a": time, "b": time, "e_w": share, "c": st.floats(0, 1e-8) if not ideal else zero},
        "network": {"e": share, "e_a": share, "e_w": share, "t0": time, "t1": time},
        "engine": {"prefill_step": time, "decode_step": time, "training_step": time, "compute": share, "attention": share},
    }
    return machine(n, fits={law: {k: of(v) for k, v in c.items()} for law, c in kinds.items()}, **device)


@st.composite
def architectures(draw: st.DrawFn, kinds: tuple[str, ...]) -> Architecture:
    """One of the kinds: dense, moe, mla, window."""
    heads = draw(st.sampled_from([8, 16, 32]))
    layers = draw(st.sampled_from([4, 8, 24]))
    kind = draw(st.sampled_from(kinds))
    chosen, shared = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([0, 512]))
    moe = Moe(draw(st.sampled_from([8, 64])), chosen, 1024, shared_ffn_size=shared)
    return Architecture(
        hidden_size=heads * 64, num_layers=layers, num_heads=heads, num_kv_heads=draw(st.sampled_from([1, 2, 8])), head_dim=64,
        ffn_size=heads * 64 * 4, vocab_size=draw(st.sampled_from([1000, 128_000])), max_context=131_072,
        gated_ffn=draw(st.booleans()), tied_embeddings=draw(st.booleans()),
        moe=moe if kind == "moe" else None,
        mla=Mla(512, 256, 64, 32, 64) if kind == "mla" else None, window=Window(512, layers // 2) if kind == "window" else None,
    )  # fmt: skip


@st.composite
def models(draw: st.DrawFn, n: int, kinds: tuple[str, ...] = ("dense", "moe", "mla", "window")) -> tuple[Columns, Columns]:
    """Architecture and size columns of n models."""
    made = [columns(draw(architectures(kinds))) for _ in range(n)]
    return concat([a for a, _ in made]), concat([size for _, size in made])


@st.composite
def requests(draw: st.DrawFn, n: int) -> Columns:
    """Rows of a serving search."""
    of = lambda *values: _one(draw, n, st.sampled_from(values))  # noqa: E731
    tp = of(1.0, 2.0, 4.0, 8.0)
    return inference(
        n, tp=tp, expert_tp=tp, adp=1.0, batch=of(1.0, 3.0, 32.0, 512.0),
        fused=of(0.0, 1.0), weight=of(0.5, 1.0, 2.0), kv=of(1.0, 2.0),
        input_tokens=of(1.0, 100.0, 4000.0, 60_000.0), output_tokens=of(1.0, 100.0, 3000.0), load=of(0.1, 0.7),
    )  # fmt: skip


@st.composite
def layouts(draw: st.DrawFn, n: int) -> Columns:
    """Rows of a training search: data, tensor and pipeline degrees."""
    of = lambda *values: _one(draw, n, st.sampled_from(values))  # noqa: E731
    return layout(
        n, tp=of(1.0, 2.0, 8.0), pp=of(1.0, 2.0, 4.0), dp=of(1.0, 2.0, 8.0, 64.0), virtual=of(1.0, 2.0), fused=of(0.0, 1.0),
        micro_batch=of(1.0, 4.0), num_micro=of(1.0, 4.0, 16.0), sequence=of(512.0, 8192.0), zero_stage=of(0.0, 1.0, 2.0, 3.0),
        recompute=of(0.0, 1.0, 2.0),
    )  # fmt: skip
