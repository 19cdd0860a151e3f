"""A run of the bench: canaries between cells, what they disturb is measured again, and what fails is written down."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from planner.measure import canary, run
from planner.measure.canary import TOLERANCE, Canaries
from planner.measure.case import Case, of_call, t
from planner.measure.run import Patience, Work, both, clock, measure
from planner.measure.timing import MOST, Clock, Timed
from planner.schema.measurement import Canary, Cell
from tests.measure.records import operation

CPU = torch.device("cpu")
QUICK = Clock(CPU, 1, 1 << 22, 1e-3)
UNSEEN = dict.fromkeys(TOLERANCE, 1e-9)  # canaries [s] that no machine comes near to


def work(count: int) -> list[Work]:
    return [Work(of_call("aten.add.Tensor", t("fp32", n), t("fp32", n)), "hot") for n in range(1, count + 1)]


def failing(make: Callable[[torch.device], Callable[[], Any]], variant: str = "odd") -> Work:
    return Work(Case(operation(variant=variant), make), "hot")


def raises(error: Exception) -> Callable[[torch.device], Callable[[], Any]]:
    def make(_: torch.device) -> Callable[[], Any]:
        raise error

    return make


def test_every_cell_once_between_canaries_that_begin_and_end() -> None:
    events = list(measure(work(5), QUICK))
    cells = [e for e in events if isinstance(e, Cell) and not e.repeats]
    assert isinstance(events[0], Canary) and isinstance(events[-1], Canary)
    assert [c.operation for c in cells] == [w.case.operation for w in work(5)]
    for c in cells:
        assert 0 < c.least <= c.low <= c.median <= c.high and 0 < c.samples <= MOST and c.inner >= 1 and c.host == 0


@pytest.mark.parametrize("every", [0.0, 1e9])
def test_what_an_unsteady_canary_is_beside_is_measured_again_but_not_for_ever(
    every: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that was faster once the spare is used up, no cell more than twice, and it ends."""
    monkeypatch.setattr(run, "EVERY", every)
    patience = Patience(again=2, extra=0.25)
    cells = [e for e in measure(work(8), QUICK, patience, UNSEEN) if isinstance(e, Cell)]
    assert max(c.repeats for c in cells) <= 2
    assert len(cells) == 8 + 2 + 1
    one = [e for e in measure(work(1), QUICK, patience, UNSEEN) if isinstance(e, Cell)]
    assert [c.repeats for c in one] == [0, 1]


def test_no_cell_is_measured_more_than_it_may_be() -> None:
    cells = [e for e in measure(work(3), QUICK, Patience(again=2, extra=100), UNSEEN) if isinstance(e, Cell)]
    assert sorted(c.repeats for c in cells) == sorted([0, 1, 2] * 3)


def test_steady_canaries_repeat_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "EVERY", 0.0)
    for name in TOLERANCE:
        monkeypatch.setitem(TOLERANCE, name, 1e9)
    events = list(measure(work(4), QUICK))
    assert sum(isinstance(e, Canary) for e in events) == 5 and all(not e.repeats for e in events if isinstance(e, Cell))


def test_an_accelerator_s_cells_are_not_disturbed_by_a_slow_host() -> None:
    """What it times itself is told by its own canaries; what the host takes to launch, by the host's too."""
    slow_host = Canary(0.0, 2.0, 1.0, 1.0)
    best = dict.fromkeys(TOLERANCE, 1.0)
    for kind, whose, quiet in (
        ("cuda", "device", True),
        ("cuda", "queued", True),
        ("cuda", "launch", False),
        ("cpu", "device", False),
    ):
        assert (canary.disturbance(slow_host, best, canary.watched(kind, whose)) <= 1) is quiet


def test_a_canary_is_held_against_the_best_so_far() -> None:
    canaries = Canaries(QUICK)
    first = canaries.sing()
    assert canaries.steady(first) and canaries.best == {name: getattr(first, name) for name in TOLERANCE}
    for name, allowed in TOLERANCE.items():
        assert canaries.steady(replace(first, **{name: getattr(first, name) * allowed * 0.99}))
        assert not canaries.steady(replace(first, **{name: getattr(first, name) * allowed * 1.01}))
    assert set(TOLERANCE) == {"loop", "product", "triad"} and canary.Canaries is Canaries


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (failing(raises(RuntimeError("no kernel\nat line 2"))), "no kernel"),
        (failing(raises(NotImplementedError())), "NotImplementedError"),
        (failing(raises(ValueError("x" * 500))), "x" * 200),
        (failing(lambda _: lambda: torch.mm(torch.ones(2, 3), torch.ones(2, 3))), "mat1 and mat2 shapes"),
        (failing(lambda _: torch.ops.aten.nothing.default), "nothing"),
        (failing(lambda _: lambda: torch.empty(1 << 60)), "allocate"),
        (failing(raises(OSError(28, "No space left on device"))), "No space left"),
    ],
    ids=["RuntimeError", "without words", "long", "wrong shapes", "no such operation", "no memory", "a full disk"],
)  # fmt: skip
def test_a_failing_case_is_written_down_and_the_rest_goes_on(item: Work, why: str) -> None:
    events = list(measure([item, *work(2)], QUICK))
    (failed,) = [e for e in events if isinstance(e, tuple)]
    assert failed[0] == "elementwise odd fp32 elements=1024" and why in failed[1] and len(failed[1]) <= 200
    assert sum(isinstance(e, Cell) and not e.repeats for e in events) == 2


def test_a_run_of_nothing_but_failures_ends() -> None:
    events = list(measure([failing(raises(RuntimeError("no"))), failing(raises(RuntimeError("no")), "odd 2")], QUICK))
    assert sum(isinstance(e, tuple) for e in events) == 2 and not any(isinstance(e, Cell) for e in events)


def test_cold_runs_have_operands_of_their_own() -> None:
    """At least two, and together more than the caches: the ring of 4 MB over 0.5 MB has eight."""
    made: list[torch.Tensor] = []
    used: list[int] = []

    def make(device: torch.device) -> Callable[[], Any]:
        mine = torch.randn(1 << 16, device=device)
        made.append(mine)
        return lambda: used.append(mine.data_ptr())

    o = operation(read=float(1 << 18), written=float(1 << 18))
    cell = run._cell(Work(Case(o, make, ("hot", "cold")), "cold"), QUICK)
    assert isinstance(cell, Cell) and cell.cache == "cold" and len(made) == 8
    assert set(used) == {x.data_ptr() for x in made}
    assert all(a != b for a, b in pairwise(used[2:]))


def test_nothing_is_counted_with_gradients() -> None:
    seen: list[bool] = []
    run._cell(failing(lambda _: lambda: seen.append(torch.is_grad_enabled())), QUICK)
    assert seen and not any(seen)


@pytest.mark.parametrize(
    ("share", "spread", "threads", "quality"),
    [(1.0, 0.0, 1, "ok"), (0.5, 0.0, 1, "contended"), (0.5, 0.0, 2, "ok"), (1.0, 0.5, 1, "noisy"), (0.5, 0.5, 1, "contended")],
)
def test_quality_is_of_spread_and_cpu_time(share: float, spread: float, threads: int, quality: str) -> None:
    samples = tuple(float(s) for s in 1e-3 * np.linspace(1 - spread, 1 + spread, 11))
    timed = Timed(samples, 2, share, 0.0, 1e-2)
    assert timed.at(0.5) == pytest.approx(1e-3) and timed.spread == pytest.approx(spread)
    found = run._as_cell(work(1)[0], timed, Clock(CPU, threads, 0))
    assert found.quality == quality and found.spread == pytest.approx(spread) and found.samples == 11


def test_hot_and_cold_of_one_case_are_two_cells() -> None:
    case = of_call("aten.add.Tensor", t("fp32", 512, 512), t("fp32", 512, 512), caches=("hot", "cold"))
    events = list(measure(both(case, CPU), QUICK))
    assert [e.cache for e in events if isinstance(e, Cell) and not e.repeats] == ["hot", "cold"]
    assert clock(CPU, 2, "quick").threads == 2
