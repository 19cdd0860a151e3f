"""Whole networks are timed while the machine is quiet, or as quiet as it gets."""

import pytest
import torch

from planner.measure import probe
from planner.measure.canary import TOLERANCE, fastest
from planner.measure.probe import FEWEST, MOST, Chunk
from planner.measure.subjects import named
from planner.schema.measurement import Canary

CPU = torch.device("cpu")


def test_samples_between_steady_canaries_count_and_others_do_not() -> None:
    noisy, quiet = Chunk((0.9,) * 9, 3.0, 1.5), Chunk((0.5,) * FEWEST, 0.4, 1.04)
    assert probe._quietest([noisy, quiet, noisy], 1.5) == probe.Timing(0.5, 1.04)


def test_where_nothing_was_quiet_the_least_disturbed_count() -> None:
    chunks = [Chunk((1.0 + i,), 2.0 + i, 1.2 + i) for i in range(2 * FEWEST)]
    assert probe._quietest(chunks[::-1], 1.5) == probe.Timing(1.0 + FEWEST // 2, 1.2 + FEWEST - 1)


@pytest.mark.parametrize(
    ("samples", "more"),
    [((2.0,) * (FEWEST - 1), True), ((2.0,) * FEWEST, False), ((0.01,) * FEWEST, True), ((0.001,) * MOST, False)],
)
def test_enough_is_five_samples_and_their_time_or_their_number(samples: tuple[float, ...], more: bool) -> None:
    assert probe._more([Chunk(samples, 0.0, 1.0)], 1.5) is more


def test_the_fastest_of_each_canary() -> None:
    seen = fastest([Canary(0, 3, 2, 9), Canary(1, 4, 1, 8)], {"loop": 5, "product": 0.5, "triad": 10})
    assert seen == {"loop": 3, "product": 0.5, "triad": 8} == fastest([], seen)


def test_a_network_on_a_machine_that_never_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is near canaries of a nanosecond: it ends all the same, and says how far off it was."""
    monkeypatch.setattr(probe, "SECONDS", {"cpu": 0.01})
    (subject,) = named("dlrm infer fp32 b128", "cpu")
    timed = probe.here(subject, CPU, 1, dict.fromkeys(TOLERANCE, 1e-9))
    assert timed.median > 0 and timed.drift > 1e3
