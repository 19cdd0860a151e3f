"""Least squares in log time with a soft-L1 loss: relative errors count, and a few wild points do not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, minimize

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
class Loss:
    """What an error counts (scipy.optimize.least_squares): below ``scale`` its square; beyond, its size ("soft_l1"), or hardly
    more the larger it is ("cauchy")."""

    scale: float = 0.1
    kind: str = "soft_l1"


@dataclass(frozen=True)
class Fitted:
    """Coefficients, how many points they were fitted on, and the mean and median absolute relative error on held-out ones."""

    coefficients: dict[str, float]
    points: int
    held_out_error: float
    held_out_median: float
    held_out_points: int
    surface: tuple[int, ...] = ()
    """What the formula leaves, over the knots of the law's surface; its error alone is ``formula_error``."""
    formula_error: float | None = None


def fit(predict: Predict, points: Columns, seconds: Array, ranges: Mapping[str, Range], groups: Array) -> Fitted:
    """Fit on four fifths of the ``groups`` (N,): shapes that belong together; measure the error on the rest."""
    return solve(predict, points, seconds, ranges, held_out(groups))


def held_out(groups: Array) -> Array:
    """Mask (N,) of a fifth of the ``groups`` (N,), drawn with a fixed seed."""
    kinds = np.unique(groups)
    return np.isin(groups, np.random.default_rng(SEED).permutation(kinds)[: max(1, len(kinds) // 5)])


def solve(
    predict: Predict, points: Columns, seconds: Array, ranges: Mapping[str, Range], held: Array, *, limit: int = 4000,
    pull: float = 0.0, loss: Loss = Loss(),
) -> Fitted:  # fmt: skip
    """Fit on the points that are not ``held`` (N,), at most ``limit`` of them drawn with a fixed seed; measure on the held.

    ``pull`` draws each coefficient to its start: the error that a logarithm of one away weighs as much as. It decides
    where the points do not say.
    """
    rng = np.random.default_rng(SEED)
    chosen = np.flatnonzero(~held)
    if len(chosen) > limit:
        chosen = rng.choice(chosen, limit, replace=False)
    names = list(ranges)
    train, target = points.take(chosen), np.log(seconds[chosen])

    def residuals(x: Array) -> Array:
        off = np.log(predict(train, _columns(names, x, len(train)))) - target
        return np.concatenate([off, pull * (x - start)]) if pull else np.asarray(off)

    low, high = (_squash(np.array([getattr(ranges[n], side) for n in names])) for side in ("low", "high"))
    start = _squash(np.array([ranges[n].start for n in names]))
    found = least_squares(residuals, start, bounds=(low, high), loss=loss.kind, f_scale=loss.scale, x_scale="jac", max_nfev=60)
    rest = points.take(held)
    ape = np.abs(predict(rest, _columns(names, found.x, len(rest))) / seconds[held] - 1)
    values = dict(zip(names, _stretch(found.x).tolist(), strict=True))
    return Fitted(values, len(chosen), float(ape.mean()), float(np.median(ape)), int(held.sum()))


SEED = 20241124
FLOOR = 1e-12


def _squash(x: Array) -> Array:
    """Coefficients span twelve orders of magnitude: the search moves in their logarithms."""
    return np.asarray(np.log(np.maximum(x, FLOOR)))


def _stretch(x: Array) -> Array:
    return np.asarray(np.where(np.exp(x) <= 2 * FLOOR, 0.0, np.exp(x)))


def _columns(names: list[str], x: Array, length: int) -> Columns:
    return Columns(dict(zip(names, _stretch(x), strict=True)), length=length)


TIMES = -1.0
"""Logarithm below which a coefficient is a time and not a share."""
AGAIN = 0.05
"""Times in the second start of a simplex, as a share of those in its first: far from where they belong it gets lost."""


def least(loss: Callable[[Array], float], ranges: list[Range]) -> Array:
    """Where the loss of the coefficients' logarithms is least, by a simplex within the ranges from each of two starts."""
    first = np.log([r.start for r in ranges])
    times = first < TIMES
    starts = [first, first + np.log(AGAIN) * times] if np.any(times) else [first]
    found = [_simplex(loss, ranges, start) for start in starts]
    return np.exp(min(found, key=loss))


def _simplex(loss: Callable[[Array], float], ranges: list[Range], start: Array) -> Array:
    step = np.where((start < TIMES) | (start > 0.1), 0.8, -0.4)  # times move up, shares down
    options = {
        "adaptive": True,
        "maxfev": 60 * len(ranges),
        "xatol": 0.01,
        "fatol": 1e-3,
        "initial_simplex": np.vstack([start, start + np.diag(step)]),
    }
    bounds = [(float(np.log(r.low)), float(np.log(r.high))) for r in ranges]
    return np.asarray(minimize(loss, start, method="Nelder-Mead", bounds=bounds, options=options).x)
