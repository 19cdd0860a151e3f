"""Energy, carbon and the hours of a bill, worked by hand on capacity, whose hours and watts no law decides."""

from dataclasses import replace

import numpy as np
import pytest

from planner.schema.goals import Capacity, Serve
from planner.schema.money import Grid, Rent, Spot, Step
from planner.schema.quantity import Figure
from planner.search.candidate import Candidate
from planner.search.find import candidates
from planner.search.listings import listings
from planner.search.money import running
from tests.search.records import SERVE, device, figure, inputs, offer, provider

TERMS = {"terms": ("on_demand", "spot", "reserved_1y", "owned")}
SHOP = (provider(offer("alder.8", "alder-x8", on_demand=16.0, spot=8.0, reserved_1y=10.0, owned=100_000.0)),)


def by_term(goal: object = None, **more: object) -> dict[str, Candidate]:
    found = candidates(inputs(goal or Capacity(8), hardware=TERMS, providers=SHOP, **more))  # type: ignore[arg-type]
    return {c.term: c for c in found}


def test_metered_hours_are_those_with_work_and_committed_ones_are_all() -> None:
    """One instance, 60 % of 730 h: 438 h × 16 = 7,008 on demand, 438 × 8 = 3,504 on spot; all 730 h × 10 = 7,300 committed."""
    found = by_term(economics={"busy": 0.6})
    assert {t: round(found[t].cost.value, 6) for t in ("on_demand", "spot", "reserved_1y")} == {
        "on_demand": 7008, "spot": 3504, "reserved_1y": 7300,
    }  # fmt: skip
    assert found["on_demand"].unit_cost.value == pytest.approx(7008 / (8 * 438))


def test_spot_pays_for_restarts_and_for_what_is_done_again() -> None:
    """Taken away every 10 h, 30 min to restart: 1.05 times the hours; with checkpoints at every hour, the law of Daly (2006):
    10 h × exp(0.05) × (exp(0.1) - 1) = 1.10561 h for an hour kept.
    """
    spot = Spot(mtbf=36_000.0, restart=1800.0)
    assert by_term(rent=Rent(spot=spot))["spot"].cost.value == pytest.approx(730 * 8 * 1.05)
    again = by_term(rent=Rent(spot=replace(spot, checkpoint_interval=3600.0)))["spot"]
    assert again.cost.value == pytest.approx(730 * 8 * 10 * np.exp(0.05) * np.expm1(0.1))
    assert by_term(rent=Rent(spot=spot))["on_demand"].cost.value == 730 * 16


def test_sustained_use_by_hand() -> None:
    """A quarter at the full price, a quarter at 80 %, 10 % at 60 %: 25 + 20 + 6 = 51 % of a month's price for 60 % of it."""
    rent = Rent(sustained_use=(Step(0.25, 0.8), Step(0.5, 0.6)))
    found = by_term(rent=rent, economics={"busy": 0.6})
    assert found["on_demand"].cost.value == pytest.approx(0.51 * 730 * 16)
    assert found["spot"].cost.value == pytest.approx(0.6 * 730 * 8)


def test_energy_and_carbon_where_the_machines_stand() -> None:
    """8 devices of 300 W at work, 60 % of 730 h: 2.4 kW × 438 h = 1,051.2 kWh; rented in a hall of PUE 1.1 on 400 g/kWh.

    Owned ones idle at 0.8 kW for the other 292 h: 1,284.8 kWh × 1.5 on 100 g/kWh = 192.72 kg; a year is twelve such months.
    """
    g = 1e-3 / 3.6e6
    grids = {
        "shop/here": Grid("here", carbon=Figure(400 * g, "made"), pue=Figure(1.1, "made")),
        "": Grid("home", carbon=Figure(100 * g, "made")),
    }
    found = by_term(economics={"busy": 0.6, "pue": 1.5}, grids=grids)
    rented, owned = found["on_demand"], found["owned"]
    assert rented.energy == pytest.approx(1051.2 * 1.1 * 3.6e6) and rented.carbon == pytest.approx(1051.2 * 1.1 * 0.4)
    assert owned.energy == pytest.approx(1284.8 * 1.5 * 3.6e6) and owned.carbon == pytest.approx(192.72)
    assert owned.year == pytest.approx(12 * owned.energy) and owned.power == 2400
    assert rented.energy_per_unit == pytest.approx(rented.energy / (8 * 438))
    assert by_term()["on_demand"].carbon is None


def test_measured_or_derated_power_takes_the_place_of_board_power() -> None:
    """8 × 250 W; 8 × 80 % of 300 W; idle power never exceeds what is drawn at work."""
    assert by_term(economics={"device_power": 250.0})["owned"].power == 2000
    assert by_term(economics={"derate": 0.8})["owned"].power == pytest.approx(1920)
    low = by_term(economics={"device_power": 50.0, "busy": 0.5, "pue": 1.0})["owned"]
    assert low.energy == pytest.approx(8 * 50 * 730 * 3600)


def test_hours_of_work_meet_the_grid_of_those_hours() -> None:
    """All work in the 12 hours that emit twice the average of the others: 8/3 and 4/3 over an average of 2 is 4/3 of it."""
    board = device(idle_power=figure(0.0))
    day = (0.0,) * 12 + (1.0,) * 12
    hours = (2 / 3,) * 12 + (4 / 3,) * 12
    goal: Serve = replace(SERVE, daily=day)
    plain, dirty = (
        {
            c.term: c
            for c in candidates(
                inputs(
                    goal, hardware=TERMS, providers=SHOP, devices=[board],
                    systems=[s for s in inputs().systems.values() if s.device == "alder"],
                    economics={"carbon_intensity": 1e-7, **more},
                )
            )
        }
        for more in ({}, {"carbon_by_hour": hours})
    )  # fmt: skip
    assert dirty["on_demand"].carbon == pytest.approx(4 / 3 * plain["on_demand"].carbon)


def test_what_making_devices_emitted_is_used_up_over_the_horizon() -> None:
    """8 devices of 360 kg over 36 months are 80 kg a month."""
    made = device(embodied=figure(360.0))
    found = candidates(inputs(Capacity(8), hardware=TERMS, providers=SHOP, devices=[made, *list(inputs().devices.values())[1:]]))
    assert {round(c.embodied or 0, 9) for c in found} == {80.0}
    assert by_term()["owned"].embodied is None


def test_autoscaling_follows_the_day_and_keeps_what_it_must() -> None:
    """3.2 instances at the peak: 4 for 12 hours, ceil(1.6) = 2 for 11 and none, so the 1 that is kept, for 1: 71 of 96."""
    goal = replace(SERVE, daily=(0.0,) + (0.5,) * 11 + (1.0,) * 12)
    asked = inputs(goal, hardware=TERMS, providers=SHOP, rent=Rent(autoscale=True))
    listed, _ = listings(asked)
    share = running(asked, listed, np.full(4, 4.0), np.full(4, 3.2))
    assert {x.term: round(s, 9) for x, s in zip(listed, share, strict=True)} == {
        "on_demand": round(71 / 96, 9), "spot": round(71 / 96, 9), "reserved_1y": 1, "owned": 1,
    }  # fmt: skip


def test_a_deployment_that_autoscales_serves_the_same_for_less() -> None:
    goal = replace(SERVE, requests_per_second=2000.0, daily=(0.25,) * 12 + (1.0,) * 12)
    still, follows = (by_term(goal, rent=Rent(autoscale=a)) for a in (False, True))
    assert follows["on_demand"].cost.value < still["on_demand"].cost.value
    assert follows["owned"].cost.value == still["owned"].cost.value
    assert follows["on_demand"].throughput == still["on_demand"].throughput


def test_a_run_is_billed_in_whole_steps_and_at_least_the_minimum() -> None:
    goal = replace(SERVE, requests_per_second=None, requests=1e5, within=86_400.0)
    exact = by_term(goal)["on_demand"]
    hours = exact.latency["duration"].value / 3600
    stepped = by_term(goal, rent=Rent(increment=3600.0))["on_demand"]
    assert stepped.cost.value == pytest.approx(np.ceil(hours) * 16 * exact.instances)
    assert by_term(goal, rent=Rent(minimum=50 * 3600.0))["on_demand"].cost.value == pytest.approx(50 * 16 * exact.instances)


def test_what_has_no_price_is_named() -> None:
    rented = by_term(rent=Rent(egress=1e12, load_balancers=1))
    assert rented["on_demand"].unpriced == ("egress", "load balancers") and rented["owned"].unpriced == ()
