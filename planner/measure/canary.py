"""Three small things timed again and again between cells: whether the machine is still what it was a moment ago."""

import time
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any

import numpy as np
import torch

from planner.measure.timing import Clock
from planner.schema.measurement import Canary

TOLERANCE = {"loop": 1.10, "product": 1.10, "triad": 1.25}
"""How far off the best a canary may be; memory is shared with neighbours, and moves more."""
OWN = ("product", "triad")
"""Those that tell whether an accelerator was disturbed, which times its operations itself: the loop is its host's."""


class Canaries:
    """Makes them, and remembers the best of each.

    best: the best [s] that others saw on the same machine and threads, by name.
    """

    def __init__(self, clock: Clock, best: Mapping[str, float] | None = None) -> None:
        self.clock, self.start = clock, time.perf_counter()
        side, size = (256, 1 << 23) if clock.device.type == "cpu" else (6144, 1 << 27)
        dtype = torch.float32 if clock.device.type == "cpu" else torch.bfloat16
        self.a, self.b = (torch.randn(side, side, device=clock.device, dtype=dtype) for _ in range(2))
        self.x, self.y, self.z = (torch.ones(size, device=clock.device) for _ in range(3))
        self.best = dict(best or {})

    def sing(self) -> Canary:
        """Time the three [s], each the median of several."""
        loop = self._median(_loop, 5)
        product = self._median(lambda: torch.mm(self.a, self.b), 9)
        triad = self._median(lambda: torch.add(self.x, self.y, alpha=1.5, out=self.z), 3)
        canary = Canary(time.perf_counter() - self.start, loop, product, triad)
        self.best = fastest([canary], self.best)
        return canary

    def steady(self, canary: Canary, names: Iterable[str] = TOLERANCE) -> bool:
        """Whether each of these is near the best seen."""
        return disturbance(canary, self.best, names) <= 1

    def disturbance(self, canary: Canary) -> float:
        """How far it is off the best seen; see ``disturbance``."""
        return disturbance(canary, self.best)

    def _median(self, run: Callable[[], Any], count: int) -> float:
        times = []
        for _ in range(count):
            self.clock.wait()
            start = time.perf_counter()
            run()
            self.clock.wait()
            times.append(time.perf_counter() - start)
        return median(times)


def disturbance(canary: Canary, best: Mapping[str, float], names: Iterable[str] = TOLERANCE) -> float:
    """How far a canary is off the best [s] of each of these names, as a multiple of what is allowed."""
    return max((getattr(canary, name) / best[name] - 1) / (TOLERANCE[name] - 1) for name in names)


def watched(kind: str, whose: str = "device") -> Iterable[str]:
    """The canaries that tell whether a cell was disturbed, by kind of device (``torch.device.type``) and ``Case.clock``."""
    return OWN if kind != "cpu" and whose in ("device", "queued") else TOLERANCE


def fastest(canaries: Iterable[Canary], best: Mapping[str, float] | None = None) -> dict[str, float]:
    """The best of each canary [s], those of ``best`` among them."""
    found = dict(best or {})
    for canary in canaries:
        found = {name: min(found.get(name, np.inf), getattr(canary, name)) for name in TOLERANCE}
    return found


def _loop() -> None:
    for _ in range(20_000):
        pass
