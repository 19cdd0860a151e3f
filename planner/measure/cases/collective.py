"""Collectives by size among all ranks that torchrun started: NCCL on GPUs, gloo on CPUs. Empty where there is one rank."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import distributed

from planner.measure.case import Case, Target
from planner.schema.measurement import Operation, Tier

SIZES = tuple(1 << n for n in range(10, 30, 2))
QUICK = (1 << 12, 1 << 22)
KINDS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """Each kind over messages [B]: all that a rank holds before it, or after an all-gather."""
    if not distributed.is_available() or not distributed.is_initialized() or distributed.get_world_size() < 2:
        return
    largest = 1 << 26 if target.device.type == "cpu" else 1 << 30
    for size in QUICK if tier == "quick" else SIZES:
        for kind in KINDS if size <= largest else ():
            if target.device.type != "cpu" or kind in ("all_reduce", "all_gather"):  # gloo has no more
                yield _case(kind, size)


def _case(kind: str, size: int) -> Case:
    ranks = distributed.get_world_size()
    shape = {"ranks": float(ranks), "message": float(size)}

    def make(device: torch.device) -> Callable[[], Any]:
        n = size // 4 // ranks * ranks
        whole, part = torch.ones(n, device=device), torch.ones(n // ranks, device=device)
        other = torch.empty_like(whole)
        pieces = list(other.chunk(ranks))
        runs: dict[str, Callable[[], Any]] = {
            "all_reduce": lambda: distributed.all_reduce(whole),
            "all_gather": lambda: distributed.all_gather(pieces, part),
            "reduce_scatter": lambda: distributed.reduce_scatter_tensor(part, whole),
            "all_to_all": lambda: distributed.all_to_all_single(other, whole),
        }
        return runs[kind]

    return Case(Operation("collective", kind, "fp32", shape, 0.0, float(size), float(size)), make)
