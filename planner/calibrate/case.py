"""One fit to make of a law, and what studies share to set it up.

The formula is fitted first, on points drawn from four fifths of the groups; then its surface, if the law has one, to what
the formula leaves of all points of those groups. The error is that on the groups held out of both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from planner.calibrate.fit import Fitted, Range, held_out, solve
from planner.calibrate.surface import bend
from planner.model.columns import Array, Columns
from planner.model.surface import Axes, Surfaces, factor, table

Predict = Callable[[Columns, Columns], Array]


@dataclass(frozen=True)
class Case:
    """One fit to make: its law and variant, points, seconds, groups held out together, and how the formula predicts.

    axes: knots of the law's surface, none where it has none; sizes: where on it each point lies.
    note: what a reader should know of the points.
    """

    law: str
    variant: str
    points: Columns
    seconds: Array
    groups: Array
    ranges: Mapping[str, Range]
    predict: Predict
    axes: Axes = field(default_factory=dict)
    sizes: Mapping[str, Array] = field(default_factory=dict)
    note: str = ""

    def run(self) -> Fitted:
        """Fit it."""
        held = held_out(self.groups)
        found = solve(self.predict, self.points, self.seconds, self.ranges, held)
        if not self.axes:
            return found
        left = np.log(self.seconds / self.formula(found))
        seen = {name: values[~held] for name, values in self.sizes.items()}
        surface = bend(self.axes, seen, left[~held], self.groups[~held])
        off = np.abs(self.bent(surface) / np.exp(left) - 1)[held]
        error, median = float(off.mean()), float(np.median(off))
        return replace(
            found, points=int((~held).sum()), held_out_error=error, held_out_median=median, surface=surface,
            formula_error=found.held_out_error,
        )  # fmt: skip

    def formula(self, found: Fitted) -> Array:
        """Seconds of every point (N,) by the formula alone."""
        return self.predict(self.points, Columns(found.coefficients, length=len(self.points)))

    def off(self, coefficients: Mapping[str, float], surface: tuple[int, ...]) -> Array:
        """Absolute relative error of every point (N,) with coefficients and a surface from elsewhere."""
        time = self.predict(self.points, Columns(coefficients, length=len(self.points)))
        return np.abs(time * (self.bent(surface) if surface else 1.0) / self.seconds - 1)

    def bent(self, surface: tuple[int, ...]) -> Array:
        """The factor that a surface puts on every point (N,)."""
        one = Surfaces(table(self.axes, surface)[None], np.zeros(len(self.points), int))
        return factor(self.axes, self.sizes, one)


def predictor(defaults: Mapping[str, float], device: Columns, time: Callable[[Columns, Columns, Columns], Array]) -> Predict:
    """The law with the device's one row spread over the points, and what is not fitted at its default."""

    def predict(points: Columns, coefficients: Columns) -> Array:
        spread = Columns({name: np.full(len(points), device[name][0]) for name in device}, length=len(points))
        fixed = {name: value for name, value in defaults.items() if name not in coefficients}
        return time(points, spread, coefficients.with_(**fixed))

    return predict


def alike(*columns: Array) -> Array:
    """A number for each row (N,), the same where all ``columns`` are: groups to be held out whole."""
    return np.unique(np.stack(columns), axis=1, return_inverse=True)[1].reshape(-1)
