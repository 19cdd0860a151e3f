"""The page's what-if against Python: the same formulas, on a thousand random settings of every kind of decision."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner.decide.decision import decide
from planner.decide.levers import Settings, evaluate, levers
from planner.report.engine import asset
from planner.report.text import STEADY, dumps
from planner.report.whatif import whatif_data
from planner.schema.goals import Serve
from planner.search.result import Result
from tests.search.records import INFER, SERVE, TRAIN, inputs, offer, provider

SHOP = provider(
    offer("alder.1", "alder-x8", region="here", devices=1, on_demand=2.0, spot=1.0),
    offer("alder.1", "alder-x8", region="there", devices=1, on_demand=2.3, spot=0.8),
    offer("birch.8", "birch-x8", region="there", on_demand=24.0), offer("birch.own", "birch-x8", owned=300_000.0),
    offer("cedar.1", "cedar-x8", devices=1, on_demand=0.7),
    offer("cedar.own", "cedar-x8", devices=1, owned=9_000.0, needs_host=True),
)  # fmt: skip
BATCH = Serve(input_tokens=500.0, output_tokens=100.0, requests=2e6, within=7 * 86400.0)
GOALS: dict[str, Any] = {
    "serve": replace(SERVE, ttft=0.5, tpot=0.03, spare=1), "batch": BATCH, "train": replace(TRAIN, deadline=6 * 3600.0),
    "infer": replace(INFER, latency=0.05),
}  # fmt: skip


@pytest.fixture(scope="module", params=GOALS)
def result(request: pytest.FixtureRequest) -> Result:
    more = {"budget": (60_000.0, "USD"), "host_price": (5000.0, "USD")}
    terms = {"terms": ("on_demand", "spot", "owned"), "max_devices": 64}
    return decide(inputs(GOALS[request.param], providers=(SHOP,), hardware=terms, economics=more))


def settings(rng: np.random.Generator) -> dict[str, Any]:
    """One setting as the page has it: each lever moved half of the time."""

    def maybe(low: float, high: float, planned: float = 1.0) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high)))) if rng.random() < 0.5 else planned

    prices = {term: maybe(0.3, 3) for term in ("on_demand", "spot", "owned")}
    return {
        "traffic": maybe(0.05, 20), "utilisation": maybe(0.1, 0.95, 0.7), "efficiency": maybe(0.2, 3),
        "electricity": maybe(0.1, 10), "horizon": maybe(0.2, 3), "context": maybe(0.5, 2), "prices": prices,
        "region": str(rng.choice(["", "here", "there"])),
    }  # fmt: skip


def in_javascript() -> Callable[[Any, Any], Any]:
    quickjs = pytest.importorskip("quickjs")
    context = quickjs.Context()
    context.eval(asset("whatif.js"))
    context.eval(
        "function run(data, settings) { return JSON.stringify(PlannerWhatIf.evaluate(JSON.parse(data), JSON.parse(settings))); }"
    )
    run = context.get("run")
    return lambda data, given: json.loads(run(dumps(data, digits=STEADY), dumps(given)))


def test_a_thousand_random_settings_cost_the_same_in_both(result: Result) -> None:
    run, data, lv = in_javascript(), whatif_data(result), levers(result)
    rng, moved = np.random.default_rng(11), 0
    for _ in range(1000):
        given = settings(rng)
        cost, keeps = (np.broadcast_to(x, (len(lv), 1))[:, 0] for x in evaluate(lv, Settings(**given)))
        found = run(data, given)
        assert [o["keeps"] for o in found] == keeps.tolist(), given
        costs = [math.nan if o["cost"] is None else o["cost"] for o in found]
        assert costs == pytest.approx(cost.tolist(), rel=1e-6, nan_ok=True), given
        moved += min(range(len(lv)), key=lambda i: (not keeps[i], cost[i])) != 0
    assert moved > 20, "the settings never change the cheapest: they test nothing"


def test_as_planned_the_page_says_what_the_decision_says(result: Result) -> None:
    planned = dict.fromkeys(("traffic", "efficiency", "electricity", "horizon", "context"), 1)
    planned |= {"utilisation": result.basis.utilisation, "prices": {}, "region": ""}
    found = in_javascript()(whatif_data(result), planned)
    by_label = {c.label: c for c in result.candidates}
    for label, o in zip(levers(result).labels, found, strict=True):
        assert o["cost"] == pytest.approx(by_label[label].cost.value, rel=1e-6) and o["keeps"] == by_label[label].feasible


def test_no_option_no_data(result: Result) -> None:
    assert whatif_data(replace(result, candidates=())) == {}
