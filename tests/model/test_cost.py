"""Money, power and energy worked by hand."""

import numpy as np
import pytest

from planner import units
from planner.model import cost
from planner.model.columns import Columns
from planner.model.passes import Pass


def test_rent() -> None:
    """Four instances at 2.50 an hour for a month of 730 hours."""
    assert cost.rent(2.50, 4, 730) == 7300
    assert units.MONTH / units.HOUR == 730


def test_written_off_in_equal_parts() -> None:
    """Two machines of 36,000 over three years: a year's use is 24,000, the whole time 72,000."""
    assert cost.written_off(36_000, 2, 8760, 3 * units.YEAR) == pytest.approx(24_000)
    assert cost.written_off(36_000, 2, 3 * 8760, 3 * units.YEAR) == pytest.approx(72_000)


def test_energy() -> None:
    """1 kW in a hall of PUE 1.3 for 730 hours at 0.12 a kWh: 113.88."""
    assert cost.energy(1000, 730, 1.3, 0.12) == pytest.approx(113.88)


def watts(load: float, **device: float) -> float:
    given = {"tdp": 700.0, "idle": 100.0, "host_power": 50.0, **device}
    return float(cost.power(Columns(given, length=1), np.array([8.0]), np.array([load]))[0])


def test_power_lies_between_idle_and_board_power() -> None:
    """Eight devices of 100 to 700 W, each with 50 W of its host's."""
    assert [watts(load) for load in (0.0, 0.5, 1.0)] == [8 * 150, 8 * 450, 8 * 750]


def test_a_device_without_a_published_idle_power_draws_its_board_power() -> None:
    assert watts(0.0, idle=np.nan) == watts(1.0) == 8 * 750


def test_power_never_falls_with_load() -> None:
    assert watts(1.0, tdp=np.nan) >= watts(0.0, tdp=np.nan)


def test_an_amount_is_priced_band_by_band() -> None:
    """100 free, 9,900 at 0.09, and 2,000 at 0.085: 891 + 170; 50 and 0 cost nothing."""
    over, rates = (0, 100, 10_000), (0.0, 0.09, 0.085)
    assert cost.tiered(np.array([12_000.0, 100.0, 50.0, 0.0, 101.0]), over, rates) == pytest.approx([1061, 0, 0, 0, 0.09])


def test_a_start_is_billed_for_its_minimum_and_in_whole_steps() -> None:
    """20 minutes are an hour where that is the least; 61 minutes are two hours where hours are counted, 61 where minutes are."""
    assert cost.billed(np.array([1 / 3]), 3600, 0).tolist() == [1.0]
    assert cost.billed(np.array([61 / 60]), 0, 3600).tolist() == [2.0]
    assert cost.billed(np.array([61 / 60, 2.0]), 60, 60) == pytest.approx([61 / 60, 2.0])


def test_autoscaling_bills_what_runs_and_the_minimum_of_every_start() -> None:
    """2 instances all day; 3 more for 4 hours; later 2 more for an hour: 48 + 12 + 2 = 62 instance-hours.

    With a minimum of 6 hours the 3 are billed 2 hours more each and the 2 five: 62 + 6 + 10 = 78.
    """
    needed = np.array([[2] * 8 + [5] * 4 + [2] * 6 + [4] + [2] * 5])
    assert cost.autoscaled(needed, 0).tolist() == cost.autoscaled(needed, 3600).tolist() == [62]
    assert cost.autoscaled(needed, 6 * 3600).tolist() == [78]


def test_a_day_that_does_not_change_is_24_hours_of_it_whatever_the_minimum() -> None:
    assert cost.autoscaled(np.full((2, 24), 3.0), 6 * 3600).tolist() == [72, 72]


def test_interest_of_a_month_makes_that_of_a_year() -> None:
    assert (1 + cost.monthly_rate(0.08)) ** 12 == pytest.approx(1.08)
    assert cost.monthly_rate(1e-12) == cost.monthly_rate(0.0) == 0.0
    assert cost.present(0.0, 36.0) == 36 and cost.present(0.01, 2) == pytest.approx(1 / 1.01 + 1 / 1.01**2)


def test_cost_of_capital_by_hand() -> None:
    """36,000 in 36 months is 1,000 a month; at 1 % a month the payment is 36,000 / 30.1075 = 1,195.72: 195.72 more.

    Worth 12,000 at the end, whose present value is 8,387.10: (36,000 - 8,387.10) / 30.1075 = 917.14, and 666.67 are written off.
    """
    price, none = np.array([36_000.0]), np.array([0.0])
    assert cost.capital(price, none, 0.01, 36, 0) == pytest.approx([195.715], abs=1e-3)
    assert cost.capital(price, np.array([12_000.0]), 0.01, 36, 0) == pytest.approx([250.476], abs=1e-3)
    assert cost.capital(price, none, 0.0, 36, 6) == pytest.approx([0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("700 W", "watt", 700), ("0.7 kW", "watt", 700), ("250 mW", "watt", 0.25), ("1.2 kWh", "joule", 4.32e6),
        ("3.35 TB/s", "byte/s", 3.35e12), ("80 GiB", "byte", 80 * 2**30), ("400 Gb/s", "byte/s", 50e9),
        ("989 TFLOP/s", "flop/s", 989e12), ("1 GMAC", "flop", 2e9), ("50 ms", "second", 0.05), ("2 days", "second", 172_800),
    ],
)  # fmt: skip
def test_units_of_figures_that_money_depends_on(text: str, dimension: str, value: float) -> None:
    assert units.parse(text, dimension) == pytest.approx(value)


@pytest.mark.parametrize("text", ["700", 700, "700 J", "700 Wh", "-", "nan W"])
def test_power_needs_its_unit(text: object) -> None:
    with pytest.raises(ValueError):
        units.parse(text, "watt")


def test_passes_add_up() -> None:
    one = Pass({"matmul": np.array([1.0, 2.0])}, np.array([10.0, 20.0]), np.array([1.0, 1.0]), np.ones(2))
    two = Pass({"attention": np.array([0.5, 0.5])}, np.array([1.0, 1.0]), np.array([2.0, 2.0]), 3 * np.ones(2))
    both = one.and_(two).plus("overhead", np.array([0.25, 0.0])).times(np.array([2.0, 3.0]))
    assert both.seconds.tolist() == [3.5, 7.5]
    assert both.flop.tolist() == [22.0, 63.0] and both.moved.tolist() == [6.0, 9.0] and both.launches.tolist() == [8.0, 12.0]
    assert {k: v.tolist() for k, v in both.parts.items()} == {
        "matmul": [2.0, 6.0],
        "attention": [1.0, 1.5],
        "overhead": [0.5, 0.0],
    }
