"""Whole networks from a record: toy records, worked by hand."""

from dataclasses import replace

import pytest

from planner.calibrate.proof import proof
from planner.calibrate.whole import machine, predict
from planner.errors import InputError
from planner.schema.measurement import Cell, Found, Operation, Record, Selection, Traced, Trial, Visit


def add(n: float, key: str = "") -> Operation:
    return Operation("elementwise", "add", "fp32", {"elements": n}, 0.0, 8 * n, 4 * n, key)


def cell(o: Operation, seconds: float, cache: str = "hot", host: float = 0.0) -> Cell:
    return Cell(o, cache, seconds, seconds, seconds, seconds, 5, 1, host=host)  # type: ignore[arg-type]


def record(*cells: Cell, kind: str = "cpu") -> Record:
    found = Found(kind, "toy", {}, {})  # type: ignore[arg-type]
    return Record("toy", "", "", found, Selection("standard", ()), "2026", "2026", cells)


def overhead(variant: str, seconds: float, calls: float = 1.0) -> Cell:
    return cell(Operation("overhead", variant, "fp32", {"calls": calls}), seconds)


def sums(*pairs: tuple[float, float]) -> list[Cell]:
    return [cell(Operation("memory", "sum", "fp32", {"bytes": b}, 0.0, b, 0.0), s) for b, s in pairs]


GRID = [cell(add(n), n * 1e-9) for n in (2.0**k for k in range(10, 24, 2))]
LATER = Traced("net", (add(2.0**15, "k"),), (Visit(0, ()), Visit(0, ())))


def test_between_cells_of_the_grid() -> None:
    """An add takes 1 ns an element at every size, so 32,768 take 32.8 us, and two of them twice that."""
    assert predict(machine(record(*GRID)), LATER, replay=False).seconds == pytest.approx(2 * 32.768e-6, rel=0.02)


def test_a_replayed_operation_is_taken_as_it_was_timed() -> None:
    m = machine(record(*GRID, cell(add(2.0**15, "k"), 50e-6)))
    found = predict(m, LATER, replay=True)
    assert found.seconds == pytest.approx(100e-6) and set(found.sources) == {"replayed"}


def test_operands_that_left_the_caches_cost_what_the_curve_says() -> None:
    """1 ns a byte in cache and 3 ns in memory: 393,216 cold bytes add 2 ns each, 786 us, to a hot run of 33 us."""
    curve = sums((2.0**14, 0.0), (2.0**19, 2.0**19 * 1e-9), (2.0**22, 2.0**22 * 1e-9), (2.0**28, 2.0**28 * 3e-9))
    size = 12 * 2.0**15
    cold = replace(LATER, visits=(Visit(0, ((size, 1e18),)),))
    assert predict(machine(record(*GRID, *curve)), cold, replay=False).seconds == pytest.approx(32.768e-6 + size * 2e-9, rel=0.02)


def test_replayed_cold_time_is_reached_when_all_left() -> None:
    curve = sums((2.0**14, 0.0), (2.0**19, 2.0**19 * 1e-9), (2.0**28, 2.0**28 * 3e-9))
    size = 12 * 2.0**15
    cells = [*GRID, *curve, cell(add(2.0**15, "k"), 50e-6), cell(add(2.0**15, "k"), 90e-6, "cold")]
    for part, seconds in ((0.0, 50e-6), (0.5, 70e-6), (1.0, 90e-6)):
        touched = ((part * size, 1e18), ((1 - part) * size, 0.0))
        found = predict(machine(record(*cells)), replace(LATER, visits=(Visit(0, touched),)), replay=True)
        assert found.seconds == pytest.approx(seconds, rel=1e-6)


def test_the_framework_adds_to_every_call() -> None:
    """Ten calls of a tiny network take 100 us, an add alone 1 us: 10 us a call less 2.5 adds, twice; and two views."""
    extra = [
        overhead("add", 1e-6),
        overhead("view", 0.5e-6),
        overhead("modules", 100e-6, 10.0),
        overhead("training step", 3e-4, 10.0),
    ]
    view = Operation("view", "t", "fp32", {"elements": 1.0})
    net = Traced("net", (add(2.0**15, "k"), view), (Visit(0, ()), Visit(1, ()), Visit(0, ()), Visit(1, ())))
    cells = [*GRID, *extra, cell(add(2.0**15, "k"), 50e-6)]
    found = predict(machine(record(*cells)), net, replay=True)
    assert found.parts["framework"] == pytest.approx(2 * 7.5e-6 + 2 * 0.5e-6)
    assert found.seconds == pytest.approx(100e-6 + 16e-6)


def test_an_accelerator_waits_for_its_host_or_hides_it() -> None:
    extra = [overhead("add", 1e-6), overhead("view", 0.0), overhead("modules", 0.0, 10.0), overhead("training step", 0.0, 10.0)]
    for host, seconds in ((10e-6, 100e-6), (80e-6, 160e-6)):
        cells = [*GRID, *extra, cell(add(2.0**15, "k"), 50e-6, host=host)]
        assert predict(machine(record(*cells, kind="cuda")), LATER, replay=True).seconds == pytest.approx(seconds)


def test_a_method_s_call_takes_less_than_what_a_cell_calls() -> None:
    """Launched in 80 us through torch's overload, 30 us of them the overload's: two adds take 100 us."""
    tiny = [overhead("modules", 0.0, 10.0), overhead("training step", 0.0, 10.0), overhead("view called", 0.0)]
    called = [overhead("add", 31e-6), overhead("add called", 1e-6), *tiny]
    m = machine(record(*GRID, *called, cell(add(2.0**15, "k"), 10e-6, host=80e-6), kind="cuda"))
    assert predict(m, LATER, replay=True).seconds == pytest.approx(100e-6)


def test_a_queue_leaves_a_gap_between_kernels() -> None:
    """Kernels that follow each other in a graph after 1 us do so in a queue after 3 us: two adds of 50 us take 104 us."""
    apart = [overhead("kernel", 1e-6), overhead("kernel queued", 3e-6), overhead("add", 1e-6), overhead("modules", 0.0, 10.0)]
    cells = [*GRID, *apart, overhead("training step", 0.0, 10.0), cell(add(2.0**15, "k"), 50e-6, host=1e-6)]
    assert predict(machine(record(*cells, kind="cuda")), LATER, replay=True).seconds == pytest.approx(104e-6)


def test_a_record_without_the_suites_says_so() -> None:
    with pytest.raises(InputError, match="no cells of elementwise"):
        predict(machine(record(*sums((2.0**20, 1e-3)))), LATER, replay=False)


def test_errors_and_intervals_of_a_proof() -> None:
    """A network that takes 131 us, predicted 65.5 us: half, and outside its interval."""
    shown = proof(record(*GRID), [Trial(LATER, 131.072e-6, 1.4e-4, ()), Trial(LATER, 65.536e-6, 7e-5, (), failure="")])
    assert shown.grid and shown.grid.count == 2 and shown.grid.held == 1
    assert shown.grid.worst == pytest.approx(0.5, abs=0.01) and shown.lines[0].replay is None
