"""Pooling: the largest of a window and the mean of an image."""

from collections.abc import Iterator

from planner.measure.case import Case, Target, of_call, t
from planner.schema.measurement import Tier

IMAGES = ((1, 64, 96), (4, 64, 96), (16, 64, 96), (1, 1024, 6), (16, 1024, 6))


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """Over images of several batches."""
    for dtype in target.floats:
        for batch, channels, side in IMAGES[1:2] if tier == "quick" else IMAGES:
            x = t(dtype, batch, channels, side, side)
            yield of_call("aten.max_pool2d_with_indices.default", x, [3, 3], [2, 2], [1, 1])
            yield of_call("aten.mean.dim", x, [-1, -2], True)
