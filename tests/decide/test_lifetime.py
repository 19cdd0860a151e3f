"""Cost by traffic and break-even, worked by hand on two offers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.decide.lifetime import BreakEven, Fleet, break_even, ladder, life, monthly, traffic, units_of

SMALL_AND_LARGE = Fleet(np.array([100.0, 700.0]), np.array([1000.0, 10_000.0]), np.array([1.0, 8.0]))
"""An instance for 1,000 queries a day at 100 a month, and one of 8 devices for 10,000 at 700."""
QUERIES = np.array([1.0, 1000.0, 1001.0, 7500.0, 20_000.0, 20_001.0])


def test_whole_instances_of_the_cheaper_offer() -> None:
    """1 and 1,000: one small (100). 1,001: two small (200). 7,500: eight small are 800, one large 700. 20,000: two large (1,400);
    one query more: three large are 2,100, twenty-one small too, and the first is taken.
    """
    cost, which = monthly(SMALL_AND_LARGE, QUERIES, 1e9)
    assert cost.tolist() == [100, 100, 200, 700, 1400, 2100]
    assert which.tolist() == [0, 0, 0, 1, 1, 0]
    assert units_of(SMALL_AND_LARGE, np.array([1001.0])).tolist() == [[2, 1]]


def test_no_more_devices_than_there_may_be() -> None:
    """With 10 devices: ten small serve 10,000; two large are 16 devices."""
    cost, _ = monthly(SMALL_AND_LARGE, np.array([10_000.0, 10_001.0]), 10)
    assert cost.tolist() == [700, np.inf]


def test_nobody_serves_it() -> None:
    none = Fleet(np.zeros(0), np.zeros(0), np.zeros(0))
    assert np.isinf(life(5.0, 12.0, none, 1e9)(QUERIES)).all()


def test_a_life_is_making_and_months() -> None:
    assert life(5000.0, 24.0, SMALL_AND_LARGE, 1e9)(np.array([1001.0])).tolist() == [5000 + 24 * 200]


def test_where_two_straight_lines_cross() -> None:
    """1,000 + 2 q and 5,000 + q cross at 4,000 queries a day."""
    found = break_even(lambda q: 5000 + q, lambda q: 1000 + 2 * q, np.geomspace(1, 1e6, 61))
    assert found.kind == "from" and found.queries == pytest.approx(4000, rel=0.001)
    assert break_even(lambda q: 1000 + 2 * q, lambda q: 5000 + q, np.geomspace(1, 1e6, 61)).kind == "until"


def test_always_and_never() -> None:
    queries = np.geomspace(1, 1e6, 61)
    assert break_even(lambda q: q, lambda q: q + 1, queries) == BreakEven("always")
    assert break_even(lambda q: q, lambda q: q, queries).kind == "never"


def test_what_neither_serves_does_not_count() -> None:
    """Beyond 1e5 queries nobody has the devices: below, the second is cheaper from 4,000 on."""

    def ends(cost: float, each: float) -> object:
        return lambda q: np.where(q > 1e5, np.inf, cost + each * q)

    found = break_even(ends(5000, 1), ends(1000, 2), np.geomspace(1, 1e6, 61))  # type: ignore[arg-type]
    assert found.kind == "from" and found.queries == pytest.approx(4000, rel=0.001)


def test_on_steps_the_last_crossing_counts() -> None:
    """Both buy whole instances for 100 a month; ours take 1,500 queries and not 1,000, and cost 150 more to make: one instance
    saved, as from 1,001 to 1,500 queries, is not enough, two are, and between two and one saved it goes to and fro.
    """
    base = life(0.0, 1.0, Fleet(np.array([100.0]), np.array([1000.0]), np.array([1.0])), 1e9)
    ours = life(150.0, 1.0, Fleet(np.array([100.0]), np.array([1500.0]), np.array([1.0])), 1e9)
    queries = np.geomspace(100, 1e5, 2001)
    found = break_even(ours, base, queries)
    above = queries[queries > found.queries * 1.001]
    assert found.kind == "from" and (ours(above) < base(above)).all()
    assert ours(np.array([found.queries]))[0] >= base(np.array([found.queries]))[0]


def test_the_ladder_goes_from_cheap_to_make_to_cheap_to_serve() -> None:
    """100 + 3 q, 200 + 2 q and 1,200 + q cross at 100 and at 1,000."""
    queries = np.geomspace(1, 1e5, 501)
    found = ladder(queries, [100 + 3 * queries, 200 + 2 * queries, 1200 + queries], now=10.0)
    assert [i for _, i in found] == [0, 1, 2]
    assert [at for at, _ in found] == [1.0, pytest.approx(100, rel=0.03), pytest.approx(1000, rel=0.03)]


def test_a_short_step_is_left_out_unless_the_plan_stands_on_it() -> None:
    """1,020 + 2.5 q is the cheapest from 40 to 44 queries only: between 1,000 + 3 q and 1,064 + 1.5 q."""
    queries = np.geomspace(10, 1000, 2001)
    costs = [1000 + 3 * queries, 1020 + 2.5 * queries, 1064 + 1.5 * queries]
    assert [i for _, i in ladder(queries, costs, now=500.0)] == [0, 2]
    assert [i for _, i in ladder(queries, costs, now=42.0)] == [0, 1, 2]


@given(st.floats(1, 1e9), st.floats(1, 1e9))
def test_more_queries_never_cost_less(one: float, other: float) -> None:
    low, high = monthly(SMALL_AND_LARGE, np.array(sorted((one, other))), 1e12)[0]
    assert low <= high


@given(st.floats(1, 1e12))
def test_traffic_lies_around_the_plan_s(queries: float) -> None:
    grid = traffic(queries)
    assert grid[0] >= 1 and grid[0] <= queries * 1.0001 <= grid[-1] and (np.diff(grid) > 0).all()
