"""Renting against owning: which ways are shown, what is said of them, and what the sums are without."""

from datetime import date

import pytest

from planner import units
from planner.decide.decision import decide
from planner.decide.ledger import exclusions, money_assumptions
from planner.decide.ownership import SHOWN
from planner.schema.goals import Capacity
from planner.schema.money import Own, Rent
from planner.schema.quantity import Price
from planner.search.result import Result
from tests.search.records import TRAIN, inputs, offer, provider

ALL = {"terms": ("on_demand", "spot", "reserved_1y", "reserved_3y", "owned")}
TERMS = {"on_demand": 16.0, "spot": 8.0, "reserved_1y": 12.0, "reserved_3y": 10.0, "owned": 150_000.0}


def shops(count: int = 3, **terms: float) -> tuple[object, ...]:
    """Each a little dearer than the one before."""
    prices = terms or TERMS
    made = [
        provider(offer(f"box-{i}", "alder-x8", **{t: p * (1 + i / 10) for t, p in prices.items()}), id=f"shop-{i}")
        for i in range(count)
    ]
    return tuple(made)


def compared(count: int = 3, **more: object) -> Result:
    return decide(inputs(Capacity(16), hardware=ALL, providers=shops(count), **more))  # type: ignore[arg-type]


def test_the_cheapest_of_every_term_is_shown_and_ways_come_by_present_value() -> None:
    own = compared().ownership
    assert own and len(own.ways) == SHOWN
    assert {way.term for way in own.ways} == set(TERMS)
    assert [way.npv for way in own.ways] == sorted(way.npv for way in own.ways)
    for term in TERMS:
        assert "box-0" in next(way.label for way in own.ways if way.term == term)


def test_one_way_alone_is_no_comparison() -> None:
    assert decide(inputs(Capacity(16), providers=shops(1, on_demand=16.0))).ownership is None  # type: ignore[arg-type]


def test_rent_alone_has_no_break_even() -> None:
    own = decide(inputs(Capacity(16), hardware=ALL, providers=shops(1, on_demand=16.0, spot=8.0))).ownership  # type: ignore[arg-type]
    assert own and own.owned == "" and "no break-even" in own.said[-1]
    assert all(way.break_even_month is None and way.break_even_use is None for way in own.ways)


def test_break_evens_are_where_the_curves_say() -> None:
    own = compared(economics={"cost_of_capital": 0.08}).ownership
    assert own
    owned = next(way for way in own.ways if way.label == own.owned)
    for way in own.ways:
        if way.term == "owned":
            continue
        month = way.break_even_month
        paid = [m for m, (rent, bought) in enumerate(zip(way.cumulative, owned.cumulative, strict=True)) if rent >= bought]
        assert month == (paid[0] if paid else None)
        if way.break_even_use is not None:
            assert way.by_use[-1] >= owned.by_use[-1]


def test_the_horizon_sets_how_long_the_lines_are() -> None:
    own = compared(economics={"horizon": 30 * units.MONTH}).ownership
    assert own and own.months == 30 and {len(way.cumulative) for way in own.ways} == {31}


def test_runs_are_compared_as_if_they_followed_one_another() -> None:
    asked = inputs(TRAIN, hardware=ALL, economics={"busy": 0.5})
    own = decide(asked).ownership
    assert own and own.said[0].startswith("As if such runs followed one another, 50 %")
    rents = [way for way in own.ways if way.term == "on_demand"]
    assert rents and all(way.upfront == 0 < way.monthly for way in rents)


def test_an_owned_machine_that_idles_half_the_time_costs_a_run_twice_the_purchase() -> None:
    whole, half = (
        {c.label: c for c in decide(inputs(TRAIN, hardware=ALL, economics={"busy": b})).candidates} for b in (1.0, 0.5)
    )
    owned = [label for label, c in whole.items() if c.term == "owned" and c.cost_parts]
    assert owned
    for label in owned:
        assert half[label].cost_parts["hardware"] == pytest.approx(2 * whole[label].cost_parts["hardware"])
        assert half[label].cost_parts["electricity"] > whole[label].cost_parts["electricity"]


def test_what_the_plan_gives_no_figure_for_is_named() -> None:
    bare = inputs(Capacity(8), hardware=ALL)
    said = exclusions(bare, [])
    assert "Of renting, for the plan gives no figures: storage, data transfer, support, tax." in said
    assert "Of owning, for the plan gives no figures: staff, space, network, spares, maintenance." in said
    full = inputs(Capacity(8), hardware=ALL, rent=Rent(object=1e12, egress=1e12, support=0.1, tax=0.1))
    assert not any(s.startswith("Of renting") for s in exclusions(full, []))
    assert any("egress" in s and "no price is known" in s for s in exclusions(full, list(decide(full).candidates)))


def test_assumptions_name_rates_discounts_and_the_price_nobody_gave() -> None:
    rate = Price((1.1, "USD"), date(2026, 11, 20), "ECB")
    asked = inputs(
        Capacity(8), hardware=ALL, rent=Rent({"on_demand": 0.1}), own=Own(residual=0.2),
        economics={"rates": {"EUR": rate}, "cost_of_capital": 0.08, "busy": 0.7},
    )  # fmt: skip
    said = " ".join(money_assumptions(asked))
    for words in (
        "1 EUR is 1.1 USD (2026-11-20, ECB).",
        "10 % on demand",
        "to 20 % of their price",
        "8 % a year",
        "70 %",
        "assumed",
    ):
        assert words in said


def test_offers_in_another_currency_are_converted_by_the_plans_rate_or_left_out() -> None:
    """16 EUR at 1.10 are 17.60 USD: 730 h × 17.60 = 12,848.00."""
    price = Price((16.0, "EUR"), date(2026, 1, 2), "made")
    shop = provider(offer("box", "alder-x8", spot=8.0))
    there = provider(offer("euro-box", "alder-x8"), id="there")
    euro = type(there)(
        there.id, there.name, there.sources, (type(there.offers[0])("euro-box", "alder-x8", type(there.offers[0].prices)(price)),)
    )
    rate = {"EUR": Price((1.1, "USD"), date(2026, 11, 20), "ECB")}
    with_rate = decide(inputs(Capacity(8), hardware=ALL, providers=(shop, euro), economics={"rates": rate}))
    found = {c.offer: c for c in with_rate.candidates}
    assert found["euro-box"].cost.value == pytest.approx(12_848.0)
    assert found["euro-box"].cited[0].value == "16 EUR/h"
    without = decide(inputs(Capacity(8), hardware=ALL, providers=(shop, euro)))
    assert {c.offer for c in without.candidates} == {"box"}
