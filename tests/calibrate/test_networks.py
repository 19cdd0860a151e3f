"""A fit of the network law finds the speeds that made its points."""

import numpy as np
import pytest

from planner.calibrate.networks import WAYS, fit_networks, laws, way_of
from planner.model.columns import Columns
from planner.model.families import network
from planner.model.operation import Machine
from planner.schema.coefficients import Fit
from tests.model.rows import machine
from tests.model.test_network import EMPTY, IDEAL

N = 80


def points() -> tuple[list, Machine]:  # type: ignore[type-arg]
    """Networks of random sizes on one device whose shares are half of all peaks, and 20 us a kernel."""
    rng = np.random.default_rng(0)
    scales = {"dense": 1e9, "pointwise": 1e9, "depthwise": 1e8, "moved": 1e7, "weights": 1e7, "kernels": 50.0}
    sizes = {name: rng.uniform(1, 10, N) * scale for name, scale in scales.items()}
    graphs = Columns({**EMPTY, **sizes}, length=N)
    ops = network.forward(graphs, Columns(batch=64.0, weight=2.0, activation=2.0, length=N))
    speeds = {"dense": 0.5, "pointwise": 0.5, "depthwise": 0.05, "moved": 0.5, "weights": 0.5, "kernel": 2e-5}
    return ops, machine(N, fits={"network": {**IDEAL, **speeds}})


def test_the_shares_that_made_the_points_are_found() -> None:
    ops, truth = points()
    seconds = network.stream(ops, truth)
    fed = np.arange(N) % 2 == 0
    plain = machine(N, fits={"network": IDEAL})
    fit = fit_networks(ops, plain, seconds, fed, np.zeros(N, bool), "timm", "test")
    assert fit.coefficients["dense"] == pytest.approx(0.5, rel=0.1)
    assert fit.coefficients["kernel"] == pytest.approx(2e-5, rel=0.25)
    assert fit.held_out_error is not None
    assert fit.held_out_error < 0.03


def test_too_few_networks_are_no_fit() -> None:
    ops, truth = points()
    with pytest.raises(ValueError, match="2 networks feed the fit"):
        fit_networks(ops, truth, network.stream(ops, truth), np.arange(N) < 2, np.zeros(N, bool), "timm", "test")


def test_what_is_known_of_a_stack_is_not_fitted() -> None:
    for way in (*WAYS.values(), way_of("a framework that nobody named")):
        assert not set(way.ranges) & set(way.known)
        assert all(r.low <= r.start <= r.high for r in way.ranges.values())


def test_a_framework_says_what_convolutions_keep_of_a_products_speed() -> None:
    fit = Fit({"dense": 0.4, "pointwise": 0.8}, "made", 10)
    assert laws("timm", fit)["convolution"]["default"].coefficients == {"e": 0.5}
    assert set(laws("timm-train", fit)) == set(laws("hailort", fit)) == {"network"}
