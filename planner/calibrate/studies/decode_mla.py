"""Decode of multi-head latent attention, in DeepSeek-V3's widths: numbers of heads are held out whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.model.columns import Columns
from planner.model.ops import decode_mla

LATENT, ROTATED = 512, 64
RANGES = {
    "e": Range(0.4, 0.01, 1.2), "e_b": Range(0.7, 0.05, 1.2), "t0": Range(8e-6, 5e-7, 1e-4), "t_b": Range(4e-6, 1e-8, 1e-4),
    "t_s": Range(5e-6, 1e-8, 1e-4), "h": Range(1.5, 1, 6), "f": Range(0.6, 0.2, 1.2), "t_k": Range(1e-9, 1e-12, 1e-6),
}  # fmt: skip


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case, of caches in 16 bits."""
    chosen = (table["cache_dtype"] == "bf16") & (table["dtype"] == "bf16")
    t = {name: values[chosen] for name, values in table.items()}
    context = t["past"] + 1
    points = Columns(
        batch=t["batch"], heads=t["heads"], context=context, hot=1.0, kv=2 * (LATENT + ROTATED) * t["batch"] * context,
        other=2 * t["batch"] * t["heads"] * (2 * LATENT + ROTATED),
        flop=2 * t["batch"] * t["heads"] * context * (2 * LATENT + ROTATED),
    )  # fmt: skip
    predict = predictor(decode_mla.COEFFICIENTS, device.with_(peak_half=peaks["bf16"]), decode_mla.time)
    sizes = decode_mla.sizes(points)
    yield Case("decode_mla", "default", points, t["seconds"], alike(t["heads"]), RANGES, predict, decode_mla.SURFACE, sizes)
