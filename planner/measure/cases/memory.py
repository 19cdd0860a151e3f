"""Bandwidth by working set, from the first cache to main memory: copy, scale, triad, sum; in place and allocating."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from planner.measure.case import Case, Target
from planner.schema.measurement import Operation, Tier

KILO = 1024
SETS = tuple(KILO * k for k in (16, 64, 256, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 393216))
QUICK = (64 * KILO, 1024 * KILO, 16384 * KILO, 196608 * KILO)
STREAMS = {"sum": 1, "copy": 2, "scale": 2, "triad": 3, "triad allocating": 3}


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """Each kind over working sets of all its arrays together [B]."""
    for size in QUICK if tier == "quick" else SETS:
        if size > target.bytes:
            continue
        for kind in STREAMS if tier != "quick" else ("sum", "triad", "triad allocating"):
            yield _case(kind, size)
    if target.device.type != "cpu":
        for kind in STREAMS:
            yield _case(kind, int(min(target.bytes, 3e9)))


def _case(kind: str, size: int) -> Case:
    streams = STREAMS[kind]
    n = size // 4 // streams
    read = 4.0 * n * (streams if kind == "sum" else streams - 1)
    shape = {"bytes": float(4 * n * streams)}
    operation = Operation("memory", kind, "fp32", shape, 0.0, read, 0.0 if kind == "sum" else 4.0 * n)

    def make(device: torch.device) -> Callable[[], Any]:
        a, b, c = (torch.full((n,), 1.25, device=device) for _ in range(3))
        runs: dict[str, Callable[[], Any]] = {
            "sum": lambda: torch.sum(a),
            "copy": lambda: c.copy_(a),
            "scale": lambda: torch.mul(a, 1.5, out=c),
            "triad": lambda: torch.add(a, b, alpha=1.5, out=c),
            "triad allocating": lambda: torch.add(a, b, alpha=1.5),
        }
        return runs[kind]

    return Case(operation, make)
