"""Routed experts, tokens spread by a power law as routers do: layouts of experts are held out whole."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.calibrate.studies.matmul import BYTES, PLAIN, QUANTISED
from planner.model.columns import Array, Columns
from planner.model.ops import experts

OWN = {"i": Range(0.2, 1e-3, 3), "t_r": Range(1e-8, 1e-11, 1e-6)}


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case a dtype."""
    start = float(np.quantile(table["seconds"], 0.001)) / 2
    for dtype, size in BYTES.items():
        gated = ~np.array(["nongated" in k for k in table["kernel"]])
        chosen = (table["dtype"] == dtype) & (table["spread"] == "power_law_1.01") & gated
        if dtype not in peaks or not chosen.any():
            continue
        t = {name: values[chosen] for name, values in table.items()}
        inner, h = t["inner"] / t["tp"], t["hidden"]
        touched = t["experts"] * -np.expm1(t["tokens"] * np.log(np.maximum(1 - t["visits"] / t["experts"], 1e-12)))
        groups = np.maximum(1.0, touched / t["ep"])
        rows = t["tokens"] * t["visits"] / np.maximum(touched, 1.0)
        points = Columns(
            rows=rows, groups=groups, up=2 * inner, down=inner, hidden=h, ranks=t["ep"], quantise=1.0, hot=1.0,
            weights=3 * inner * h * groups * size, activations=2 * (2 * h + 3 * inner) * rows * groups,
        )  # fmt: skip
        layouts = alike(h, t["inner"], t["experts"], t["visits"])
        ranges = {**(PLAIN if dtype == "bf16" else QUANTISED), "t0": Range(start, start / 3, start * 2), **OWN}
        predict = predictor(experts.COEFFICIENTS, device.with_(peak=peaks[dtype]), _time)
        yield Case("experts", dtype, points, t["seconds"], layouts, ranges, predict)


def _time(p: Columns, device: Columns, c: Columns) -> Array:
    return experts.time(p, p.weights, p.activations, device, c)
