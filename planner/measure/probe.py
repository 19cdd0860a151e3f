"""A whole network timed in a process of its own: what ran before it in a process changes its allocator and so its time.

``python -m planner.measure.probe '{"network": "bert", ...}'`` prints one line of JSON.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from planner.measure.allocator import settle

SECONDS = {"cpu": 1.5}  # of samples; an accelerator needs less
SHORT = 0.6
FEWEST, MOST = 5, 60


@dataclass(frozen=True)
class Timing:
    """Seconds a pass, the median; drift: the worse of the memory canaries before and after over the better."""

    median: float
    drift: float


def apart(subject: Any, device: str, threads: int, allocator: str) -> Timing:
    """Time a subject in a fresh process; RuntimeError with what it printed where that fails."""
    asked = json.dumps({**asdict(subject), "device": device, "threads": threads, "allocator": allocator})
    out = subprocess.run([sys.executable, "-m", "planner.measure.probe", asked], capture_output=True, text=True, check=False)
    if out.returncode:
        raise RuntimeError((out.stderr.strip().splitlines() or ["it ended without a word"])[-1])
    return Timing(**json.loads(out.stdout.splitlines()[-1]))


def here(subject: Any, device: Any, threads: int) -> Timing:
    """Time a subject in this process, canaries between its passes."""
    from statistics import median

    import torch

    from planner.measure.canary import Canaries
    from planner.measure.subjects import build
    from planner.measure.timing import Clock

    torch.set_num_threads(threads)
    clock = Clock(device, threads, 0)
    step, canaries = build(subject, device), Canaries(clock)
    for _ in range(2 if device.type == "cpu" else 4):
        step()
    before, samples = canaries.sing(), list[float]()
    until = time.perf_counter() + SECONDS.get(device.type, SHORT)
    while len(samples) < MOST and (len(samples) < FEWEST or time.perf_counter() < until):
        clock.wait()
        start = time.perf_counter()
        inner = 0
        while inner == 0 or time.perf_counter() - start < 2e-3:  # short passes go on back to back, as in a server
            step()
            inner += 1
        clock.wait()
        samples.append((time.perf_counter() - start) / inner)
    drift = max(before.triad, canaries.sing().triad) / canaries.best["triad"]
    return Timing(median(samples), drift)


def main(text: str) -> None:
    """Entry point of the process."""
    asked = json.loads(text)
    settle(asked.pop("allocator"))
    import torch

    from planner.measure.subjects import Subject

    device, threads = torch.device(asked.pop("device")), asked.pop("threads")
    print(json.dumps(asdict(here(Subject(**asked), device, threads))))


if __name__ == "__main__":
    main(sys.argv[1])
