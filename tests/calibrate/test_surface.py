"""A surface explains what the formula leaves, where it was measured, and leaves the rest alone."""

import numpy as np
import pytest

from planner.calibrate.surface import bend
from planner.model.columns import product
from planner.model.surface import Surfaces, factor, table

GRID = {"m": (1.0, 16.0, 256.0, 4096.0), "n": (64.0, 512.0, 4096.0)}
POINTS = product(m=2.0 ** np.arange(0, 12), n=2.0 ** np.arange(6, 12.5, 0.5))
SIZES = {"m": POINTS.m, "n": POINTS.n}
GROUPS = np.unique(POINTS.n, return_inverse=True)[1]


def explained(values: tuple[int, ...]) -> np.ndarray:
    return np.log(factor(GRID, SIZES, Surfaces(table(GRID, values)[None], np.zeros(len(POINTS), int))))


def test_a_plane_in_the_logarithms_is_recovered() -> None:
    left = 0.02 * np.log2(POINTS.m) - 0.03 * (np.log2(POINTS.n) - 6)
    np.testing.assert_allclose(explained(bend(GRID, SIZES, left, GROUPS)), left, atol=0.04)


def test_nothing_left_is_no_surface() -> None:
    assert set(bend(GRID, SIZES, np.zeros(len(POINTS)), GROUPS)) == {0}


def test_a_few_wild_points_do_not_bend_it() -> None:
    left = np.full(len(POINTS), 0.1)
    left[::40] = 3.0
    assert np.abs(np.median(explained(bend(GRID, SIZES, left, GROUPS))) - 0.1) < 0.02


def test_the_same_measurements_give_the_same_surface() -> None:
    left = np.sin(POINTS.m) / 10
    assert bend(GRID, SIZES, left, GROUPS) == bend(GRID, SIZES, left, GROUPS)


def test_a_constant_carries_on_where_nothing_was_measured_and_then_fades() -> None:
    """Only the smallest m were measured: at the far knots the correction is no stronger than where it was seen."""
    some = POINTS.m <= 4
    sizes = {name: values[some] for name, values in SIZES.items()}
    values = np.array(bend(GRID, sizes, np.full(some.sum(), 0.2), GROUPS[some])).reshape(4, 3)
    assert values[0] == pytest.approx(200, abs=30) and np.all(np.abs(values[-1]) <= 250)
