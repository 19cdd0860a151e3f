"""Matrix products: linear layers as they are called, their gradients' two orientations, and batches side by side."""

from collections.abc import Iterator
from itertools import product

import torch

from planner.measure.case import Case, Target, of_call, t, transposed
from planner.schema.measurement import Cache, Operation, Tier

# (n, k): out and in of a linear layer
LAYERS = ((64, 64), (256, 256), (512, 128), (1024, 512), (1000, 2048), (512, 2048), (1024, 1024), (2048, 1024), (1024, 4096),
          (4096, 1024), (1, 512), (16384, 1024), (49152, 512))  # fmt: skip
ROWS = (1, 8, 32, 160, 512, 2048)
LARGE = ((4096, 4096), (8192, 8192), (6144, 4096), (28672, 4096), (4096, 14336), (2048, 2048), (3072, 768), (7168, 2048),
         (1024, 8192), (8192, 3584), (10240, 8192), (128256, 4096))  # fmt: skip
LARGE_ROWS = (1, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
GRADIENTS = ((256, 256), (1024, 1024), (4096, 1024), (1024, 4096), (30000, 640))
SIDE_BY_SIDE = ((64, 27, 27, 64), (1024, 27, 27, 64), (96, 128, 128, 64), (96, 512, 64, 512), (12, 1, 512, 64))
SQUARES = (512, 1024, 1536, 2048)
LARGE_SQUARES = (4096, 6144, 8192, 12288)
COLD = 2.5e5  # bytes of weights from which it matters whether they are in a cache


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """m from a single row to thousands, over layers from tiny to a vocabulary's."""
    if tier == "quick":
        for dtype in target.floats:
            yield from _layer(dtype, 1024, 1024, 1024)
            yield from _layer(dtype, 1, 4096, 1024)
        return
    large = [(m, n, k) for (n, k), m in product(LARGE, LARGE_ROWS)] if target.device.type != "cpu" else []
    for dtype in target.dtypes:
        layers = [(m, n, k) for (n, k), m in product(LAYERS, ROWS)] if dtype in target.floats else []
        for m, n, k in [*layers, *(large if dtype != "fp32" else [])]:
            if 2.0 * m * n * k <= target.flop:
                yield from _layer(dtype, m, n, k)
    for dtype in target.floats:
        for (n, k), m in product(GRADIENTS, (64, 512, 2048)):
            if 2.0 * m * n * k <= target.flop:
                yield of_call("aten.mm.default", t(dtype, m, n), t(dtype, n, k))
                yield of_call("aten.mm.default", transposed(dtype, n, m), t(dtype, m, k))
        for side in SQUARES if target.device.type == "cpu" else LARGE_SQUARES:  # where the peak is
            yield of_call("aten.mm.default", t(dtype, side, side), t(dtype, side, side))
        for batch, m, n, k in SIDE_BY_SIDE:
            yield of_call("aten.bmm.default", t(dtype, batch, m, k), t(dtype, batch, k, n, stride=(k * n, 1, k)))


def _layer(dtype: str, m: int, n: int, k: int) -> Iterator[Case]:
    if dtype in ("int8", "fp8"):
        if m % 16 == 0 and n % 16 == 0 and m > 16:  # what torch's kernels take
            yield Case(_operation(dtype, m, n, k), lambda device: _narrow(dtype, m, n, k, device))
        return
    caches: tuple[Cache, ...] = ("hot", "cold") if n * k * 2 >= COLD and m <= 1024 else ("hot",)
    case = of_call("aten.addmm.default", t(dtype, n), t(dtype, m, k), transposed(dtype, k, n), caches=caches)
    if dtype == "tf32":
        o = case.operation
        case = Case(Operation(o.op, o.variant, "tf32", o.shape, o.flop, o.read, o.written, o.key), case.make, ("hot",), tf32=True)
    yield case


def _operation(dtype: str, m: int, n: int, k: int) -> Operation:
    shape = {"batch": 1.0, "m": float(m), "n": float(n), "k": float(k)}
    out = 4.0 if dtype == "int8" else 2.0
    return Operation("matmul", "mm nt", dtype, shape, 2.0 * m * n * k, float(m * k + n * k), out * m * n)


def _narrow(dtype: str, m: int, n: int, k: int, device: torch.device):  # type: ignore[no-untyped-def]
    if dtype == "int8":
        a, b = (torch.randint(-128, 127, shape, dtype=torch.int8, device=device) for shape in ((m, k), (n, k)))
        return lambda: torch._int_mm(a, b.t())
    x, w = (torch.randn(shape, device=device).to(torch.float8_e4m3fn) for shape in ((m, k), (n, k)))
    one = torch.ones((), device=device)
    return lambda: torch._scaled_mm(x, w.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
