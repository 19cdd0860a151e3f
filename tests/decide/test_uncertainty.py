"""Odds from draws: shares that add up, twins that move together, and regret by hand."""

from dataclasses import replace

import numpy as np
import pytest

from planner.decide.decision import decide
from planner.decide.uncertainty import outcomes, with_odds
from planner.schema.plan import Uncertainty
from planner.search.result import Result
from tests.search.records import SERVE, inputs, offer, provider

SURE = Uncertainty(traffic=0, utilisation=0, electricity=0, on_demand=0, spot=0, reserved_1y=0, reserved_3y=0, owned=0)


def asked(*offers: object, uncertainty: Uncertainty | None = None, **goal: float) -> Result:
    question = inputs(replace(SERVE, **goal), providers=(provider(*offers),) if offers else None)  # type: ignore[arg-type]
    plan = replace(question.plan, uncertainty=uncertainty or Uncertainty())
    return decide(replace(question, plan=plan))


def test_the_same_seed_gives_the_same_odds() -> None:
    assert repr(asked().candidates) == repr(asked().candidates)


def test_shares_add_up_to_the_draws_in_which_anything_fits() -> None:
    result = asked(tpot=0.05)
    found = outcomes(result)
    assert found is not None
    won = sum(c.odds.cheapest for c in result.candidates if c.odds)
    assert won == pytest.approx(found.keeps.any(axis=0).mean())
    assert all(0 <= c.odds.keeps <= 1 and c.odds.regret >= 0 and c.odds.low <= c.odds.high for c in result.candidates if c.odds)


def test_of_the_same_machine_at_two_prices_the_dearer_never_wins() -> None:
    """Its speed is the same in every draw; the prices are certain here."""
    sellers = (
        provider(offer("cheap", "alder-x8", devices=1, on_demand=2.0), id="one"),
        provider(offer("dear", "alder-x8", devices=1, on_demand=2.1), id="other"),
    )
    question = inputs(SERVE, providers=sellers)
    result = decide(replace(question, plan=replace(question.plan, uncertainty=SURE)))
    cheap, dear = result.candidates
    assert cheap.odds and dear.odds
    assert (cheap.odds.cheapest, dear.odds.cheapest) == (1.0, 0.0)
    assert dear.odds.regret == pytest.approx(0.05 * found_mean(result, 0), rel=1e-9) and cheap.odds.regret == 0.0


def found_mean(result: Result, row: int) -> float:
    found = outcomes(result)
    assert found is not None
    return float(found.cost[row].mean())


def test_two_equal_offers_of_uncertain_price_win_about_half_each() -> None:
    """One on demand, one on spot, of the same mean and margin: by symmetry half, within three standard errors (1.5 %)."""
    margins = replace(SURE, on_demand=0.2, spot=0.2)
    shop = (offer("a", "alder-x8", devices=1, on_demand=2.0), offer("b", "alder-x8", devices=1, spot=2.0))
    question = inputs(SERVE, providers=(provider(*shop),), hardware={"terms": ("on_demand", "spot")})
    result = decide(replace(question, plan=replace(question.plan, uncertainty=margins)))
    assert [c.odds.cheapest for c in result.candidates if c.odds] == pytest.approx([0.5, 0.5], abs=0.015)


def test_nine_of_ten_draws_lie_within_the_margin() -> None:
    """A price that may be 30 % off: low and high are the 5 % and 95 % quantiles, a factor of 1.3 either way."""
    shop = (offer("a", "alder-x8", devices=8, on_demand=2.0),)
    result = asked(*shop, uncertainty=replace(SURE, on_demand=0.3), requests_per_second=0.1)
    (c,) = result.candidates
    assert c.odds
    assert (c.odds.low, c.odds.high) == pytest.approx((c.cost.value / 1.3, c.cost.value * 1.3), rel=0.02)


def test_what_breaks_a_limit_pays_for_the_best_too() -> None:
    result = asked(tpot=0.0062)
    found = outcomes(result, 500)
    assert found is not None and (~found.keeps).any()
    able = np.where(found.keeps, found.cost, np.inf).min(axis=0)
    some = np.isfinite(able)
    broken = ~found.keeps[:, some]
    assert found.loss[:, some][broken] == pytest.approx(found.cost[:, some][broken])


def test_nothing_to_draw_where_nothing_has_a_cost() -> None:
    empty = replace(asked(), candidates=())
    assert outcomes(empty) is None and with_odds(empty) == empty
