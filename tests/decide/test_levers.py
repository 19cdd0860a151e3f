"""Costs worked out again from what they are made of: equal to a decision taken again wherever layouts stay as they were."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner.decide.decision import decide
from planner.decide.levers import PARTS, Levers, Settings, evaluate, levers
from planner.search.result import Result
from tests.search.records import GOALS, INFER, SERVE, TRAIN, inputs, offer, provider

TERMS = {"terms": ("on_demand", "spot", "owned")}
LIMITED = {
    "serve": replace(SERVE, ttft=0.2, tpot=0.02),
    "train": replace(TRAIN, deadline=3 * 3600.0),
    "infer": replace(INFER, latency=0.02),
}


def asked(goal: Any, **economics: Any) -> Result:
    return decide(inputs(goal, hardware=TERMS, economics=economics))


def at(result: Result, **settings: Any) -> dict[str, tuple[float, bool]]:
    lv = levers(result)
    cost, keeps = (np.broadcast_to(x, (len(lv), 1))[:, 0] for x in evaluate(lv, Settings(**settings)))
    return {label: (float(c), bool(k)) for label, c, k in zip(lv.labels, cost, keeps, strict=True)}


def offers(result: Result) -> dict[str, Any]:
    """Candidates by what they are: labels begin with the number of instances, which changes."""
    return {(c.offer, c.term): c for c in result.candidates}


@pytest.mark.parametrize("scenario", GOALS)
def test_nothing_moved_is_the_decision_itself(scenario: str) -> None:
    for goal in (GOALS[scenario], LIMITED[scenario]):
        result = asked(goal)
        found = at(result)
        for c in result.candidates:
            assert found[c.label][0] == pytest.approx(c.cost.value, rel=1e-12)
            assert found[c.label][1] == c.feasible, c.rejected


@pytest.mark.parametrize("scenario", GOALS)
def test_other_prices_of_power_and_lives_cost_what_a_new_decision_says(scenario: str) -> None:
    before = asked(GOALS[scenario], electricity=(0.10, "USD"), horizon=3 * 8760 * 3600.0)
    after = asked(GOALS[scenario], electricity=(0.25, "USD"), horizon=5 * 8760 * 3600.0)
    found, again = at(before, electricity=2.5, horizon=5 / 3), offers(after)
    for c in before.candidates:
        assert found[c.label][0] == pytest.approx(again[c.offer, c.term].cost.value, rel=1e-9)


def test_other_traffic_costs_what_a_new_decision_says_where_the_layout_stays() -> None:
    """Instances follow the traffic; power follows the load. Layouts that a new search would change are left out."""
    before, after = asked(SERVE), asked(replace(SERVE, requests_per_second=74.0))
    found, again, same = at(before, traffic=3.7), offers(after), 0
    for c in before.candidates:
        other = again[c.offer, c.term]
        if (other.layout, other.precision) == (c.layout, c.precision):
            assert found[c.label][0] == pytest.approx(other.cost.value, rel=1e-9)
            same += 1
    assert same > 3


def test_other_utilisation_costs_what_a_new_decision_says_where_the_layout_stays() -> None:
    before, after = asked(SERVE, utilisation=0.7), asked(SERVE, utilisation=0.3)
    found, again = at(before, utilisation=0.3), offers(after)
    kept = [c for c in before.candidates if again[c.offer, c.term].layout == c.layout]
    assert kept and all(found[c.label][0] == pytest.approx(again[c.offer, c.term].cost.value, rel=1e-9) for c in kept)


def test_a_run_of_twice_the_tokens_costs_twice_and_may_miss_its_deadline() -> None:
    result = asked(replace(TRAIN, deadline=3 * 3600.0))
    once, twice, many = at(result), at(result, traffic=2.0), at(result, traffic=1e6)
    for label, (cost, keeps) in once.items():
        assert twice[label][0] == pytest.approx(2 * cost)
        assert not keeps or not many[label][1]


def test_a_price_moves_its_own_term_alone() -> None:
    result = asked(SERVE)
    once, dearer = at(result), at(result, prices={"spot": 1.5})
    for c in result.candidates:
        assert dearer[c.label][0] == pytest.approx(once[c.label][0] * (1.5 if c.term == "spot" else 1.0))


def test_a_region_takes_its_own_price_and_leaves_out_what_is_not_sold_there() -> None:
    """Two regions at 10 and 12 an hour: the plan takes the cheaper; in the other it is a fifth dearer."""
    shop = provider(
        offer("alder.8", "alder-x8", region="here", on_demand=10.0), offer("alder.8", "alder-x8", region="there", on_demand=12.0),
        offer("birch.8", "birch-x8", region="here", on_demand=20.0),
    )  # fmt: skip
    result = decide(inputs(SERVE, providers=(shop,)))
    once, there = at(result), at(result, region="there")
    alder, birch = (next(c.label for c in result.candidates if c.device == d) for d in ("alder", "birch"))
    assert there[alder] == (pytest.approx(1.2 * once[alder][0]), True) and not there[birch][1]


def test_half_the_speed_takes_twice_the_instances_and_latency() -> None:
    result = decide(
        inputs(
            replace(SERVE, requests_per_second=2000.0, tpot=0.05),
            hardware={"max_devices": 100_000, "terms": ("on_demand", "spot")},
        )
    )
    for c in result.candidates:
        cost, keeps = at(result, efficiency=0.5)[c.label]
        assert cost == pytest.approx(2 * c.cost.value, abs=1.01 * c.cost.value / c.instances)
        assert keeps == (c.feasible and 2 * c.latency["tpot"].value <= 0.05)


def test_draws_are_rows_of_one_another() -> None:
    """Column d of many states is the state d alone."""
    lv: Levers = levers(asked(LIMITED["serve"]))
    rng = np.random.default_rng(3)
    traffic, load, speed = rng.uniform(0.2, 4, 20), rng.uniform(0.2, 0.9, 20), rng.uniform(0.3, 2, (len(lv), 20))
    cost, keeps = evaluate(lv, Settings(traffic=traffic, utilisation=load, efficiency=speed, prices={"spot": traffic}))
    for d in range(20):
        one = Settings(traffic=traffic[d], utilisation=load[d], efficiency=speed[:, d : d + 1], prices={"spot": traffic[d]})
        alone = evaluate(lv, one)
        assert cost[:, d] == pytest.approx(alone[0][:, 0]) and (keeps[:, d] == alone[1][:, 0]).all()


def test_every_part_of_a_cost_has_a_rule() -> None:
    parts = {name for goal in GOALS.values() for c in asked(goal).candidates for name in c.cost_parts}
    assert parts <= set(PARTS)
