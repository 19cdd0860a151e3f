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
    one = Pass({"matmul": np.array([1.0, 2.0])}, np.array([10.0, 20.0]), np.array([1.0, 1.0]))
    two = Pass({"attention": np.array([0.5, 0.5])}, np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    both = one.and_(two).plus("overhead", np.array([0.25, 0.0])).times(np.array([2.0, 3.0]))
    assert both.seconds.tolist() == [3.5, 7.5]
    assert both.flop.tolist() == [22.0, 63.0] and both.moved.tolist() == [6.0, 9.0]
    assert {k: v.tolist() for k, v in both.parts.items()} == {
        "matmul": [2.0, 6.0],
        "attention": [1.0, 1.5],
        "overhead": [0.5, 0.0],
    }
