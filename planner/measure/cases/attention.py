"""Attention through ``scaled_dot_product_attention``: prefill and decode, causal and not, forward and backward."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from planner.measure.call import tensor
from planner.measure.case import Case, Target, t
from planner.schema.measurement import Cache, Operation, Tier

PREFILL = ((1, 64), (1, 160), (1, 256), (1, 640), (1, 1536), (4, 64), (4, 160), (4, 256), (4, 640), (8, 96), (8, 256), (16, 64))
DECODE = tuple((batch, context) for batch in (1, 4, 16) for context in (96, 384, 768, 2048))
BACKWARD = ((1, 160), (1, 384), (4, 96), (4, 160), (8, 160))
HEADS, DIM = 12, 64
LONG = ((1, 512), (1, 4096), (4, 2048), (16, 1024)), ((1, 2048), (16, 1024), (64, 4096), (8, 16384))
MORE = ((1, 1024), (1, 4096), (4, 2048), (16, 512), (1, 8192)), ((1, 1024), (8, 1024), (64, 1024), (8, 8192), (64, 4096))
LAYOUTS = (((32, 128), *MORE), *((layout, *LONG) for layout in ((16, 64), (32, 64), (8, 128), (16, 128), (40, 128))))
"""Of an accelerator: heads and their width, (batch, length) of prefill, (batch, context) of decode."""


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """Twelve heads of 64; on an accelerator longer sequences and other heads too."""
    if tier == "quick":
        for dtype in target.floats:
            yield from _case(dtype, (4, 256, 256), causal=True)
            yield from _case(dtype, (4, 1, 768), causal=False)
        return
    for dtype in target.floats:
        for batch, length in PREFILL:
            for causal in (False, True) if batch in (1, 4) else (False,):
                yield from _case(dtype, (batch, length, length), causal=causal)
        for batch, context in DECODE:
            yield from _case(dtype, (batch, 1, context), causal=False, caches=("hot", "cold"))
        for batch, length in BACKWARD:
            for causal in (False, True):
                yield from _case(dtype, (batch, length, length), causal=causal, backward=True)
        for layout, lengths, contexts in LAYOUTS if target.device.type != "cpu" and dtype != "fp32" else ():
            for batch, length in lengths:
                yield from _case(dtype, (batch, length, length), causal=True, wide=layout)
            for batch, context in contexts:
                yield from _case(dtype, (batch, 1, context), causal=False, wide=layout, caches=("hot", "cold"))


def _case(
    dtype: str, size: tuple[int, int, int], *, causal: bool, backward: bool = False, wide: tuple[int, int] = (HEADS, DIM),
    caches: tuple[Cache, ...] = ("hot",),
) -> Iterator[Case]:  # fmt: skip
    (batch, query, context), (heads, dim) = size, wide
    shape = {"batch": float(batch), "heads": float(heads), "query": float(query), "context": float(context), "dim": float(dim)}
    each = 4 if dtype == "fp32" else 2
    flop = 4.0 * batch * heads * query * context * dim * (0.5 if causal and query > 1 else 1.0) * (2.5 if backward else 1.0)
    read = float(batch * heads * (query + 2 * context) * dim * each) * (2 if backward else 1)
    variant = ("causal" if causal else "full") + (" backward" if backward else "")
    operation = Operation("attention", variant, dtype, shape, flop, read, float(batch * heads * query * dim * each))

    def make(device: torch.device) -> Callable[[], Any]:
        def draw(length: int) -> torch.Tensor:
            return tensor(t(dtype, batch, length, heads, dim), device).transpose(1, 2)  # as the projections leave them

        q, k, v = draw(query), draw(context), draw(context)
        if backward:
            return _backward(q, k, v, causal)
        return lambda: scaled_dot_product_attention(q, k, v, is_causal=causal)

    yield Case(operation, make, caches)


def _backward(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool) -> Callable[[], Any]:
    """The gradient alone: the forward pass is kept."""
    with torch.enable_grad():
        leaves = [x.detach().clone().requires_grad_() for x in (q, k, v)]
        out = scaled_dot_product_attention(leaves[0], leaves[1], leaves[2], is_causal=causal)
    grad = torch.randn_like(out)
    return lambda: torch.autograd.grad(out, leaves, grad, retain_graph=True)
