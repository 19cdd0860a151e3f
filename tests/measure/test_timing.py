"""How a thing is timed: warm before it counts, each cold run on operands of its own, never a figure of a clock asserted."""

import time
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from planner.measure.timing import FEWEST, MOST, RING, Clock, Timed, quiet  # noqa: E402

CPU = torch.device("cpu")


class Counted:
    """Makes runs that note which of them ran."""

    def __init__(self) -> None:
        self.made, self.ran = 0, list[int]()

    def __call__(self) -> Callable[[], None]:
        mine, self.made = self.made, self.made + 1
        return lambda: self.ran.append(mine)


def test_quantiles_and_spread_by_hand() -> None:
    timed = Timed((5.0, 1.0, 3.0, 2.0, 4.0), 1, 1.0, 0.0, 9.0)
    assert (timed.at(0.25), timed.at(0.5), timed.at(0.75)) == (2, 3, 4)
    assert timed.spread == pytest.approx(2 / 3)
    assert Timed((7.0,) * 5, 1, 1.0, 0.0, 7.0).spread == 0


def test_it_runs_before_what_counts() -> None:
    make = Counted()
    timed = Clock(CPU, 1, 0, budget=0.01).hot(make())
    assert FEWEST <= len(timed.samples) <= MOST
    assert len(make.ran) >= len(timed.samples) * timed.inner + timed.inner + 2  # one block and two runs that do not count
    assert all(s > 0 for s in timed.samples) and timed.first > 0


def test_a_short_thing_is_run_many_times_a_sample_and_a_long_one_once() -> None:
    clock = Clock(CPU, 1, 0, budget=0.01)
    assert clock.hot(lambda: None).inner > 1
    assert clock.hot(lambda: time.sleep(1e-3)).inner == 1


def test_cold_runs_have_operands_of_their_own() -> None:
    make = Counted()
    timed = Clock(CPU, 1, evict=10e6, budget=0.005).cold(make, 1e6)
    assert make.made == 10 and set(make.ran) == set(range(10))
    assert len(make.ran) == 2 + len(timed.samples) * timed.inner
    last: dict[int, int] = {}
    for i, which in enumerate(make.ran):
        assert i - last.get(which, -10) >= 10  # the nine others lie between: 9 MB of the 10 that the caches hold
        last[which] = i


@pytest.mark.parametrize(("footprint", "copies"), [(1.0, RING), (0.0, RING), (3e6, 4), (9e6, 2), (1e12, 2)])
def test_the_ring_is_as_large_as_it_must_be(footprint: float, copies: int) -> None:
    make = Counted()
    Clock(CPU, 1, evict=10e6, budget=0.001).cold(make, footprint)
    assert make.made == copies


def test_a_host_clock_and_a_device_clock_are_one_on_a_processor() -> None:
    clock = Clock(CPU, 1, 0, budget=0.002)
    for whose in ("device", "launch", "host"):
        assert clock.hot(lambda: None, whose).host == 0


def test_what_goes_wrong_is_not_swallowed() -> None:
    def broken() -> None:
        raise RuntimeError("no kernel")

    with pytest.raises(RuntimeError, match="no kernel"):
        Clock(CPU, 1, 1e6, budget=0.001).hot(broken)
    with pytest.raises(RuntimeError, match="no kernel"):
        Clock(CPU, 1, 1e6, budget=0.001).cold(lambda: broken, 1e6)


def test_no_garbage_is_collected_while_timing() -> None:
    import gc

    with pytest.raises(KeyboardInterrupt), quiet():
        assert not gc.isenabled()
        raise KeyboardInterrupt
    assert gc.isenabled()
