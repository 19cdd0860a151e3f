"""Norms and softmax by size, with their gradients."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from planner.measure.case import Case, Target, of_call, t
from planner.schema.measurement import Tier

ROWS = (1, 16, 160, 1024, 8192)
WIDTH = 1024
# (batch, channels, side)
IMAGES = ((1, 64, 96), (1, 256, 24), (1, 1024, 6), (4, 64, 48), (16, 96, 96), (16, 256, 24), (16, 1024, 6))


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """Layer norm and softmax over rows, batch norm over images."""
    scale = 1 if target.device.type == "cpu" else 8
    for dtype in target.floats:
        for rows in ROWS[2:3] if tier == "quick" else ROWS:
            m = rows * (scale if rows > 100 else 1)
            x, w = t(dtype, 1, m, WIDTH), t(dtype, WIDTH)
            yield of_call("aten.native_layer_norm.default", x, [WIDTH], w, w, 1e-5)
            yield of_call("aten._softmax.default", t(dtype, m, WIDTH), -1, False)
            if tier != "quick" and rows > 100:
                one = t(_sums(dtype, target), 1, m, 1)
                yield of_call("aten.native_layer_norm_backward.default", x, x, [WIDTH], one, one, w, w, [True, True, True])
                yield of_call("aten._log_softmax.default", t(dtype, m, WIDTH), 1, False)
                yield of_call("aten._log_softmax_backward_data.default", t(dtype, m, WIDTH), t(dtype, m, WIDTH), 1, _dtype(dtype))
        for batch, channels, side in IMAGES[3:4] if tier == "quick" else IMAGES:
            shape = (batch * scale, channels, side)
            yield from _batch_norm(dtype, shape, tier, _sums(dtype, target))
            if dtype == "fp32" and target.device.type == "cuda" and torch.backends.cudnn.is_available():  # torch takes it there
                yield from _cudnn_batch_norm(shape, tier)


def _sums(dtype: str, target: Target) -> str:
    """What means and deviations are kept in: fp32 on an accelerator."""
    return dtype if target.device.type == "cpu" else "fp32"


def _batch_norm(dtype: str, shape: tuple[int, int, int], tier: Tier, sums: str) -> Iterator[Case]:
    batch, channels, side = shape
    x, c, s = t(dtype, batch, channels, side, side), t(dtype, channels), t(sums, channels)
    yield of_call("aten.native_batch_norm.default", x, c, c, c, c, False, 0.1, 1e-5)
    if tier != "quick" and batch > 1:
        yield of_call("aten.native_batch_norm.default", x, c, c, c, c, True, 0.1, 1e-5)
        yield of_call("aten.native_batch_norm_backward.default", x, x, c, c, c, s, s, True, 1e-5, [True, True, True])


def _cudnn_batch_norm(shape: tuple[int, int, int], tier: Tier) -> Iterator[Case]:
    batch, channels, side = shape
    x, c = t("fp32", batch, channels, side, side), t("fp32", channels)
    for training in (False, True) if tier != "quick" and batch > 8 else (False,):
        yield of_call("aten.cudnn_batch_norm.default", x, c, c, c, c, training, 0.1, 1e-5)
    if tier != "quick" and batch > 8:
        call = of_call("aten.cudnn_batch_norm_backward.default", x, x, c, c, c, c, c, 1e-5, t("uint8", 1))
        yield replace(call, make=partial(_cudnn_backward, shape))


def _cudnn_backward(shape: tuple[int, int, int], device: torch.device) -> Callable[[], Any]:
    """On what its forward pass kept, which only that knows the size of."""
    batch, channels, side = shape
    x, w, b, mean = (torch.randn(s, device=device) for s in ((batch, channels, side, side), channels, channels, channels))
    var, ops = torch.ones(channels, device=device), torch.ops.aten
    kept = ops.cudnn_batch_norm.default(x, w, b, mean, var, True, 0.1, 1e-5)[1:]
    return lambda: ops.cudnn_batch_norm_backward.default(x, x, w, mean, var, *kept[:2], 1e-5, kept[2])


def _dtype(dtype: str) -> object:
    from planner.measure.call import as_data
    from planner.measure.case import LONG

    return as_data(getattr(torch, LONG[dtype]))
