"""Between the host, the device and the disk."""

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from weakref import finalize

import torch

from planner.measure.case import Case, Target
from planner.schema.measurement import Operation, Tier

SIZES = (1 << 12, 1 << 20, 1 << 26)
FILE = 1 << 26


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """Host to device and back, pinned and pageable; reading a file that the system may have kept in memory, and one it let go."""
    if target.device.type == "cuda":
        for size in SIZES[2:] if tier == "quick" else SIZES:
            for way in ("to device", "to host", "to device pinned", "to host pinned"):
                yield _copy(way, size)
    if target.folder and tier != "network":
        yield _disk(target.folder, "read kept")
        if hasattr(os, "posix_fadvise"):
            yield _disk(target.folder, "read from disk")


def _copy(way: str, size: int) -> Case:
    def make(device: torch.device) -> Callable[[], Any]:
        host = torch.empty(size, dtype=torch.uint8, pin_memory="pinned" in way)
        there = torch.empty(size, dtype=torch.uint8, device=device)
        if "to device" in way:
            return lambda: there.copy_(host, non_blocking="pinned" in way)
        return lambda: host.copy_(there, non_blocking="pinned" in way)

    return Case(Operation("transfer", way, "int", {"bytes": float(size)}, 0.0, float(size), float(size)), make, clock="launch")


def _disk(folder: str, way: str) -> Case:
    def make(device: torch.device) -> Callable[[], Any]:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  lives as long as what reads it
        block = os.urandom(1 << 20)
        for _ in range(FILE >> 20):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())

        def read() -> None:
            if way == "read from disk":
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            file.seek(0)
            while file.read(1 << 20):
                pass

        finalize(read, file.close)
        return read

    return Case(Operation("transfer", way, "int", {"bytes": float(FILE)}, 0.0, float(FILE), 0.0), make, clock="host")
