"""Timing one thing well: warm until steady, enough samples, their spread, CPU time beside wall time, page faults, cold caches.

On a CPU every sample is wall time of a block of runs long enough for the clock. On an accelerator it is the device's own
time between two events; where a graph can be captured, of a replayed graph, so that gaps between launches are not counted.
"""

import gc
import itertools
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

Run = Callable[[], Any]
BLOCK = 4e-4  # s a sample at least: the clock and the loop are below a thousandth of it
STEADY = 0.05  # interquartile range over median at which to stop
FEWEST, MOST = 5, 40
RING = 400  # copies of the operands at most
AHEAD = 1e-4  # s that a GPU waits while the host launches a graph
CYCLES = 2e9  # a second of a GPU's clock
LIGHT = 1e-3  # s of the device's time up to which many calls are let wait in its queue
CONTENDED = 0.9  # CPU time over wall time below which others ran


@dataclass(frozen=True)
class Timed:
    """Seconds a run by sample (each one of ``inner`` runs), and what the process used meanwhile."""

    samples: tuple[float, ...]
    inner: int
    cpu_share: float
    faults: float
    first: float
    host: float = 0.0

    def at(self, q: float) -> float:
        """A quantile of the samples [s]."""
        return float(np.quantile(self.samples, q))

    @property
    def spread(self) -> float:
        """Interquartile range over the median."""
        return (self.at(0.75) - self.at(0.25)) / self.at(0.5)


class Clock:
    """Times runs on one device with ``threads`` threads; ``budget`` seconds for a hot cell.

    evict [bytes]: what a ring of cold operands takes together, more than the caches hold.
    """

    def __init__(self, device: torch.device, threads: int, evict: float, budget: float = 0.06) -> None:
        self.device, self.threads, self.evict, self.budget = device, threads, evict, budget

    def hot(self, run: Run, whose: str = "device") -> Timed:
        """Run again and again on the same operands; ``whose`` time counts: see ``Case.clock``."""
        if self.device.type == "cpu" or whose == "host":
            return self._on_cpu(run)
        return self._on_device(run, whose)

    def cold(self, make: Callable[[], Run], footprint: float) -> Timed:
        """Each run on operands of its own out of a ring larger than the caches: they left, the code that works on them stayed."""
        ring = [make() for _ in range(int(np.clip(np.ceil(self.evict / max(footprint, 1.0)), 2, RING)))]
        first = self._once(ring[0])
        second = self._once(ring[1])
        some = int(np.ceil(BLOCK / max(second, 1e-7))) if self.device.type != "cuda" else RING  # a graph's runs take no launch
        inner = max(1, min(len(ring) // 2, some))
        turns = self._turns(ring, inner)
        samples, used = list[float](), _Used()
        until = time.perf_counter() + 2 * self.budget
        while len(samples) < MOST and (len(samples) < FEWEST or time.perf_counter() < until):
            samples.append(self._single(next(turns)) / inner)
            if len(samples) >= 2 * FEWEST and _spread(samples) < STEADY:
                break
        return Timed(tuple(samples), inner, used.cpu_share(self.threads), used.faults() / (len(samples) * inner), first)

    def _turns(self, ring: list[Run], inner: int) -> Iterator[Run]:
        """``inner`` runs of the ring at a time, those that were longest ago; one graph a turn where the device captures them."""
        if self.device.type != "cuda":
            for start in itertools.count(2, inner):
                yield partial(_all, [ring[(start + i) % len(ring)] for i in range(inner)])
        parts = [ring[start : start + inner] for start in range(0, len(ring) - inner + 1, inner)]
        turns = [self._graph(part) or partial(_all, part) for part in parts]
        _all(turns)
        yield from itertools.cycle(turns)

    def _once(self, run: Run) -> float:
        self.wait()
        start = time.perf_counter()
        run()
        self.wait()
        return time.perf_counter() - start

    def _single(self, run: Run, *, ahead: float = AHEAD) -> float:
        """Seconds of a run; on a GPU its own, which waits ``ahead`` seconds so that the host's launching does not count."""
        if self.device.type != "cuda":
            return self._once(run)
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        if ahead:
            torch.cuda._sleep(int(ahead * CYCLES))
        begin.record()
        run()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) * 1e-3

    def _on_cpu(self, run: Run) -> Timed:
        first = self._once(run)
        second = self._once(run) if first < self.budget else first
        inner = max(1, int(np.ceil(BLOCK / max(second, 1e-7))))
        if inner > 1:
            _block(run, inner)  # caches and the allocator settle
        until = time.perf_counter() + self.budget
        samples: list[float] = []
        used = _Used()
        while len(samples) < MOST and (len(samples) < FEWEST or time.perf_counter() < until):
            samples.append(_block(run, inner))
            enough = time.perf_counter() > until - 0.5 * self.budget
            if len(samples) >= FEWEST and enough and _spread(samples) < STEADY:
                break
            if len(samples) >= 3 and samples[-1] * inner > 0.2 * self.budget and _spread(samples) < STEADY:
                break
        runs = len(samples) * inner
        return Timed(tuple(samples), inner, used.cpu_share(self.threads), used.faults() / runs, first)

    def _on_device(self, run: Run, whose: str) -> Timed:
        first = self._once(run)
        self._once(run)
        seconds = self._single(run)
        host = self._host(run, seconds)
        inner = int(np.clip(np.ceil(BLOCK / max(seconds, 1e-7)), 1, 200))
        runs = [run] * inner
        graph = self._graph(runs) if whose == "device" else None
        block = graph or partial(_all, runs)
        ahead = AHEAD if graph else 0.0 if whose == "launch" else 2 * inner * host
        self._once(block)
        until = time.perf_counter() + self.budget
        samples: list[float] = []
        used = _Used()
        while len(samples) < MOST and (len(samples) < FEWEST or time.perf_counter() < until):
            samples.append(self._single(block, ahead=ahead) / inner)
            if len(samples) >= 2 * FEWEST and _spread(samples) < STEADY / 2:
                break
        return Timed(tuple(samples), inner, 1.0, used.faults() / (len(samples) * inner), first, host)

    def _host(self, run: Run, seconds: float) -> float:
        """Seconds until a call returns, the device not waited for; ``seconds``: what the device takes for it."""
        times, calls = [], 16 if seconds < LIGHT else 4  # more calls find the host as a network's many calls do
        for _ in range(5):
            self.wait()
            start = time.perf_counter()
            for _ in range(calls):
                run()
            times.append((time.perf_counter() - start) / calls)
        self.wait()
        return float(np.median(times))

    def _graph(self, runs: list[Run]) -> Run | None:
        """Runs as one captured graph, where the device and the operation allow it."""
        if self.device.type != "cuda":
            return None
        with suppress(RuntimeError):
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                _all(runs)
            return graph.replay
        torch.cuda.synchronize()
        return None

    def wait(self) -> None:
        """Until the device has done all it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()


class _Used:
    """CPU time and page faults of this process from here on."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.usage = resource.getrusage(resource.RUSAGE_SELF)

    def cpu_share(self, threads: int) -> float:
        now = resource.getrusage(resource.RUSAGE_SELF)
        cpu = now.ru_utime + now.ru_stime - self.usage.ru_utime - self.usage.ru_stime
        return cpu / max(time.perf_counter() - self.start, 1e-9) / threads

    def faults(self) -> float:
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - self.usage.ru_minflt)


def _all(runs: Iterable[Run]) -> None:
    for run in runs:
        run()


def _block(run: Run, inner: int) -> float:
    start = time.perf_counter()
    for _ in range(inner):
        run()
    return (time.perf_counter() - start) / inner


def _spread(samples: list[float]) -> float:
    low, middle, high = np.quantile(samples, (0.25, 0.5, 0.75))
    return float((high - low) / middle)


class quiet:  # noqa: N801  a context manager
    """No garbage collection but where it is asked for: it takes longer than most cells."""

    def __enter__(self) -> None:
        gc.collect()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()
