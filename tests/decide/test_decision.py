"""From candidates to a verdict: the cheapest that can do it, an undominated front, and words that agree with the figures."""

from dataclasses import replace

import pytest

from planner.decide.decision import decide, front
from planner.search.candidate import Candidate
from planner.search.result import SCHEMA_VERSION, Result
from tests.search.records import GOALS, INFER, SERVE, TRAIN, device, figure, fleet, inputs, offer, provider, system

LIMITED = {
    "serve": replace(SERVE, ttft=0.2, tpot=0.02),
    "train": replace(TRAIN, deadline=3 * 3600.0),
    "infer": replace(INFER, latency=0.02),
}
TERMS = {"terms": ("on_demand", "spot", "owned")}


def by_label(result: Result) -> dict[str, Candidate]:
    return {c.label: c for c in result.candidates}


@pytest.fixture(scope="module", params=[*GOALS, *(f"{s}, limited" for s in LIMITED)])
def result(request: pytest.FixtureRequest) -> Result:
    scenario, _, limited = request.param.partition(",")
    return decide(inputs((LIMITED if limited else GOALS)[scenario], hardware=TERMS))


def test_the_choice_is_the_cheapest_feasible(result: Result) -> None:
    choice = by_label(result)[result.verdict.choice]
    able = [c for c in result.candidates if c.feasible]
    assert choice.feasible and choice.cost.value == min(c.cost.value for c in able)
    assert result.verdict.headline.startswith(f"Choose {choice.label}")


def test_the_runner_up_is_feasible_and_prefers_another_device(result: Result) -> None:
    choice, second = (by_label(result)[x] for x in (result.verdict.choice, result.verdict.runner_up))
    assert second.feasible and second.cost.value >= choice.cost.value
    others = [c for c in result.candidates if c.feasible and c.device != choice.device]
    assert not others or second.cost.value == min(c.cost.value for c in others)


def test_no_point_of_the_front_is_dominated_and_none_is_missing(result: Result) -> None:
    able = [c for c in result.candidates if c.feasible]

    def beaten(c: Candidate) -> bool:
        return any(
            o.cost.value <= c.cost.value
            and o.throughput.value >= c.throughput.value
            and (o.cost.value < c.cost.value or o.throughput.value > c.throughput.value)
            for o in able
        )

    points = {(c.cost.value, c.throughput.value) for c in able if not beaten(c)}
    assert {(by_label(result)[x].cost.value, by_label(result)[x].throughput.value) for x in result.front} == points


def test_the_record_says_what_was_asked(result: Result) -> None:
    assert (
        result.schema_version == SCHEMA_VERSION and result.goal and result.assumptions and result.exclusions and result.accuracy
    )
    assert result.cost_period == ("run" if result.scenario == "train" else "month")
    assert result.oldest_price == "2026-01-02"


def test_cost_of_a_unit_is_the_cost_over_the_work_asked_for(result: Result) -> None:
    for c in result.candidates:
        seconds = c.latency["duration"].value if result.scenario == "train" else 730 * 3600
        work = TRAIN.tokens if result.scenario == "train" else result.demand * seconds
        assert c.unit_cost.value == pytest.approx(c.cost.value / work * 1e6)


def test_deciding_twice_gives_the_same(result: Result) -> None:
    goal = {"serve": LIMITED["serve"]}.get(result.scenario)
    if goal is None:
        return
    assert repr(decide(inputs(goal, hardware=TERMS))) == repr(decide(inputs(goal, hardware=TERMS)))


@pytest.mark.parametrize("scenario", GOALS)
def test_nothing_fits(scenario: str) -> None:
    found = decide(inputs(GOALS[scenario], economics={"budget": (0.001, "USD")}))
    v = found.verdict
    assert v.choice == v.runner_up == "" and found.front == ()
    assert v.headline.startswith("Nothing fits") and found.candidates[0].rejected in v.why and v.flips


def test_a_single_offer_has_no_runner_up() -> None:
    shop = provider(offer("alder.1", "alder-x8", devices=1, on_demand=2.0))
    v = decide(inputs(SERVE, providers=(shop,))).verdict
    assert v.choice and v.runner_up == "" and v.gap == "No other offer can do it."


def test_the_gap_and_the_flip_are_those_of_the_two_costs() -> None:
    """Twelve against ten: 20 % more, and the dearer wins if its price falls by 17 %."""
    shop = provider(
        offer("cheap", "alder-x8", on_demand=10.0), offer("dear", "birch-x8", on_demand=12.0)
    )  # one node of either is enough for this demand
    v = decide(inputs(replace(SERVE, requests_per_second=1.0), providers=(shop,))).verdict
    assert (v.choice, v.runner_up) == ("1 × cheap, on demand", "1 × dear, on demand")
    assert v.gap == "$1,460 more (20 %)" and any("more than 17 %" in flip for flip in v.flips)


def test_the_spare_share_of_a_serving_choice() -> None:
    """What the flip says is exactly how far throughput may fall before one more instance is needed."""
    shop = provider(offer("cheap", "alder-x8", devices=1, on_demand=10.0))
    found = decide(inputs(SERVE, providers=(shop,)))
    (c,) = found.candidates
    spare = 1 - found.demand / 0.7 / c.throughput.value
    assert any(f"more than {100 * spare:.0f} %, one more instance" in flip for flip in found.verdict.flips)


def test_cautions_name_weak_evidence_spot_and_low_precision() -> None:
    shop = provider(offer("alder.1", "alder-x8", devices=1, spot=1.0))
    said = " ".join(decide(inputs(SERVE, providers=(shop,), hardware=TERMS, precision=("fp8",))).verdict.cautions)
    assert "never measured" in said and "Spot" in said and "fp8" in said


def test_nothing_infeasible_is_chosen_however_cheap() -> None:
    """A device with too little memory for a tenth of the price."""
    devices, systems, shop = fleet()
    tiny = device("dwarf", 0.001)
    cheap = provider(*shop.offers, offer("dwarf.8", "dwarf-x8", on_demand=0.001))
    found = decide(inputs(SERVE, devices=[*devices, tiny], systems=[*systems, system("dwarf")], providers=(cheap,)))
    (out,) = [c for c in found.candidates if c.device == "dwarf"]
    assert not out.feasible and found.verdict.choice != out.label and found.candidates[-1] == out
    assert out.label not in found.front


def test_of_two_at_the_same_cost_the_faster_is_on_the_front() -> None:
    shop = provider(offer("a", "alder-x8", on_demand=10.0), offer("b", "birch-x8", on_demand=10.0))
    found = decide(inputs(replace(SERVE, requests_per_second=1.0), providers=(shop,)))
    assert front(list(found.candidates)) == ("1 × b, on demand",)


def test_a_machine_that_costs_nothing_can_be_chosen() -> None:
    shop = provider(offer("free", "alder-x8", on_demand=0.0), offer("dear", "birch-x8", on_demand=12.0))
    assert decide(inputs(SERVE, providers=(shop,))).verdict.choice.endswith("free, on demand")


def test_the_nearest_is_the_one_that_misses_by_least() -> None:
    """Cedar is eight times slower than birch and far cheaper; neither keeps the limit, birch misses it by least."""
    shop = provider(
        offer("birch.1", "birch-x8", devices=1, on_demand=30.0), offer("cedar.1", "cedar-x8", devices=1, on_demand=0.1)
    )
    found = decide(inputs(replace(INFER, latency=1e-5), providers=(shop,)))
    assert not found.verdict.choice and found.candidates[0].device == "birch"


def test_mfu_counts_the_model_s_flop_only() -> None:
    """6 N a token of 1.3 billion parameters in products, plus causal scores, over what the devices' peaks would allow."""
    small = [replace(d, memory=(replace(d.memory[0], capacity=figure(20e9)),)) for d in fleet()[0]]  # type: ignore[type-var]
    goal = replace(TRAIN, sequence_length=8192.0)
    for c in decide(inputs(goal, devices=small)).candidates:
        flop = 6 * (24 * (4 * 2048**2 + 3 * 2048 * 5632) + 2048 * 32000) + 6 * 24 * 2048 * 8192
        peak = {"alder": 100e12, "birch": 200e12, "cedar": 25e12}[c.device] * c.devices
        if c.feasible:
            assert c.mfu == pytest.approx(flop * c.throughput.value / peak, rel=0.02)
