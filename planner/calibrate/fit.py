"""Least squares in log time with a soft-L1 loss: relative errors count, and a few wild points do not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from planner.model.columns import Array, Columns

Predict = Callable[[Columns, Columns], Array]
"""(points, coefficients) -> seconds."""


@dataclass(frozen=True)
class Range:
    """Where a coefficient starts and the bounds it stays within."""

    start: float
    low: float
    high: float


@dataclass(frozen=True)
class Fitted:
    """Coefficients, how many points they were fitted on, and the mean absolute relative error on held-out groups."""

    coefficients: dict[str, float]
    points: int
    held_out_error: float
    held_out_points: int


def fit(
    predict: Predict, points: Columns, seconds: Array, ranges: Mapping[str, Range], groups: Array, *, limit: int = 4000
) -> Fitted:
    """Fit on four fifths of the ``groups`` (shapes that belong together), measure the error on the rest.

    points (N,) columns, seconds (N,), groups (N,) integers. At most ``limit`` points feed the fit, drawn with a fixed seed.
    """
    rng = np.random.default_rng(20241124)
    kinds = np.unique(groups)
    held = np.isin(groups, rng.permutation(kinds)[: max(1, len(kinds) // 5)])
    chosen = np.flatnonzero(~held)
    if len(chosen) > limit:
        chosen = rng.choice(chosen, limit, replace=False)
    names = list(ranges)
    train, target = points.take(chosen), np.log(seconds[chosen])

    def residuals(x: Array) -> Array:
        return np.log(predict(train, _columns(names, x, len(train)))) - target

    low, high = (_squash(np.array([getattr(ranges[n], side) for n in names])) for side in ("low", "high"))
    start = _squash(np.array([ranges[n].start for n in names]))
    found = least_squares(residuals, start, bounds=(low, high), loss="soft_l1", f_scale=0.1, x_scale="jac", max_nfev=60)
    rest = points.take(held)
    ape = np.abs(predict(rest, _columns(names, found.x, len(rest))) / seconds[held] - 1)
    values = dict(zip(names, _stretch(found.x).tolist(), strict=True))
    return Fitted(values, len(chosen), float(ape.mean()), int(held.sum()))


FLOOR = 1e-12


def _squash(x: Array) -> Array:
    """Coefficients span twelve orders of magnitude: the search moves in their logarithms."""
    return np.asarray(np.log(np.maximum(x, FLOOR)))


def _stretch(x: Array) -> Array:
    return np.asarray(np.where(np.exp(x) <= 2 * FLOOR, 0.0, np.exp(x)))


def _columns(names: list[str], x: Array, length: int) -> Columns:
    return Columns(dict(zip(names, _stretch(x), strict=True)), length=length)
