"""Decode attention over caches in 16 bits: layouts of heads are held out whole."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.model.columns import Columns
from planner.model.ops import decode_attention

RANGES = {
    "e_b": Range(0.8, 0.1, 1.2), "t0": Range(8e-6, 5e-7, 5e-5), "t_b": Range(4e-6, 1e-8, 1e-4), "t_1": Range(1.5e-6, 1e-8, 1e-4),
    "m": Range(0.3, 1e-3, 2), "t_s": Range(5e-6, 1e-8, 1e-4), "r": Range(4, 1, 64), "h": Range(1.5, 1, 6),
    "f": Range(0.6, 0.2, 1.2),
}  # fmt: skip


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case."""
    chosen = (table["dtype"] == "bf16") & (table["window"] == 0)
    t = {name: values[chosen] for name, values in table.items()}
    context = t["past"] + 1
    kv = 2 * 2 * t["batch"] * t["kv_heads"] * t["dim"] * context
    blocks, other = t["batch"] * t["kv_heads"], 4 * t["batch"] * t["heads"] * t["dim"]
    points = Columns(blocks=blocks, group=t["heads"] / t["kv_heads"], kv=kv, other=other, flop=np.zeros(len(kv)), hot=1.0)
    predict = predictor(decode_attention.COEFFICIENTS, device.with_(peak_half=peaks["bf16"]), decode_attention.time)
    layouts = alike(t["heads"], t["kv_heads"], t["dim"])
    yield Case("decode_attention", "default", points, t["seconds"], layouts, RANGES, predict)
