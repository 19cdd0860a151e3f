"""Decode attention over full contexts, one fit a precision of the cache: layouts of heads are held out whole.

Windows are left out: before Blackwell their kernels take longer the more keys they hide. One library's kernels, as for prefill.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.calibrate.studies.attention import usual
from planner.model.columns import Columns
from planner.model.ops import decode_attention

RANGES = {
    "e_b": Range(0.8, 0.1, 1.2), "t0": Range(8e-6, 5e-7, 3e-4), "t_b": Range(4e-6, 1e-8, 1e-4), "t_1": Range(1.5e-6, 1e-8, 1e-4),
    "d": Range(0.5, 1e-3, 2), "m": Range(0.3, 1e-3, 2), "t_k": Range(1e-8, 1e-11, 1e-6), "p": Range(16, 1, 1000),
    "t_s": Range(5e-6, 1e-8, 1e-4), "r": Range(4, 1, 64), "h": Range(1.5, 1, 10), "f": Range(0.6, 0.2, 1.2),
    "t_h": Range(8e-6, 5e-7, 3e-4), "k": Range(16, 1, 256),
}  # fmt: skip
BYTES = {"default": ("bf16", 2.0), "fp8": ("fp8", 1.0)}


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case a precision of the cache: "default" is 16 bits."""
    for variant, (dtype, size) in BYTES.items():
        chosen = (table["dtype"] == dtype) & (table["window"] == 0) & usual(table)
        if not chosen.any():
            continue
        t = {name: values[chosen] for name, values in table.items()}
        context, blocks = t["past"] + 1, t["batch"] * t["kv_heads"]
        points = Columns(
            blocks=blocks, group=t["heads"] / t["kv_heads"], context=context, dim=t["dim"], flop=0.0, hot=1.0,
            kv=2 * size * blocks * t["dim"] * context, other=4 * t["batch"] * t["heads"] * t["dim"],
        )  # fmt: skip
        predict = predictor(decode_attention.COEFFICIENTS, device.with_(peak_half=peaks["bf16"]), decode_attention.time)
        spread = Columns({name: np.full(len(points), device[name][0]) for name in device}, length=len(points))
        layouts, sizes = alike(t["heads"], t["kv_heads"], t["dim"]), decode_attention.sizes(points, spread)
        yield Case("decode_attention", variant, points, t["seconds"], layouts, RANGES, predict, decode_attention.SURFACE, sizes)
