"""What a law's formula misses: a smooth factor on its time, tabulated over a few sizes.

The logarithm of the factor stands at the knots of a grid, between which it is interpolated linearly in the logarithm of each
size (a tensor product of hat functions). Beyond the outermost knots it stays what it is at the edge: there the formula decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from planner.model.columns import Array

Axes = Mapping[str, tuple[float, ...]]
"""Knots of a grid, each axis rising: size -> where the factor is tabulated. The last axis varies fastest in a table."""


@dataclass(frozen=True)
class Surfaces:
    """Tables of ln(factor) (S, knots), and which of them each row takes (N,)."""

    tables: Array
    index: Array

    def take(self, index: Array) -> "Surfaces":
        """Rows by index or mask; the tables are shared."""
        return Surfaces(self.tables, self.index[index])


UNIT = 1000
"""A fit holds its surface in whole thousandths of the logarithm of time."""


def knots(axes: Axes) -> int:
    """How many values a table over ``axes`` has."""
    return prod(len(values) for values in axes.values()) if axes else 0


def table(axes: Axes, thousandths: Sequence[int]) -> Array:
    """ln(factor) at every knot (knots,) of a surface as a fit holds it; ValueError where it has not one value a knot."""
    if len(thousandths) != knots(axes):
        raise ValueError(f"has a surface of {len(thousandths)} values, and this version of the law takes {knots(axes)}")
    return np.array(thousandths) / UNIT


def factor(axes: Axes, sizes: Mapping[str, Array], surfaces: Surfaces | None) -> Array:
    """What to multiply a law's time with (N,): 1 where its fit has no surface. ``sizes``: the axes' columns, each (N,)."""
    if surfaces is None:
        return np.ones(1)
    flat = surfaces.tables.reshape(-1)
    first, fractions, strides = _place(axes, sizes)
    first = first + surfaces.index * surfaces.tables.shape[1]
    values = [flat[first + offset] for offset in _offsets(strides)]
    for fraction in reversed(fractions):  # of the last axis first: neighbours in the list are neighbours along it
        values = [low + fraction * (high - low) for low, high in zip(values[::2], values[1::2], strict=True)]
    return np.asarray(np.exp(values[0]))


def corners(axes: Axes, sizes: Mapping[str, Array]) -> list[tuple[Array, Array]]:
    """The knots around each point, 2 to the number of axes: (index into a table (N,), weight (N,)); the weights sum to 1."""
    first, fractions, strides = _place(axes, sizes)
    weights = product(*((1 - fraction, fraction) for fraction in fractions))
    return [(first + offset, np.prod(w, axis=0)) for offset, w in zip(_offsets(strides), weights, strict=True)]


def _place(axes: Axes, sizes: Mapping[str, Array]) -> tuple[Array, list[Array], list[int]]:
    """The lowest knot around each point as an index into a table (N,); how far beyond it lies along each axis; strides."""
    first, fractions, strides = np.zeros(1, int), [], []
    stride = knots(axes)
    for name, at in axes.items():
        stride //= len(at)
        place = np.interp(np.log2(np.fmax(sizes[name], at[0])), np.log2(at), np.arange(len(at)))
        below = np.minimum(place.astype(int), len(at) - 2)
        first = first + below * stride
        fractions.append(place - below)
        strides.append(stride)
    return first, fractions, strides


def _offsets(strides: list[int]) -> list[int]:
    """From the lowest knot around a point to each of them, the last axis varying fastest."""
    return [sum(offset) for offset in product(*((0, stride) for stride in strides))]
