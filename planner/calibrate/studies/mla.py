"""Prefill of multi-head latent attention, in DeepSeek-V3's widths: numbers of heads are held out whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.model.columns import Array, Columns
from planner.model.ops import mla

KEY, VALUE = 192, 128
"""Width of a head's keys (with the rotated part) and of its values."""
RANGES = {"e": Range(0.5, 0.02, 1.1), "e_b": Range(0.7, 0.05, 1.2), "t0": Range(1e-5, 5e-7, 1e-4), "kv0": Range(64, 1e-3, 1000)}


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case, of caches in 16 bits."""
    chosen = (table["cache_dtype"] == "bf16") & (table["dtype"] == "bf16") & (table["query"] > 1)
    t = {name: values[chosen] for name, values in table.items()}
    dim = (KEY + VALUE) / 2
    points = Columns(
        batch=t["batch"], heads=t["heads"], query=t["query"], context=t["past"] + t["query"] / 2, dim=dim,
        products=1.0,        moved=8 * t["batch"] * t["heads"] * t["query"] * dim,
    )  # fmt: skip
    predict = predictor(mla.COEFFICIENTS, device.with_(peak_half=peaks["bf16"]), _time)
    yield Case("mla", "default", points, t["seconds"], alike(t["heads"]), RANGES, predict, mla.SURFACE, mla.sizes(points))


def _time(p: Columns, device: Columns, c: Columns) -> Array:
    return mla.time(p, p.moved, device, c)
