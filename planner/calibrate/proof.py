"""Predictions of whole networks held against what they took: errors, intervals, how often those held."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.calibrate.whole import Predicted, machine, predict
from planner.schema.measurement import Cell, Record, Trial

SPREAD = {"grid": 0.05, "replay": 0.06}
"""Standard deviation of the logarithm of predicted over measured that networks have in common, beyond what their operations
leave unsure."""
ALIKE = {"grid": 0.6, "replay": 1.0}
"""How much of what operations of one group leave unsure is theirs in common, and not evened out in a network's sum. Both made
the 80 % interval hold 24 of 30 networks on the 2-core machine (2026-11-27), and from the grid 25 of the 30 of the day before."""
EIGHTY = 1.2816  # standard deviations either way that hold 80 % of a normal distribution


@dataclass(frozen=True)
class Way:
    """One prediction: seconds, relative error, and the interval that should hold eight of ten [s]."""

    seconds: float
    error: float
    low: float
    high: float
    unsure: float
    parts: dict[str, float]
    sources: dict[str, float]


@dataclass(frozen=True)
class Line:
    """A network: what it took [s], and what was predicted from the grid and from its own operations."""

    name: str
    measured: float
    grid: Way | None
    replay: Way | None


@dataclass(frozen=True)
class Summary:
    """Absolute relative errors over all networks: median, mean, worst; median signed error; intervals that held."""

    count: int
    median: float
    mean: float
    worst: float
    bias: float
    held: int


@dataclass(frozen=True)
class Proof:
    """Everything ``planner bench verify`` prints."""

    record: str
    device: str
    lines: tuple[Line, ...]
    grid: Summary | None
    replay: Summary | None
    drift: float
    failures: dict[str, str]


def proof(record: Record, trials: Sequence[Trial]) -> Proof:
    """Predict every trial from the record, and from the record with the trials' own cells added."""
    good = [t for t in trials if not t.failure]
    cells: tuple[Cell, ...] = tuple(c for t in good for c in t.cells)
    plain, full = machine(record), machine(replace(record, cells=(*record.cells, *cells))) if cells else None
    lines = []
    for t in good:
        grid = _way(predict(plain, t.traced, replay=False), t.measured, "grid")
        own = _way(predict(full, t.traced, replay=True), t.measured, "replay") if full else None
        lines.append(Line(t.traced.name, t.measured, grid, own))
    failures = {t.traced.name: t.failure for t in trials if t.failure}
    drift = max((t.drift for t in good), default=1.0)
    summaries = (
        _summary([w for line in lines if (w := line.grid)], lines),
        _summary([w for line in lines if (w := line.replay)], lines),
    )
    return Proof(record.id, record.device.name, tuple(lines), *summaries, drift, failures)


def _way(p: Predicted, measured: float, tier: str) -> Way:
    wide = EIGHTY * float(np.hypot(ALIKE[tier] * p.unsure, SPREAD[tier]))
    low, high = p.seconds * np.exp(-wide), p.seconds * np.exp(wide)
    return Way(p.seconds, p.seconds / measured - 1, float(low), float(high), p.unsure, dict(p.parts), dict(p.sources))


def _summary(ways: list[Way], lines: list[Line]) -> Summary | None:
    if not ways:
        return None
    errors = np.array([w.error for w in ways])
    held = sum(w.low <= line.measured <= w.high for w, line in zip(ways, lines, strict=True))
    off = np.abs(errors)
    return Summary(len(ways), float(np.median(off)), float(off.mean()), float(off.max()), float(np.median(errors)), held)
