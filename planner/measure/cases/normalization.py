"""Norms and softmax by size, with their gradients."""

from collections.abc import Iterator

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
            yield from _batch_norm(dtype, (batch * scale, channels, side), tier, _sums(dtype, target))


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


def _dtype(dtype: str) -> object:
    import torch

    from planner.measure.call import as_data
    from planner.measure.case import LONG

    return as_data(getattr(torch, LONG[dtype]))
