"""Collectives inside a node, one fit an operation and one for all of them: sizes of messages are held out whole.

The tables count a message in elements, which are half precision or int8: an int8 row of twice the elements takes as long
as the row in halves of the same bytes. Sums are taken in half precision only, as networks take them: a switch does not sum
int8. oneCCL's all-gather counts what each rank contributes, NCCL's what it receives: their bandwidths agree only so.
"""

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
BYTES = {"bf16": 2.0, "int8": 1.0}
SUMS = ("all_reduce", "reduce_scatter")
NAMES = {"alltoall": "all_to_all"}


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case an operation, and "default" for all of them."""
    kind = np.array([NAMES.get(str(op), str(op)) for op in table["op"]])
    size = np.array([BYTES.get(str(dtype), np.nan) for dtype in table["dtype"]])
    ranks, message = table["ranks"], table["message"] * size
    whole = message * np.where((table["kernel"] == "oneCCL") & (kind == "all_gather"), ranks, 1)
    wanted = np.isfinite(size) & ((size == BYTES["bf16"]) | ~np.isin(kind, SUMS)) & np.isin(kind, collective.KINDS)
    predict = predictor(collective.COEFFICIENTS, device, lambda p, d, c: collective.time(p.ranks, p.volume, p.bandwidth, c))
    volume = np.zeros(len(kind))
    for name in collective.KINDS:
        volume[kind == name] = collective.share(name, ranks[kind == name]) * whole[kind == name]
    for variant in ("default", *collective.KINDS):
        rows = wanted if variant == "default" else wanted & (kind == variant)
        if not rows.any():
            continue
        points = Columns(ranks=ranks[rows], volume=volume[rows], bandwidth=np.full(rows.sum(), device.up_bandwidth[0]))
        sizes = {"ranks": points.ranks, "volume": points.volume}
        seconds, groups = table["seconds"][rows], alike(message[rows])
        yield Case("collective", variant, points, seconds, groups, RANGES, predict, collective.SURFACE, sizes)
