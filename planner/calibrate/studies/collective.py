"""Collectives inside a node: sizes of messages are held out whole."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.model.columns import Columns
from planner.model.ops import collective

RANGES = {
    "a": Range(5e-6, 1e-7, 1e-4), "b": Range(1e-6, 1e-9, 2e-5), "e_w": Range(0.7, 0.05, 1.2), "c": Range(1e-9, 1e-12, 1e-6),
    "g": Range(0.1, 1e-6, 3),
}  # fmt: skip


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case."""
    kind = np.where(table["op"] == "alltoall", "all_to_all", table["op"])
    volume = np.zeros(len(kind))
    for name in np.unique(kind):
        rows = kind == name
        volume[rows] = collective.share(str(name), table["ranks"][rows]) * table["message"][rows]
    points = Columns(ranks=table["ranks"], volume=volume, bandwidth=np.full(len(kind), device.up_bandwidth[0]))
    predict = predictor(collective.COEFFICIENTS, device, lambda p, d, c: collective.time(p.ranks, p.volume, p.bandwidth, c))
    yield Case("collective", "default", points, table["seconds"], alike(table["message"]), RANGES, predict)
