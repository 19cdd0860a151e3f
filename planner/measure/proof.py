"""Real networks timed whole, and their operations alone, in the same minutes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch

from planner.measure import probe, replay
from planner.measure.canary import TOLERANCE, disturbance, fastest, watched
from planner.measure.run import Event, Patience, clock, measure
from planner.measure.subjects import Subject
from planner.measure.timing import Clock
from planner.schema.measurement import Canary, Cell, Selection, Traced, Trial

Pair = tuple[Canary, Canary]
PASSES = 2
PATIENCE = Patience(again=6, extra=2.0)


def trials(
    subjects: Sequence[Subject], selection: Selection, canaries: Sequence[Canary], device: torch.device, *, replay: bool
) -> Iterator[Trial]:
    """Each subject and its operations timed in turns, PASSES times. What was timed while canaries were far off the best that the
    record or these trials saw is timed again, and what was disturbed least is kept, of either: the fastest of many would be
    lucky, and operations are timed more often than networks. With the threads and allocator of the record's run."""
    from planner.measure.allocator import settle

    settle(selection.allocator)
    torch.set_num_threads(selection.threads)
    watch = clock(device, selection.threads, "network")
    done, best = set[str](), fastest(canaries)
    for subject in subjects:
        try:
            traced, cells, timings = _trial(subject, selection, device, watch if replay else None, done, best)
        except (RuntimeError, ValueError) as error:
            yield Trial(Traced(subject.name, (), ()), 0.0, 0.0, (), failure=str(error).splitlines()[0][:200])
            continue
        done |= {c.operation.key for c in cells}
        quietest = sorted(timings, key=lambda t: t.drift)
        yield Trial(traced, quietest[0].median, quietest[-1].median, tuple(cells), quietest[-1].drift)


def _trial(
    subject: Subject, selection: Selection, device: torch.device, watch: Clock | None, done: set[str], best: dict[str, float]
) -> tuple[Traced, list[Cell], list[probe.Timing]]:
    """best: the best canaries, kept up to date."""
    traced, calls = replay.network(subject, device)
    timings, seen = list[probe.Timing](), list[tuple[Cell, Pair]]()
    for _ in range(PASSES):
        timings.append(_time(subject, selection, device, best))
        if watch is not None:
            events = list(measure(replay.work(traced, calls, device, done), watch, PATIENCE, best))
            seen += beside(events)
            best |= fastest((event for event in events if isinstance(event, Canary)), best)
    return traced, undisturbed(seen, best, watched(device.type)), timings


def beside(events: Sequence[Event]) -> Iterator[tuple[Cell, Pair]]:
    """Every cell with the canaries before and after it."""
    waiting, before = list[Cell](), None
    for event in events:
        if isinstance(event, Cell):
            waiting.append(event)
        elif isinstance(event, Canary):
            yield from ((cell, (before or event, event)) for cell in waiting)
            waiting, before = [], event


def undisturbed(seen: Sequence[tuple[Cell, Pair]], best: Mapping[str, float], names: Iterable[str] = TOLERANCE) -> list[Cell]:
    """Of the times that a cell was measured the middle one of those that nothing disturbed, or else the least disturbed.

    names: the canaries that tell.
    """
    by_cell: dict[tuple[str, ...], list[tuple[float, Cell]]] = {}
    for cell, pair in seen:
        by_cell.setdefault(cell.identity, []).append((max(disturbance(canary, best, names) for canary in pair), cell))
    chosen = []
    for times in by_cell.values():
        quiet = sorted((cell for off, cell in times if off <= 1), key=lambda cell: cell.median)
        chosen.append(quiet[(len(quiet) - 1) // 2] if quiet else min(times, key=lambda t: t[0])[1])
    return chosen


def _time(subject: Subject, selection: Selection, device: torch.device, best: Mapping[str, float]) -> probe.Timing:
    """In a process of its own on a CPU, where what ran before changes the allocator; an accelerator keeps its context."""
    if device.type == "cpu":
        return probe.apart(subject, device.type, selection.threads, selection.allocator, best)
    return probe.here(subject, device, selection.threads, best)
