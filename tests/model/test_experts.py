"""Routed experts worked by hand: two products of many groups, and how a power law spreads tokens over them."""

import numpy as np
import pytest

from planner.model.columns import Columns
from planner.model.ops import experts
from tests.model.rows import coefficients


def routed(**fit: float) -> float:
    """Four groups of 64 rows, 64 → 2 × 64 gated → 64, on 100 units of 10 GFLOP/s each and memory as fast as told."""
    sizes = {"rows": 64.0, "groups": 4.0, "up": 128.0, "down": 64.0, "hidden": 64.0, "ranks": 4.0, "quantise": 0.0, "hot": 0.0}
    shape = Columns({**sizes, "tokens": 1000.0, "skew": 0.75}, length=1)
    device = Columns(
        peak=1e12, systolic=np.nan, bandwidth=fit.pop("bandwidth", np.inf), units=fit.pop("units", 100.0), cache=50e6, length=1
    )
    given = coefficients("experts", **{"t_s": 1.0, "e16": 0.25, **fit})
    return float(experts.time(shape, np.array([1e6]), np.array([1e6]), device, given)[0])


def test_experts_are_two_products_of_many_groups() -> None:
    """Each product is one wave of 64 x 64 tiles over k = 64: 2 * 64^3 FLOP at 10 GFLOP/s, 52.4 us; two of them 104.9 us."""
    assert routed() == pytest.approx(2 * 52.43e-6, rel=1e-3)


def test_the_busiest_device_and_every_visit_cost_extra() -> None:
    """256 visits at 1 us over 100 units are 2.56 us; a busiest rank with twice its share of the rows has twice the waves."""
    assert routed(t_r=1e-6) - routed() == pytest.approx(2.56e-6, rel=1e-3)
    assert routed(i=4 / 3, t_r=1e-6) - routed(i=4 / 3) == pytest.approx(5.12e-6, rel=1e-3)
    assert routed(i=4 / 3) >= routed()


def test_visits_cost_a_chip_without_known_units_what_its_memory_is_worth() -> None:
    """At 2.5 TB/s, a hundred times 25 GB/s: as on a hundred units."""
    alone = routed(units=np.nan, bandwidth=2.5e12)
    assert routed(units=np.nan, bandwidth=2.5e12, t_r=1e-6) - alone == pytest.approx(2.56e-6, rel=1e-3)


def test_buffers_hold_all_visits_and_all_tokens() -> None:
    """1 MB of activations on each of 4 ranks, and 1,000 tokens of 64 x 2 bytes in and out: 4 us and 0.256 us at 1 TB/s."""
    plain = routed(bandwidth=1e12)
    assert routed(bandwidth=1e12, z=1.0) - plain == pytest.approx(4e-6, rel=1e-3)
    assert routed(bandwidth=1e12, y=1.0) - plain == pytest.approx(0.256e-6, rel=1e-3)


def spread(tokens: float, visits: float, of: float, ranks: float) -> dict[str, float]:
    found = experts.routed(*(np.array([v]) for v in (tokens, visits, of, ranks)))
    return {name: float(values[0]) for name, values in found.items()}


def test_one_token_visits_its_own_experts_only() -> None:
    assert spread(1, 8, 256, 1) == {"tokens": 1, "groups": 8, "rows": 1, "skew": 0}


def test_many_tokens_visit_every_expert() -> None:
    found = spread(1e6, 8, 64, 8)
    assert found["groups"] == 8 and found["rows"] == pytest.approx(8e6 / 64)


def test_loads_uniform_in_their_logarithm_leave_some_experts_out() -> None:
    """16 tokens to 8 of 256: loads span a factor of 200 about a mean of 1/2; those below half a visit are 68 % of them.

    The least is ln(200)/199 of the mean, 0.0133, and half a visit 37.6 times as much: ln(37.6)/ln(200) = 0.684.
    """
    found = spread(16, 8, 256, 1)
    assert found["groups"] == pytest.approx(256 * (1 - 0.6845), rel=1e-3)
    assert found["groups"] * found["rows"] == pytest.approx(128)


def test_the_busiest_of_more_devices_is_further_from_its_share() -> None:
    skews = [spread(4096, 8, 256, ranks)["skew"] for ranks in (1, 2, 8, 64)]
    assert skews[0] == 0 and skews == sorted(skews) and skews[-1] <= 256 / 8 - 1
