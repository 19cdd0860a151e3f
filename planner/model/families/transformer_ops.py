"""What a transformer's pass is made of: products, streams of bytes and collectives, as operators of given sizes.

The columns of a pass are those of ``transformer``.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Op
from planner.model.ops.collective import share


def product(
    name: str, count: Array | float, size: tuple[Array, Array, Array], p: Columns, *, groups: Array | None = None,
    weight: Array | None = None, half: bool = False,
) -> Op:  # fmt: skip
    """A product of size (m, n, k), each (N,), ``groups`` of them side by side; ``weight``: bytes an element of its right side."""
    m, n, k = size
    g = np.ones(len(p)) if groups is None else groups
    shape = {"m": m, "n": n, "k": k, "groups": g, "quantise": 1.0 - p.fused, "hot": np.zeros(len(p))}
    return Op(
        name, "matmul", "matmul", np.broadcast_to(count, (len(p),)), shape, 2 * m * n * k * g, half=half,
        weight_bytes=n * k * g * (p.weight if weight is None else weight), activation_bytes=(m * k + m * n) * g * p.activation,
    )  # fmt: skip


def stream(name: str, count: Array | float, elements: Array, p: Columns, *, kernels: Array | float) -> Op:
    """So many elements read or written, by so many kernels."""
    shape = {"kernels": np.broadcast_to(kernels, (len(p),))}
    moved = elements * p.activation
    return Op(name, "stream", "elementwise", np.broadcast_to(count, (len(p),)), shape, np.zeros(len(p)), activation_bytes=moved)


def activation(name: str, count: Array, elements: Array, a: Columns, p: Columns) -> Op:
    """What stands between a feed-forward layer's products."""
    fused = 2.0 + a.gated_ffn
    eager = 2.0 + 3.0 * a.gated_ffn
    return stream(name, count, elements * np.where(p.fused > 0, fused, eager), p, kernels=np.where(p.fused > 0, 1.0, 2.0))


def all_reduce(name: str, count: Array, message: Array, p: Columns) -> Op:
    """An all-reduce of ``message`` bytes among the tp ranks of a replica, which sit side by side."""
    shape = {"ranks": p.tp, "volume": share("all_reduce", p.tp) * message, "stride": np.ones_like(p.tp)}
    return Op(name, "collective", "communication", count, shape, np.zeros(len(p)), variant="all_reduce")


def all_to_all(name: str, count: Array, message: Array, p: Columns) -> Op:
    """Tokens to the devices of their experts; nothing where every device already holds every token."""
    shape = {"ranks": p.pooled, "volume": share("all_to_all", p.pooled) * message, "stride": np.ones(len(p))}
    return Op(name, "collective", "dispatch", count * (p.pooled > 1), shape, np.zeros(len(p)), variant="all_to_all")
