"""A run of the bench: cases in random order, canaries between them, what was disturbed measured again."""

import gc
import random
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch

from planner.measure.canary import Canaries, watched
from planner.measure.case import Case, Target, suites
from planner.measure.environment import last_cache
from planner.measure.timing import CONTENDED, STEADY, Clock, Timed, quiet
from planner.schema.measurement import Cache, Canary, Cell, Quality, Tier

EVERY = 2.0  # s between canaries
EVICT = (48 << 20, 128 << 20)  # bytes that push everything else out: at least, at most (a larger cache is shared with neighbours)
COLD = 4e5  # bytes of operands from which it is measured what they cost cold; on an accelerator ten times that
Event = Cell | Canary | tuple[str, str]
"""A cell, a canary, or an operation that failed and why."""


@dataclass(frozen=True)
class Patience:
    """How often what was disturbed is measured again: ``again`` times a cell, and ``extra`` of all the cells."""

    again: int = 3
    extra: float = 0.5


@dataclass(frozen=True)
class Work:
    """A cell to measure."""

    case: Case
    cache: Cache
    repeats: int = 0

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from every other cell of a record."""
        return *self.case.operation.identity, self.cache


def target(device: torch.device, folder: str) -> Target:
    """The grid's extent for a device."""
    if device.type == "cpu":
        return Target(device, ("fp32", "bf16"), 3e9, 4.1e8, folder)
    dtypes = ["fp32", "fp16"]
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        dtypes += ["bf16", "tf32", "int8"] if capability >= (8, 0) else []
        dtypes += ["fp8"] if capability >= (8, 9) else []
    return Target(device, tuple(dtypes), 4e12, 3e9, folder)


def grid(names: Iterable[str], tier: Tier, goal: Target) -> list[Work]:
    """Every cell of the suites asked for, in an order that no drift of the machine lines up with."""
    cases = [case for name in names for case in suites()[name].cases(tier, goal)]
    return shuffled([work for case in cases for work in both(case, goal.device)])


def both(case: Case, device: torch.device) -> list[Work]:
    """A case in the states of the caches that matter to it: operands that are small, or larger than any cache, are only hot."""
    size = case.operation.read + case.operation.written
    least = COLD if device.type == "cpu" else 10 * COLD
    return [Work(case, cache) for cache in case.caches if cache == "hot" or least <= size <= EVICT[1]]


def shuffled(work: list[Work]) -> list[Work]:
    """In random order, the same one every time; each cell once."""
    once = list({w.identity: w for w in work}.values())
    random.Random(1).shuffle(once)
    return once


def clock(device: torch.device, threads: int, tier: Tier) -> Clock:
    """A clock for a tier: a quick look takes shorter samples."""
    size = min(max(1.5 * last_cache(), EVICT[0]), EVICT[1]) if device.type == "cpu" else 3e8
    budget = {"quick": 0.03, "standard": 0.025, "network": 0.04}[tier]
    return Clock(device, threads, size, budget if device.type == "cpu" else budget / 2)


def measure(
    work: list[Work], watch: Clock, patience: Patience | None = None, best: Mapping[str, float] | None = None
) -> Iterator[Event]:
    """Cells as they are measured, canaries between them; a cell that is measured again comes again.

    best: the best canaries [s] that earlier runs on this machine saw, by name.
    """
    torch.set_num_threads(watch.threads)
    with quiet():
        yield from _measured(work, Canaries(watch, best), patience or Patience())


def _measured(work: list[Work], canaries: Canaries, patience: Patience) -> Iterator[Event]:
    watch = canaries.clock
    yield canaries.sing()
    waiting, since = deque(work), list[Cell]()
    spare, last = int(patience.extra * len(work)) + 1, time.perf_counter()
    known = {w.identity: w for w in work}
    while waiting:
        item = waiting.popleft()
        found = _cell(item, watch)
        yield found
        if isinstance(found, Cell):
            since.append(found)
        if time.perf_counter() - last > EVERY or not waiting:
            canary = canaries.sing()
            yield canary
            for cell in since:
                item = known[cell.identity]
                steady = canaries.steady(canary, watched(watch.device.type, item.case.clock))
                if not steady and cell.repeats < patience.again and spare > 0:
                    waiting.append(replace(item, repeats=cell.repeats + 1))
                    spare -= 1
            gc.collect()  # between cells, where it disturbs none
            since, last = [], time.perf_counter()


def _cell(item: Work, watch: Clock) -> Cell | tuple[str, str]:
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = item.case.tf32
    try:
        with torch.no_grad():
            make = partial(item.case.make, watch.device)
            o = item.case.operation
            timed = watch.hot(make(), item.case.clock) if item.cache == "hot" else watch.cold(make, o.read + o.written)
    except (RuntimeError, TypeError, ValueError, AttributeError, OSError) as error:  # a full disk, an operation torch lacks
        name = " ".join(item.identity[:4])
        return name, str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    return _as_cell(item, timed, watch)


def _as_cell(item: Work, timed: Timed, watch: Clock) -> Cell:
    contended = (
        watch.device.type == "cpu" and watch.threads == 1 and timed.cpu_share < CONTENDED and item.case.operation.op != "transfer"
    )
    quality: Quality = "contended" if contended else "noisy" if timed.spread > 4 * STEADY else "ok"
    return Cell(
        item.case.operation, item.cache, timed.at(0.5), timed.at(0.25), timed.at(0.75), min(timed.samples), len(timed.samples),
        timed.inner, round(timed.cpu_share, 4), round(timed.faults, 2), timed.host, timed.first, quality, item.repeats,
    )  # fmt: skip
