"""Real networks timed whole, and their operations alone, in the same minutes."""

from collections.abc import Iterator, Mapping, Sequence

import torch

from planner.measure import probe, replay
from planner.measure.canary import fastest
from planner.measure.run import Patience, clock, measure
from planner.measure.subjects import Subject
from planner.measure.timing import Clock
from planner.schema.measurement import Canary, Cell, Selection, Traced, Trial

PASSES = 2
PATIENCE = Patience(again=6, extra=2.0)


def trials(
    subjects: Sequence[Subject], selection: Selection, canaries: Sequence[Canary], device: torch.device, *, replay: bool
) -> Iterator[Trial]:
    """Each subject and its operations timed in turns, PASSES times, and the best pass of either kept: a neighbour slows a machine
    down for longer than a cell takes, and never speeds it up. What was timed while canaries were far off the best that the
    record or these trials saw is timed again. With the threads and allocator of the record's run."""
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
        medians = sorted(t.median for t in timings)
        yield Trial(traced, medians[0], medians[-1], tuple(cells), max(t.drift for t in timings))


def _trial(
    subject: Subject, selection: Selection, device: torch.device, watch: Clock | None, done: set[str], best: dict[str, float]
) -> tuple[Traced, list[Cell], list[probe.Timing]]:
    """best: the best canaries, kept up to date."""
    traced, calls = replay.network(subject, device)
    timings, passes = list[probe.Timing](), list[Cell]()
    for _ in range(PASSES):
        timings.append(_time(subject, selection, device, best))
        if watch is not None:
            events = list(measure(replay.work(traced, calls, device, done), watch, PATIENCE, best))
            passes += [event for event in events if isinstance(event, Cell)]
            best |= fastest((event for event in events if isinstance(event, Canary)), best)
    slowest_first = sorted(passes, key=lambda cell: -cell.median)
    return traced, list({cell.identity: cell for cell in slowest_first}.values()), timings


def _time(subject: Subject, selection: Selection, device: torch.device, best: Mapping[str, float]) -> probe.Timing:
    """In a process of its own on a CPU, where what ran before changes the allocator; an accelerator keeps its context."""
    if device.type == "cpu":
        return probe.apart(subject, device.type, selection.threads, selection.allocator, best)
    return probe.here(subject, device, selection.threads, best)
