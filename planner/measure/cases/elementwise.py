"""Elementwise work by kind and size: activations and their gradients, sums, copies, casts, joins."""

from collections.abc import Iterator

from planner.measure.case import LONG, Case, Target, of_call, t
from planner.schema.measurement import Tier

SIZES = (1 << 7, 1 << 12, 1 << 16, 1 << 19, 1 << 21, 1 << 23)
FEW = (1 << 12, 1 << 17, 1 << 21, 1 << 23)
LONGEST = 512  # tokens of a cache on an accelerator; on a CPU one sequence takes it all


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """From the cost of a call to well beyond the last cache."""
    sizes = (1 << 11, 1 << 21) if tier == "quick" else SIZES
    scale = 1 if target.device.type == "cpu" else 16
    for dtype in target.floats:
        for size in sizes:
            yield from _often(dtype, size * (scale if size > 1 << 16 else 1))
        if tier == "quick":
            continue
        for size in FEW:
            yield from _seldom(dtype, size * (scale if size > 1 << 16 else 1), longest=LONGEST if scale > 1 else size)


def _often(dtype: str, n: int) -> Iterator[Case]:
    x = t(dtype, n)
    yield of_call("aten.add.Tensor", x, x)
    yield of_call("aten.gelu.default", x)
    yield of_call("aten.relu.default", x)
    yield of_call("aten.hardtanh.default", x, 0.0, 6.0)


def _seldom(dtype: str, n: int, longest: int) -> Iterator[Case]:
    x, rows = t(dtype, n), max(n // 64, 1)
    other = LONG["bf16" if dtype == "fp32" else "fp32"]
    for name in ("sigmoid", "silu", "exp"):
        yield of_call(f"aten.{name}.default", x)
    yield of_call("aten.mul.Tensor", x, x)
    yield of_call("aten.clone.default", t(dtype, 64, rows, stride=(1, 64)))
    yield of_call("aten.copy_.default", x, x)
    yield of_call("aten.copy_.default", x, t(other, n))
    yield of_call("aten.fill_.Scalar", x, 0.0)
    yield of_call("aten.gelu.default", x, approximate="tanh")
    yield of_call("aten.gelu_backward.default", x, x)
    yield of_call("aten.gelu_backward.default", x, x, approximate="tanh")
    yield of_call("aten.threshold_backward.default", x, x, 0.0)
    yield of_call("aten.sum.dim_IntList", t(dtype, rows, 64), [0], True)
    # caches that grow by one token: long pieces, and short ones
    heads = 12 * max(1, n // (12 * 64 * longest))
    half = max(n // (heads * 64), 2)
    yield of_call("aten.cat.default", (t(dtype, heads, half - 1, 64), t(dtype, heads, 1, 64)), 1)
