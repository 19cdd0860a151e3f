"""Products: shapes (n, k) are held out whole, in every dtype that the table and the datasheet have."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.model.columns import Array, Columns
from planner.model.ops import matmul

BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "fp4": 0.5 + 1 / 16, "int8": 1.0}
"""Bytes a weight is stored in; fp4 with the scale of each 16."""
WHOLE = ("fp32", "bf16", "fp16")  # dtypes that nothing is quantised to
GIVEN = ("int8",)  # timed on activations that were quantised before (SmoothQuant, arXiv:2211.10438)
PLAIN = {
    "e": Range(0.85, 0.2, 1.2), "e_b": Range(0.8, 0.2, 1.2), "t0": Range(2.5e-6, 1e-7, 5e-5), "c": Range(10, 1e-3, 200),
    "k0": Range(100, 1e-3, 3000), "t_s": Range(1e-6, 1e-9, 2e-5), "e16": Range(0.5, 0.02, 1.5),
    "h": Range(1.5, 1, 6), "f": Range(0.6, 0.2, 1.2),
}  # fmt: skip
QUANTISED = {**PLAIN, "q": Range(1.0, 1e-3, 8), "t_q": Range(6e-6, 1e-8, 5e-5)}
START = 0.2  # how far, either way, the start of a quantised product may lie from that of a bf16 one on the same device


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case a dtype."""
    start = _fastest(table)
    near = Range(start, start * (1 - START), start * (1 + START))  # else it cannot be told from the start of quantising
    for dtype, size in BYTES.items():
        chosen = table["dtype"] == dtype
        if dtype not in peaks or not chosen.any():
            continue
        m, n, k = (table[x][chosen] for x in "mnk")
        wide = 4 if dtype == "fp32" else 2
        activation = (1 if dtype in GIVEN else wide) * m * k + wide * m * n
        points = Columns(m=m, n=n, k=k, groups=np.ones(len(m)), moved=activation + n * k * size, activation=activation, hot=1.0)
        predict = predictor(matmul.COEFFICIENTS, device.with_(peak=peaks[dtype]), _time)
        ranges = PLAIN if dtype in (*WHOLE, *GIVEN) else {**QUANTISED, "t0": near}
        yield Case(
            "matmul", dtype, points, table["seconds"][chosen], alike(n, k), ranges, predict, matmul.SURFACE, matmul.sizes(points)
        )


def _fastest(table: Mapping[str, Any]) -> float:
    """Time of the smallest bf16 products: hardly more than the start of a kernel [s]."""
    plain = table["seconds"][table["dtype"] == "bf16"]
    return float(np.quantile(plain if len(plain) else table["seconds"], 0.001))


def _time(p: Columns, device: Columns, c: Columns) -> Array:
    return matmul.time(p, p.moved + c.q * p.activation, device, c) + c.t_q
