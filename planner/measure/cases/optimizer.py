"""An optimizer's step over a network's parameters: a tensor at a time, all in one list, and fused."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from planner.measure.case import LONG, Case, Target
from planner.schema.measurement import Operation, Tier

SIZES = ((20, 1 << 14), (20, 1 << 18), (10, 1 << 21))
WAYS = {"_fused_adamw": {"fused": True}, "adamw foreach": {"foreach": True}, "adamw for-loop": {"foreach": False}}


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """AdamW in its three forms over lists of tensors, in fp32 and bf16."""
    for dtype in target.floats:
        for count, each in SIZES[1:2] if tier == "quick" else SIZES:
            for variant, ways in WAYS.items():
                if variant == "_fused_adamw" or each == SIZES[1][1]:
                    yield _adamw(variant, ways, dtype, count, each)


def _adamw(variant: str, ways: dict[str, bool], dtype: str, count: int, each: int) -> Case:
    size = 4 if dtype == "fp32" else 2
    elements = float(count * each)
    shape = {"elements": elements, "tensors": float(count)}
    operation = Operation("optimizer", variant, dtype, shape, 0.0, 4 * elements * size, 3 * elements * size)

    def make(device: torch.device) -> Callable[[], Any]:
        parameters = [torch.randn(each, device=device, dtype=getattr(torch, LONG[dtype])).requires_grad_() for _ in range(count)]
        for p in parameters:
            p.grad = torch.randn_like(p)
        return torch.optim.AdamW(parameters, lr=0.0, **ways).step  # type: ignore[arg-type]

    return Case(operation, make)
