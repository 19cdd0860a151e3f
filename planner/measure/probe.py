"""A whole network timed in a process of its own: what ran before it in a process changes its allocator and so its time.

``python -m planner.measure.probe '{"network": "bert", ...}'`` prints one line of JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from planner.measure.allocator import settle

if TYPE_CHECKING:
    from planner.measure.timing import Clock

SECONDS = {"cpu": 1.5}  # of samples; an accelerator needs less
SHORT = 0.6
LONGEST = {"cpu": 8.0}  # times as long is waited for a quiet machine
WAIT = 3.0  # for a quiet host of an accelerator
CHUNK = 0.3  # s of samples between canaries: a neighbour comes and goes in seconds
FEWEST, MOST = 5, 60


@dataclass(frozen=True)
class Timing:
    """Seconds a pass, the median of the samples that were disturbed least; drift: the worst canary beside those over the best."""

    median: float
    drift: float


@dataclass(frozen=True)
class Chunk:
    """Samples [s] between two canaries, and the worse of the two: over what is allowed, and over the best."""

    samples: tuple[float, ...]
    disturbance: float
    drift: float


def apart(subject: Any, device: str, threads: int, allocator: str, best: Mapping[str, float]) -> Timing:
    """Time a subject in a fresh process; RuntimeError with what it printed where that fails. best: see ``here``."""
    asked = json.dumps({**asdict(subject), "device": device, "threads": threads, "allocator": allocator, "best": dict(best)})
    out = subprocess.run([sys.executable, "-m", "planner.measure.probe", asked], capture_output=True, text=True, check=False)
    if out.returncode:
        raise RuntimeError((out.stderr.strip().splitlines() or ["it ended without a word"])[-1])
    return Timing(**json.loads(out.stdout.splitlines()[-1]))


def here(subject: Any, device: Any, threads: int, best: Mapping[str, float]) -> Timing:
    """Time a subject in this process, canaries between its passes, until enough of them had the machine for themselves.

    best: the best canaries [s] seen on the machine, by name.
    """
    import torch

    from planner.measure.canary import Canaries
    from planner.measure.subjects import build
    from planner.measure.timing import Clock

    torch.set_num_threads(threads)
    clock = Clock(device, threads, 0)
    step, canaries = build(subject, device), Canaries(clock, best)
    for _ in range(2 if device.type == "cpu" else 4):
        step()
    wanted, chunks, before = SECONDS.get(device.type, SHORT), list[Chunk](), canaries.sing()
    start = time.perf_counter()
    while not chunks or _more([c for c in chunks if c.disturbance <= 1], wanted):
        samples = _samples(step, clock)
        after = canaries.sing()
        pair = (before, after)
        drift = max(getattr(canary, name) / least for canary in pair for name, least in canaries.best.items())
        chunks.append(Chunk(samples, max(map(canaries.disturbance, pair)), drift))
        before = after
        if time.perf_counter() - start > LONGEST.get(device.type, WAIT) * wanted and not _more(chunks, wanted):
            break
    return _quietest(chunks, wanted)


def _samples(step: Callable[[], Any], clock: "Clock") -> tuple[float, ...]:
    """Seconds a pass, again and again for CHUNK seconds."""
    samples, until = list[float](), time.perf_counter() + CHUNK
    while not samples or time.perf_counter() < until:
        clock.wait()
        start = time.perf_counter()
        inner = 0
        while inner == 0 or time.perf_counter() - start < 2e-3:  # short passes go on back to back, as in a server
            step()
            inner += 1
        clock.wait()
        samples.append((time.perf_counter() - start) / inner)
    return tuple(samples)


def _more(chunks: Sequence[Chunk], wanted: float) -> bool:
    """Whether these are too few samples: FEWEST, and MOST of them or ``wanted`` seconds."""
    count = sum(len(c.samples) for c in chunks)
    return count < FEWEST or (count < MOST and sum(sum(c.samples) for c in chunks) < wanted)


def _quietest(chunks: Sequence[Chunk], wanted: float) -> Timing:
    """The least disturbed chunks, as many as are enough."""
    used = list[Chunk]()
    for chunk in sorted(chunks, key=lambda c: c.disturbance):
        if used and not _more(used, wanted):
            break
        used.append(chunk)
    return Timing(median(s for c in used for s in c.samples), max(c.drift for c in used))


def main(text: str) -> None:
    """Entry point of the process."""
    asked = json.loads(text)
    settle(asked.pop("allocator"))
    import torch

    from planner.measure.subjects import Subject

    device, threads, best = torch.device(asked.pop("device")), asked.pop("threads"), asked.pop("best")
    print(json.dumps(asdict(here(Subject(**asked), device, threads, best))))


if __name__ == "__main__":
    main(sys.argv[1])
