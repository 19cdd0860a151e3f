"""A network asked now and then: how busy its devices are, what they draw, and what is left unsaid where no power is published."""

import math

import pytest

from planner.errors import InputError
from planner.model.columns import Columns
from planner.search.candidate import Estimate
from planner.search.duty import Duty, duty
from planner.search.request import Demand, Request
from planner.search.single import single
from tests.search.records import subject

HUNDRED = Estimate(100.0, 50.0, 200.0, "family")


def asked(rate: float, *, devices: int = 1, idle: float = 5.0, tdp: float = 25.0, host: float = 0.0, **more: float) -> Duty:
    """100 samples/s (50 to 200) of devices that draw 5 to 25 W."""
    demand = Demand(rate, int(more.pop("streams", 1)), **more)
    return duty(demand, HUNDRED, Columns(idle=idle, tdp=tdp, host_power=host, length=1), devices)


def test_ten_samples_a_second_keep_it_busy_a_tenth_of_the_time() -> None:
    """5 + 20 x 0.1 = 7 W: 0.7 J a sample, 168 Wh a day, and 100 h on 700 Wh. Half as fast it is busy a fifth: 9 W."""
    found = asked(10, battery=700 * 3600)
    assert found.power and found.sample and found.day and found.lasts
    assert (found.busy.value, found.busy.low, found.busy.high) == pytest.approx((0.1, 0.05, 0.2))
    assert (found.power.value, found.power.low, found.power.high) == pytest.approx((7, 6, 9))
    assert (found.sample.value, found.day.value / 3600, found.lasts.value / 3600) == pytest.approx((0.7, 168, 100))
    assert found.lasts.low < found.lasts.value < found.lasts.high
    assert (found.streams.value, found.streams.low, found.streams.high) == (10, 5, 20)


def test_streams_add_up_and_devices_share_them() -> None:
    """Two devices reach the 100 together: 4 streams of 5 keep both busy a fifth of the time, at 2 x (5 + 4) W and hosts."""
    found = asked(5, streams=4, devices=2, host=3)
    assert found.rate == 20 and found.busy.value == pytest.approx(0.2) and found.streams.value == 20
    assert found.power and found.power.value == pytest.approx(2 * (5 + 4 + 3))
    assert (found.idle, found.full) == pytest.approx((16, 56))


def test_what_cannot_be_kept_up_with_draws_full_power_for_what_it_does() -> None:
    found = asked(400)
    assert found.busy.value == pytest.approx(4) and found.streams.value == 0
    assert found.power and found.sample
    assert (found.power.value, found.sample.value) == pytest.approx((25, 0.25))


@pytest.mark.parametrize("missing", ["idle", "tdp"])
def test_no_energy_is_made_up_where_a_power_is_not_published(missing: str) -> None:
    found = asked(10, battery=1e6, **{missing: math.nan})  # type: ignore[arg-type]
    assert found.busy.value == pytest.approx(0.1) and found.streams.value == 10
    assert (found.power, found.sample, found.day, found.lasts) == (None, None, None, None)
    assert (found.idle is None) == (missing == "idle") and (found.full is None) == (missing == "tdp")


def test_a_measured_power_stands_for_the_boards() -> None:
    found = asked(10, power=15.0)
    assert found.power and found.power.value == pytest.approx(5 + 10 * 0.1) and found.full == 15


def test_an_estimate_carries_it_and_only_a_network_that_infers_can_be_asked() -> None:
    """Alder draws 100 W idle and 300 W at work."""
    of = subject("infer")
    found = single(Request("infer", demand=Demand(100.0)), of, {}.get)
    assert found.duty and found.duty.power
    assert found.duty.busy.value == pytest.approx(100 / found.figures["samples_per_s"].value)
    assert found.duty.power.value == pytest.approx(100 + 200 * found.duty.busy.value)
    assert single(Request("infer"), of, {}.get).duty is None
    with pytest.raises(InputError, match="of a network that infers"):
        single(Request("serve", demand=Demand(1.0)), subject("serve"), {}.get)
