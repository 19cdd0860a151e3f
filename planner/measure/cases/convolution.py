"""Convolutions over a pyramid of images: 1×1, 3×3 and larger, dense, grouped and depthwise, and their gradients."""

from collections.abc import Iterator

from planner.measure.case import Case, Target, channels_last, of_call, t
from planner.schema.measurement import Cache, Tier

# (channels in, out, size of the side, kernel, stride)
DENSE = (
    (3, 64, 192, 7, 2),
    (3, 32, 192, 3, 2),
    (3, 96, 192, 4, 4),
    (3, 512, 192, 16, 16),
    (16, 64, 96, 1, 1),
    (64, 16, 96, 1, 1),
    (32, 128, 48, 1, 1),
    (128, 32, 48, 1, 1),
    (64, 256, 48, 1, 1),
    (256, 64, 48, 1, 1),
    (32, 256, 24, 1, 1),
    (256, 32, 24, 1, 1),
    (128, 512, 24, 1, 1),
    (512, 128, 24, 1, 1),
    (96, 512, 12, 1, 1),
    (512, 96, 12, 1, 1),
    (256, 1024, 12, 1, 1),
    (1024, 256, 12, 1, 1),
    (160, 1024, 6, 1, 1),
    (1024, 160, 6, 1, 1),
    (512, 2048, 6, 1, 1),
    (2048, 512, 6, 1, 1),
    (256, 512, 48, 1, 2),
    (512, 1024, 24, 1, 2),
    (64, 64, 48, 3, 1),
    (128, 128, 24, 3, 1),
    (256, 256, 12, 3, 1),
    (512, 512, 6, 3, 1),
    (128, 128, 48, 3, 2),
    (256, 256, 24, 3, 2),
    (512, 512, 12, 3, 2),
)
# (channels, size, stride)
DEPTHWISE = (
    (32, 96, 1),
    (64, 96, 2),
    (128, 48, 1),
    (128, 48, 2),
    (256, 24, 1),
    (256, 24, 2),
    (384, 12, 1),
    (512, 12, 2),
    (1024, 6, 1),
)
GROUPED = ((128, 48, 32), (256, 24, 32), (512, 12, 32))
BACKWARD = (0, 4, 8, 9, 12, 13, 16, 17, 20, 24, 25, 26, 27, 28)
LAST = (4, 8, 12, 16, 20, 24, 26)
BATCHES = (1, 8)


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """Three batches of every shape that the machine can afford."""
    if tier == "quick":
        for dtype in target.floats:
            yield from _dense(dtype, 4, DENSE[25], target)
            yield from _dense(dtype, 4, DENSE[12], target)
            yield from _depthwise(dtype, 4, DEPTHWISE[2])
        return
    scale = 1 if target.device.type == "cpu" else 8
    for dtype in target.floats:
        for batch in BATCHES:
            for i, shape in enumerate(DENSE):
                yield from _dense(dtype, batch * scale, shape, target, cold=batch == 1)
                if batch == 8 and i in BACKWARD:
                    yield from _dense(dtype, batch * scale, shape, target, backward=True)
                if batch == 8 and i in LAST:
                    yield from _dense(dtype, batch * scale, shape, target, last=True)
            for wide in DEPTHWISE:
                yield from _depthwise(dtype, batch * scale, wide)
            for channels, size, groups in GROUPED if batch > 1 else ():
                yield _convolution(dtype, batch * scale, (channels, channels, size, 3, 1), groups)


def _dense(
    dtype: str,
    batch: int,
    shape: tuple[int, ...],
    target: Target,
    *,
    backward: bool = False,
    last: bool = False,
    cold: bool = False,
) -> Iterator[Case]:
    cin, cout, size, kernel, stride = shape
    flop = 2.0 * batch * (size // stride) ** 2 * cin * cout * kernel**2 * (2 if backward else 1)
    if flop > target.flop:
        return
    heavy = cin * cout * kernel**2 >= 250_000
    caches: tuple[Cache, ...] = ("hot", "cold") if cold and heavy else ("hot",)
    yield _backward(dtype, batch, shape) if backward else _convolution(dtype, batch, shape, last=last, caches=caches)


def _depthwise(dtype: str, batch: int, shape: tuple[int, int, int]) -> Iterator[Case]:
    channels, size, stride = shape
    yield _convolution(dtype, batch, (channels, channels, size, 3, stride), channels)


def _convolution(
    dtype: str, batch: int, shape: tuple[int, ...], groups: int = 1, *, last: bool = False, caches: tuple[Cache, ...] = ("hot",)
) -> Case:
    cin, cout, size, kernel, stride = shape
    image = channels_last(dtype, batch, cin, size) if last else t(dtype, batch, cin, size, size)
    weight = channels_last(dtype, cout, cin // groups, kernel) if last else t(dtype, cout, cin // groups, kernel, kernel)
    around = kernel // 2 if stride < kernel and kernel > 1 else 0
    around = 0 if kernel == stride else around
    return of_call(
        "aten.convolution.default", image, weight, None, [stride, stride], [around, around], [1, 1], False, [0, 0], groups,
        caches=caches,
    )  # fmt: skip


def _backward(dtype: str, batch: int, shape: tuple[int, ...]) -> Case:
    cin, cout, size, kernel, stride = shape
    around = kernel // 2 if stride < kernel else 0
    out = (size + 2 * around - kernel) // stride + 1
    return of_call(
        "aten.convolution_backward.default", t(dtype, batch, cout, out, out), t(dtype, batch, cin, size, size),
        t(dtype, cout, cin, kernel, kernel), [0], [stride, stride], [around, around], [1, 1], False, [0, 0], 1,
        [True, True, False],
    )  # fmt: skip
