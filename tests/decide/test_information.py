"""What a measurement is worth: all of the regret that one speed causes, nothing where it decides nothing."""

import numpy as np
import pytest

from planner.decide.information import worth

RNG = np.random.default_rng(1)
SPEED = np.exp(0.4 * RNG.standard_normal(20_000))
SURE = np.ones(20_000)


def losses(*costs: np.ndarray) -> np.ndarray:
    table = np.array(costs)
    return np.asarray(table - table.min(axis=0))


def test_knowing_the_one_uncertain_speed_saves_what_choosing_blindly_loses() -> None:
    """One device costs 1/speed, the other 1.1 for sure: with the speed known only the bin around 1/1.1 is chosen amiss."""
    loss = losses(1 / SPEED, 1.1 * SURE)
    (found,) = worth(["a", "b"], loss, np.array([SPEED, SURE]))
    assert found.device_name == "a"
    assert found.saves == pytest.approx(loss.mean(axis=1).min(), rel=0.02)


def test_of_two_uncertain_devices_the_vaguer_is_worth_more() -> None:
    other = np.exp(0.1 * RNG.standard_normal(20_000))
    found = worth(["a", "b"], losses(1 / SPEED, 1 / other), np.array([SPEED, other]))
    assert [w.device_name for w in found] == ["a", "b"] and found[0].saves > 3 * found[1].saves


def test_nothing_is_worth_measuring_where_it_would_not_change_the_choice() -> None:
    """One is always the cheaper; or what decides is a price and no speed: chance among bins is not taken for information."""
    assert worth(["a", "b"], losses(1 / SPEED, 9.0 / SPEED), np.array([SPEED, SPEED])) == ()
    prices = np.exp(0.2 * RNG.standard_normal((6, 20_000)))
    assert worth(list("abcdef"), losses(*prices), np.exp(0.3 * RNG.standard_normal((6, 20_000)))) == ()


def test_a_device_counts_once_and_few_draws_do_for_a_result() -> None:
    loss = losses(1 / SPEED[:500], 1.05 / SPEED[:500], 1.1 * SURE[:500])
    found = worth(["a", "a", "b"], loss, np.array([SPEED[:500], SPEED[:500], SURE[:500]]))
    assert [w.device_name for w in found] == ["a"]
