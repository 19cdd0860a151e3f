"""Streams of bytes: how much of the memory's bandwidth copies, scales and triads reach, sizes held out whole."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.model.columns import Array, Columns
from planner.model.ops import stream

RANGES = {"e_b": Range(0.8, 0.02, 1.5), "t0": Range(3e-6, 1e-8, 1e-3)}
BEYOND = 2.0
"""Times the last cache from which a working set is memory's."""
SMALL = 1e5
"""Bytes up to which hardly more than the start of a call is timed."""


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case over working sets in memory, and those so small that they are all start."""
    cache = device.cache[0] if np.isfinite(device.cache[0]) else 0.0
    chosen = (table["bytes"] > BEYOND * cache) | (table["bytes"] < SMALL)
    if not (table["bytes"] > BEYOND * cache).any():
        return
    points = Columns(bytes=table["bytes"][chosen])
    predict = predictor(stream.COEFFICIENTS, device, _time)
    yield Case("stream", "default", points, table["seconds"][chosen], alike(points.bytes), RANGES, predict)


def _time(p: Columns, device: Columns, c: Columns) -> Array:
    return c.t0 + p.bytes / (device.bandwidth * c.e_b)
