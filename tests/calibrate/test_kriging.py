"""Interpolation of residuals: through the points, unsure between them, back to the middle far from them."""

import numpy as np
import pytest

from planner.calibrate.kriging import LENGTHS, krige

POINTS = np.linspace(0, 12, 25)[:, None]
SMOOTH = 0.3 * np.sin(POINTS[:, 0] / 3)
STILL = np.zeros(25)


def test_a_smooth_residual_is_interpolated() -> None:
    found = krige(POINTS, SMOOTH, STILL)
    between = np.array([[1.3], [5.7], [9.9]])
    mean, unsure = found.at(between)
    np.testing.assert_allclose(mean, 0.3 * np.sin(between[:, 0] / 3), atol=0.02)
    assert found.error < 0.02 and (unsure < found.scale).all()


def test_far_from_every_point_the_law_decides_alone() -> None:
    found = krige(POINTS, SMOOTH + 0.5, STILL)
    mean, unsure = found.at(np.array([[10_000.0]]))
    assert mean[0] == pytest.approx(float(np.median(SMOOTH + 0.5))) and unsure[0] == pytest.approx(found.scale)


def test_unsure_grows_with_the_distance_to_points() -> None:
    _, unsure = krige(POINTS, SMOOTH, STILL).at(np.array([[6.0], [12.5], [14.0], [18.0], [30.0]]))
    assert (np.diff(unsure) > 0).all()


def test_a_noisy_point_is_believed_less() -> None:
    """The same bump, once measured well and once with a wide spread."""
    bump = np.where(np.arange(25) == 12, 1.0, 0.0)
    still, noisy = krige(POINTS, bump, STILL), krige(POINTS, bump, np.where(np.arange(25) == 12, 3.0, 0.0))
    at = POINTS[12:13]
    assert noisy.at(at)[0][0] < 0.5 * still.at(at)[0][0]


def test_the_leave_one_out_error_is_that_of_leaving_one_out() -> None:
    """Against fits without each point in turn, at the length and noise that were chosen."""
    rng = np.random.default_rng(0)
    points, residuals = rng.uniform(0, 10, (12, 2)), rng.normal(0, 0.2, 12)
    found = krige(points, residuals, np.zeros(12))
    total = np.linalg.inv(found.inverse)
    off = residuals - found.middle
    errors = []
    for i in range(12):
        rest = np.arange(12) != i
        errors.append(total[i, rest] @ np.linalg.solve(total[np.ix_(rest, rest)], off[rest]) - off[i])
    assert found.error == pytest.approx(float(np.sqrt(np.mean(np.square(errors))))) and found.length in LENGTHS


def test_equal_residuals_and_points_twice() -> None:
    found = krige(np.array([[1.0], [1.0], [2.0]]), np.full(3, 0.25), np.zeros(3))
    mean, _ = found.at(np.array([[1.0], [1.5]]))
    assert mean == pytest.approx([0.25, 0.25]) and found.error == pytest.approx(0, abs=1e-12)
