"""Prefill attention, over full contexts and windows: layouts of heads are held out whole.

"default" computes and keeps its cache in 16 bits; "fp8" keeps it in fp8, and computes in fp8 where the table has that.
A fit is of one library's kernels, the one that most rows of the table come from: what another one times for a few odd
layouts (FlashInfer, heads of 512 and windows of 1,024) starts and skips otherwise.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.model.columns import Array, Columns
from planner.model.ops import attention

RANGES = {
    "e": Range(0.6, 0.05, 2.4), "e_b": Range(0.3, 0.02, 1.2), "t0": Range(5e-6, 5e-7, 2e-4), "kv0": Range(64, 1e-3, 1000),
    "w": Range(0.3, 1e-3, 1), "v": Range(100, 1e-3, 5000), "h": Range(1.5, 1, 10), "f": Range(0.6, 0.1, 1.5),
}  # fmt: skip


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case a precision of the cache."""
    many, narrow = (table["query"] > 1) & usual(table), table["cache_dtype"] == "fp8"
    computed = narrow & (table["dtype"] == "fp8")
    for variant, kind in (
        ("default", (table["dtype"] == "bf16") & (table["cache_dtype"] == "bf16")),
        ("fp8", computed if computed.any() else narrow),
    ):
        if not (many & kind).any():
            continue
        t = {name: values[many & kind] for name, values in table.items()}
        points = _points(t)
        predict = predictor(attention.COEFFICIENTS, device.with_(peak_half=peaks["bf16"]), _time)
        spread = Columns({name: np.full(len(points), device[name][0]) for name in device}, length=len(points))
        layouts, sizes = alike(t["heads"], t["kv_heads"], t["dim"]), attention.sizes(points, spread)
        yield Case("attention", variant, points, t["seconds"], layouts, RANGES, predict, attention.SURFACE, sizes)


def usual(table: Mapping[str, Any]) -> Array:
    """Mask (N,) of the rows of the library that most rows come from."""
    names, back, counts = np.unique(table["kernel"], return_inverse=True, return_counts=True)
    return np.asarray(names[np.argmax(counts)] == names[back])


def _points(t: Mapping[str, Any]) -> Columns:
    """Causal: a query sees all keys before it, or the last ones of a window that fills up first."""
    whole = t["past"] + t["query"]
    window = np.where(t["window"] > 0, t["window"], np.inf)
    ramp = np.minimum(whole, window)
    read = np.minimum(whole, ramp + t["query"])
    context = np.where(window < whole, ramp * (1 - ramp / (2 * whole)), t["past"] + t["query"] / 2)
    return Columns(
        batch=t["batch"], heads=t["heads"], query=t["query"], context=context, longest=ramp, dim=t["dim"], products=1.0,
        windowed=(window < whole).astype(float),
        moved=4 * t["batch"] * t["dim"] * (t["heads"] * t["query"] + t["kv_heads"] * read),
    )  # fmt: skip


def _time(p: Columns, device: Columns, c: Columns) -> Array:
    return attention.time(p, p.moved, device, c)
