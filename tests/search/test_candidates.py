"""What a search hands over: every listing once, each feasible one within every limit and with sums that add up."""

import math
from dataclasses import replace

import pytest

from planner.model import memory
from planner.schema.goals import Infer, Serve, Train
from planner.search.candidate import Candidate
from planner.search.find import candidates, demand
from tests.search.records import GOALS, HOURS, INFER, SERVE, TRAIN, device, fleet, inputs, offer, provider, system

LIMITS = {
    "serve": replace(SERVE, ttft=0.2, tpot=0.02),
    "train": replace(TRAIN, deadline=3 * 3600.0),
    "infer": replace(INFER, latency=0.02),
}
ALL_TERMS = {"terms": ("on_demand", "spot", "owned")}


def found(goal: Serve | Train | Infer, **more: object) -> list[Candidate]:
    return candidates(inputs(goal, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("scenario", GOALS)
def test_every_listing_is_answered_once(scenario: str) -> None:
    """Six offers; one has a spot price and two can be bought."""
    some = found(GOALS[scenario], hardware=ALL_TERMS)
    assert sorted((c.offer, c.term) for c in some) == sorted(
        [(f"{n}.{k}", "on_demand") for n in ("alder", "birch", "cedar") for k in (1, 8)]
        + [("alder.1", "spot"), ("birch.8", "owned"), ("cedar.8", "owned")]
    )
    assert len({c.label for c in some}) == len(some)


@pytest.mark.parametrize("scenario", GOALS)
def test_feasible_ones_come_first_by_cost_and_the_rest_say_why(scenario: str) -> None:
    some = found(LIMITS[scenario], hardware=ALL_TERMS)
    able = [c for c in some if c.feasible]
    assert able and some[: len(able)] == able
    assert [c.cost.value for c in able] == sorted(c.cost.value for c in able)
    assert all(any(letter.isdigit() for letter in c.rejected) for c in some if not c.feasible)


def test_a_batch_is_done_in_time_and_paid_for_until_it_is_done() -> None:
    """The rent is that of so many hours as its tokens take at full throughput, and no headroom is kept."""
    goal = Serve(requests=1e6, within=86400.0, input_tokens=500.0, output_tokens=100.0)
    able = [c for c in found(goal) if c.feasible]
    assert able
    for c in able:
        seconds = 1e8 / c.throughput.value
        assert c.latency["duration"].value == pytest.approx(seconds) and seconds <= 86400
        assert c.unit_cost.value == pytest.approx(c.cost.value / 100)
        assert c.instances == 1 or 1e8 / (c.throughput.value * (c.instances - 1) / c.instances) > 86400


def test_spare_instances_come_on_top() -> None:
    plain = {c.label: c for c in found(SERVE) if c.feasible}
    spare = {c.offer: c for c in found(replace(SERVE, spare=1)) if c.feasible}
    both = [(c, spare[c.offer]) for c in plain.values() if c.offer in spare]
    assert both and all(s.instances >= c.instances + 1 or s.layout != c.layout for c, s in both)
    for s in spare.values():
        assert s.throughput.value * (s.instances - 1) / s.instances * 0.7 >= demand(inputs(SERVE)) * (1 - 1e-9)


def test_a_batch_of_a_month_costs_what_serving_at_that_rate_at_full_load_does() -> None:
    month = HOURS * 3600
    batch = Serve(requests=20.0 * month, within=month, input_tokens=500.0, output_tokens=100.0)
    steady = {c.label: c for c in found(SERVE, economics={"utilisation": 1.0}) if c.feasible}
    both = [(c, steady[c.label]) for c in found(batch) if c.feasible and c.label in steady]
    assert both
    for once, always in both:
        assert once.instances == always.instances
        assert once.cost.value <= always.cost.value * (1 + 1e-9)


@pytest.mark.parametrize("scenario", GOALS)
@pytest.mark.parametrize("most", [1, 8, 64])
def test_nothing_that_breaks_a_limit_is_feasible(scenario: str, most: int) -> None:
    goal = LIMITS[scenario]
    for c in found(goal, hardware={"max_devices": most, **ALL_TERMS}, economics={"budget": (5000.0, "USD")}):
        if not c.feasible:
            continue
        assert 0 < c.devices <= most and c.cost.value <= 5000
        assert sum(c.memory.values()) <= memory.usable(c.memory_capacity)  # type: ignore[arg-type]
        for name, limit in (("ttft", "ttft"), ("tpot", "tpot"), ("latency", "latency"), ("duration", "deadline")):
            allowed = getattr(goal, limit, None)
            assert name not in c.latency or allowed is None or c.latency[name].value <= allowed


@pytest.mark.parametrize("scenario", GOALS)
def test_costs_are_the_sum_of_their_parts(scenario: str) -> None:
    for c in found(GOALS[scenario], hardware=ALL_TERMS):
        assert c.cost.value == pytest.approx(sum(c.cost_parts.values()))
        assert set(c.cost_parts) == ({"hardware", "electricity"} if c.term == "owned" else {"rent"})
        assert c.cost.low <= c.cost.value <= c.cost.high and c.throughput.low < c.throughput.value < c.throughput.high


@pytest.mark.parametrize("scenario", ["serve", "infer"])
@pytest.mark.parametrize("utilisation", [0.3, 0.7, 1.0])
def test_instances_cover_the_demand_with_headroom_and_none_too_many(scenario: str, utilisation: float) -> None:
    asked = inputs(GOALS[scenario], economics={"utilisation": utilisation})
    for c in candidates(asked):
        usable = c.throughput.value * utilisation
        assert usable >= demand(asked) * (1 - 1e-6)
        assert usable * (c.instances - 1) / c.instances < demand(asked)


def test_rent_of_a_month_and_of_a_run() -> None:
    for c in found(SERVE):
        if c.term == "on_demand" and c.offer == "alder.1":
            assert c.cost.value == pytest.approx(2.0 * c.instances * HOURS)
    for c in found(TRAIN):
        if c.term == "on_demand":
            each = {"alder": 2.0, "birch": 3.0, "cedar": 0.7}[c.device]
            assert c.cost.value == pytest.approx(each * c.devices * c.latency["duration"].value / 3600)
            assert c.throughput.value * c.latency["duration"].value == pytest.approx(TRAIN.tokens)
            assert c.unit_cost.value == pytest.approx(c.cost.value / 1000)


def test_an_owned_machine_is_written_off_and_pays_for_its_power() -> None:
    (c,) = [c for c in found(SERVE) if c.offer == "birch.8" and c.term == "owned"]
    parts = c.cost_parts
    assert parts["hardware"] == pytest.approx(300_000 * c.instances / 36)
    assert parts["electricity"] == pytest.approx(c.power / 1000 * HOURS * 1.3 * 0.12)
    load = SERVE.requests_per_second * SERVE.output_tokens / c.throughput.value
    assert c.power == pytest.approx(c.devices * (100 + 200 * load))


@pytest.mark.parametrize("scenario", GOALS)
def test_totals_scale_with_prices(scenario: str) -> None:
    shop = fleet()[2]
    dear = provider(*(offer(o.id, o.system, devices=o.devices, on_demand=3 * o.prices.on_demand.amount) for o in shop.offers))  # type: ignore[union-attr]
    rented = {"terms": ("on_demand",)}
    one = {c.offer: c.cost.value for c in found(GOALS[scenario], hardware=rented)}
    three = {c.offer: c.cost.value for c in found(GOALS[scenario], hardware=rented, providers=(dear,))}
    assert three == pytest.approx({name: 3 * value for name, value in one.items()})


@pytest.mark.parametrize("scenario", GOALS)
def test_a_device_with_all_figures_doubled_is_never_ranked_below(scenario: str) -> None:
    devices = [device("alder"), device("birch", 2.0)]
    systems = [system("alder"), system("birch", speed=2.0)]
    same = provider(*(offer(f"{d.id}.{n}", f"{d.id}-x8", devices=n, on_demand=2.0 * n) for d in devices for n in (1, 8)))
    some = found(GOALS[scenario], devices=devices, systems=systems, providers=(same,))
    cost = {c.offer: c.cost.value for c in some}
    assert all(c.feasible for c in some)
    assert cost["birch.1"] <= cost["alder.1"] and cost["birch.8"] <= cost["alder.8"]
    assert some[0].device == "birch" or math.isclose(min(cost.values()), cost[some[0].offer])


@pytest.mark.parametrize("scenario", GOALS)
def test_shares_of_peak_and_bandwidth_are_shares(scenario: str) -> None:
    for c in found(GOALS[scenario]):
        assert 0 < c.mfu <= 1 and 0 < c.mbu <= 1
        assert c.bottleneck and c.time and all(v > 0 for v in c.time.values())
        assert c.cited[0].value and all(x.source for x in c.cited)


def test_a_tighter_limit_never_costs_less() -> None:
    for scenario, name, values in (("serve", "tpot", (1.0, 0.02, 0.01)), ("train", "deadline", (1e7, 1e4, 3e3))):
        goals = [replace(GOALS[scenario], **{name: v}) for v in values]  # type: ignore[type-var]
        best = [min((c.cost.value for c in found(goal) if c.feasible), default=math.inf) for goal in goals]
        assert best == sorted(best)


def test_reserved_and_spot_prices_are_used_only_where_the_plan_allows_them() -> None:
    assert {c.term for c in found(SERVE)} == {"on_demand", "owned"}
    assert {c.offer for c in found(SERVE, hardware={"terms": ("spot",)})} == {"alder.1"}


def test_of_one_offer_in_several_regions_the_cheapest_counts() -> None:
    shop = provider(
        offer("alder.1", "alder-x8", devices=1, region="here", on_demand=2.0),
        offer("alder.1", "alder-x8", devices=1, region="there", on_demand=1.5),
    )
    (one,) = found(SERVE, providers=(shop,))
    assert one.region == "there"
    assert [c.region for c in found(SERVE, providers=(shop,), hardware={"regions": ("here", "there")})] == ["there", "here"]


def test_of_instances_with_the_same_devices_the_cheapest_counts() -> None:
    """They differ in their hosts, which no law knows of; what is bought differs in more, and stays."""
    shop = provider(
        offer("alder.large", "alder-x8", devices=1, on_demand=2.5),
        offer("alder.small", "alder-x8", devices=1, on_demand=2.0),
        offer("bare", "alder-x8", owned=9000.0),
        offer("ready", "alder-x8", owned=9900.0),
    )
    assert {c.offer for c in found(SERVE, providers=(shop,))} == {"alder.small", "bare", "ready"}


def test_labels_are_unique_across_sellers() -> None:
    shops = tuple(provider(offer("alder", "alder-x8", owned=1000.0 * n), id=f"shop{n}") for n in (1, 2))
    labels = [c.label for c in found(SERVE, providers=shops)]
    assert len(set(labels)) == 2
