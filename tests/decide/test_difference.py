"""What changed between two decisions: nothing, a price, an offer, and what each is put down to."""

import json
from dataclasses import asdict, replace
from typing import Any

from planner.decide.decision import decide
from planner.decide.difference import difference
from planner.search.result import Result
from tests.search.records import SERVE, inputs, offer, provider

CHEAP, DEAR = offer("cheap", "alder-x8", on_demand=10.0), offer("dear", "birch-x8", on_demand=30.0)


def result(*offers: Any, rate: float = 1.0) -> Result:
    return decide(inputs(replace(SERVE, requests_per_second=rate), providers=(provider(*offers),)))


def read(made: Result) -> dict[str, Any]:
    """As ``--format json`` would give it: tuples are lists, what is not known is null."""
    return dict(json.loads(json.dumps(asdict(made)).replace("NaN", "null")))


def test_a_decision_and_itself_do_not_differ() -> None:
    one = read(result(CHEAP, DEAR))
    assert difference(one, one).same


def test_a_price_that_rose_is_named_and_may_turn_the_choice() -> None:
    """Ten an hour becomes forty: the dearer one is the cheaper now."""
    before, after = result(CHEAP, DEAR), result(offer("cheap", "alder-x8", on_demand=40.0), DEAR)
    found = difference(read(before), read(after))
    assert (found.choices[0].split()[2], found.choices[1].split()[2]) == ("cheap,", "dear,")
    (changed,) = found.changed
    assert changed.cost == (7300.0, 29200.0) and changed.rank == (1, 2)
    assert changed.because == ("Shop cheap, on demand: 10 USD/h → 40 USD/h",)
    assert changed.throughput[0] == changed.throughput[1] and not found.came and not found.went


def test_offers_that_came_and_went_are_listed() -> None:
    found = difference(read(result(CHEAP)), read(result(DEAR)))
    assert found.came == ("1 × dear, on demand",) and found.went == ("1 × cheap, on demand",) and not found.changed


def test_more_traffic_is_put_down_to_instances() -> None:
    found = difference(read(result(CHEAP, rate=1.0)), read(result(CHEAP, rate=2000.0)))
    assert any("instances: 1 → " in why for why in found.changed[0].because) and found.inputs[0][0] == "goal"


def test_an_option_that_is_out_now_says_so() -> None:
    before, after = (
        result(CHEAP),
        decide(inputs(replace(SERVE, requests_per_second=1.0), providers=(provider(CHEAP),), economics={"budget": (1.0, "USD")})),
    )
    (changed,) = difference(read(before), read(after)).changed
    assert not changed.rejected[0] and "budget" in changed.rejected[1]
