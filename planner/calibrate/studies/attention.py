"""Prefill attention in 16 bits over full contexts: layouts of heads are held out whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.model.columns import Array, Columns
from planner.model.ops import attention

RANGES = {"e": Range(0.6, 0.05, 1.1), "e_b": Range(0.7, 0.1, 1.2), "t0": Range(5e-6, 5e-7, 5e-5), "kv0": Range(64, 1e-3, 1000)}


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case."""
    chosen = (table["dtype"] == "bf16") & (table["cache_dtype"] == "bf16") & (table["window"] == 0) & (table["query"] > 1)
    t = {name: values[chosen] for name, values in table.items()}
    moved = 2 * t["batch"] * t["query"] * t["dim"] * (2 * t["heads"] + 2 * t["kv_heads"])
    points = Columns(
        batch=t["batch"], heads=t["heads"], query=t["query"], context=t["past"] + t["query"] / 2, dim=t["dim"], moved=moved
    )
    predict = predictor(attention.COEFFICIENTS, device.with_(peak_half=peaks["bf16"]), _time)
    layouts = alike(t["heads"], t["kv_heads"], t["dim"])
    yield Case("attention", "default", points, t["seconds"], layouts, RANGES, predict)


def _time(p: Columns, device: Columns, c: Columns) -> Array:
    return attention.time(p, p.moved, device, c)
