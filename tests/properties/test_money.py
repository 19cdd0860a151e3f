"""Properties of money: totals are the sums of their parts, present values and monthly costs agree, rows do not see each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.decide.decision import decide
from planner.decide.ownership import crossing
from planner.model import cost
from planner.schema.goals import Capacity
from planner.schema.inputs import Inputs
from planner.schema.money import Own, Rent, Services, Spot, Step
from planner.schema.plan import Economics, Plan
from planner.search.candidate import Candidate
from planner.search.find import candidates
from planner.search.money import USES
from tests.search.records import GOALS, inputs

ALL = {"terms": ("on_demand", "spot", "reserved_1y", "reserved_3y", "owned")}
SHARES = st.floats(0.0, 0.9)
AMOUNTS = st.floats(1.0, 1e6)


def money(most: float = 1e5) -> st.SearchStrategy[tuple[float, str] | None]:
    return st.none() | st.tuples(st.floats(0.01, most), st.just("USD"))


PRICES = st.builds(
    Services, object=money(1.0), block=money(1.0), egress=money(1.0), between_zones=money(1.0), between_regions=money(1.0),
    load_balancer=money(1.0),
)  # fmt: skip
SPOTS = st.builds(Spot, mtbf=st.floats(3600, 1e7), restart=st.floats(1, 3600), checkpoint_interval=st.none() | st.floats(60, 1e4))
RENTS = st.builds(
    Rent, discounts=st.dictionaries(st.sampled_from(("on_demand", "spot")), SHARES),
    sustained_use=st.sampled_from(((), (Step(0.25, 0.8), Step(0.5, 0.6)))), spot=st.none() | SPOTS, minimum=st.floats(0, 7200),
    increment=st.sampled_from((0.0, 1.0, 60.0, 3600.0)), object=st.floats(0, 1e15), egress=st.floats(0, 1e15),
    between_zones=st.floats(0, 1e14), load_balancers=st.integers(0, 9), prices=PRICES, support=SHARES, tax=SHARES,
)  # fmt: skip
OWNS = st.builds(
    Own, network=money(), rack=money(), nodes_per_rack=st.integers(1, 8), cooling=money(5000), installation=money(),
    spares=SHARES, purchase_tax=SHARES, residual=SHARES, maintenance=SHARES, colocation=money(500), space=money(), staff=money(),
    bandwidth=money(), lead_time=st.sampled_from((0.0, 4 * 730 * 3600.0)),
)  # fmt: skip
ECONOMICS = st.fixed_dictionaries(
    {"busy": st.floats(0.05, 1.0), "cost_of_capital": SHARES, "pue": st.floats(1.0, 2.0), "horizon": st.floats(1.0, 6.0)}
).map(lambda given: {**given, "horizon": given["horizon"] * 365 * 86400})


def asked(goal: str, rent: Rent, own: Own, economics: dict[str, float]) -> Inputs:
    aim = Capacity(16) if goal == "capacity" else GOALS[goal]
    return inputs(aim, hardware=ALL, rent=rent, own=own, economics=economics)


@settings(max_examples=25)
@given(st.sampled_from((*GOALS, "capacity")), RENTS, OWNS, ECONOMICS)
def test_every_total_is_the_sum_of_its_shown_parts(goal: str, rent: Rent, own: Own, economics: dict[str, float]) -> None:
    for c in candidates(asked(goal, rent, own, economics)):
        if c.cost_parts:
            assert c.cost.value == sum(c.cost_parts.values())  # to the last bit: nothing is rounded on the way
            assert all(np.isfinite(part) and part > 0 for part in c.cost_parts.values())
            assert not (c.term == "owned" and "rent" in c.cost_parts) and not (c.term != "owned" and c.upfront)


@settings(max_examples=25)
@given(RENTS, OWNS, ECONOMICS)
def test_present_value_is_worth_the_monthly_cost_of_every_month(rent: Rent, own: Own, economics: dict[str, float]) -> None:
    """What owning costs a month, interest and all, discounted over the horizon, is its present value; so is a rent's."""
    here = replace(own, lead_time=0.0)
    plan = asked("capacity", rent, here, economics)
    result = decide(plan)
    assert result.ownership
    each = {c.label: c for c in result.candidates}
    e = plan.plan.economics
    months = cost.present(cost.monthly_rate(e.cost_of_capital), e.horizon / (730 * 3600))
    for way in result.ownership.ways:
        assert way.npv == pytest.approx(each[way.label].cost.value * float(months), rel=1e-9)
        assert way.per_hour == pytest.approx(each[way.label].unit_cost.value, rel=1e-9)


@settings(max_examples=25)
@given(RENTS, OWNS, ECONOMICS)
def test_a_month_at_the_plans_use_lies_on_the_curve_over_use(rent: Rent, own: Own, economics: dict[str, float]) -> None:
    """Bills are straight lines between the steps of sustained use, which are among the tabulated uses."""
    for c in candidates(asked("capacity", rent, own, economics)):
        assert np.interp(economics["busy"], USES, c.by_use) == pytest.approx(c.cost.value, rel=1e-9)
        assert list(c.by_use) == sorted(c.by_use) or c.term == "spot"  # spot meets the end of the month with more hours


@settings(max_examples=15)
@given(st.sampled_from(tuple(GOALS)), RENTS, OWNS)
def test_a_dearer_term_never_makes_anything_cheaper(goal: str, rent: Rent, own: Own) -> None:
    def total(found: list[Candidate]) -> dict[str, float]:
        return {c.label: c.cost.value for c in found if c.cost_parts}

    before = total(candidates(asked(goal, rent, own, {})))
    dearer_rent = replace(rent, support=rent.support + 0.1, tax=rent.tax + 0.1, load_balancers=rent.load_balancers + 1)
    dearer_own = replace(own, spares=own.spares + 0.1, purchase_tax=own.purchase_tax + 0.1, maintenance=own.maintenance + 0.1)
    after = total(candidates(asked(goal, dearer_rent, dearer_own, {})))
    assert all(after[label] >= amount * (1 - 1e-12) for label, amount in before.items())


@given(st.lists(st.integers(0, 50), min_size=24, max_size=24), st.floats(0, 86400))
def test_autoscaling_bills_at_least_what_runs_and_at_most_the_peak_all_day(day: list[int], minimum: float) -> None:
    needed = np.array([day, day[::-1]], float)
    plain = cost.autoscaled(needed, 0.0)
    assert plain.tolist() == [sum(day)] * 2
    assert np.all(cost.autoscaled(needed, minimum) >= plain)
    assert cost.autoscaled(needed[:1], minimum).tolist() == cost.autoscaled(needed, minimum)[:1].tolist()


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=5), st.floats(0, 1e6), st.floats(0, 1e6))
def test_bands_price_more_at_more_and_meet_at_their_borders(rates: list[float], one: float, other: float) -> None:
    over = [1000.0 * i for i in range(len(rates))]
    low, high = sorted((one, other))
    assert cost.tiered(np.array(low), over, rates) <= cost.tiered(np.array(high), over, rates) + 1e-6
    assert cost.tiered(np.array(low), over, rates) == pytest.approx(cost.tiered(np.array([high, low]), over, rates)[1])


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_lines_cross_where_they_are_equal(start: float, slope: float) -> None:
    at = crossing(USES, start + slope * USES)
    if at is None:
        assert start + slope < 0
    elif 0 < at < 1:
        assert start + slope * at == pytest.approx(0, abs=1e-6)


def test_a_plan_without_any_of_it_costs_what_rent_and_electricity_do() -> None:
    assert Plan("x", economics=Economics()).rent == Rent() and Plan("x").own == Own()
    parts = {name for c in candidates(inputs(GOALS["serve"], hardware=ALL)) for name in c.cost_parts}
    assert parts == {"rent", "hardware", "electricity"}
