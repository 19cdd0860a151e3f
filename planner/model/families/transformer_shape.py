"""A transformer of another size in the proportions of one that is known: how a number of parameters becomes a shape.

Width and depth grow together, so that their ratio stays that of the known model; heads keep their width, and the feed-forward
its multiple of the hidden size. Loss depends little on the shape at a given size (Kaplan et al., arXiv:2001.08361, abstract).
"""

from dataclasses import replace

import numpy as np

from planner.model.columns import Array, Columns, product
from planner.model.families.transformer_size import flatten, parameters
from planner.schema.workload import Architecture

DEEPEST = 256
WIDEST = 512
"""Heads at most."""
KEEP = 0.2
"""How much a factor of e in the proportions weighs against one in the size."""


def like(base: Architecture, target: float) -> Architecture:
    """The shape nearest to ``target`` parameters [count] in the proportions of ``base``; the base itself where it is that size.

    Heads come in multiples of those that keys and values have (of 4 without groups), layers of 4, so that they can be dealt
    out over devices. Raises ValueError for a mixture of experts: its size is not one number.
    """
    if base.moe is not None:
        raise ValueError("a mixture of experts has no shape by its number of parameters alone")
    own = float(parameters(Columns(flatten(base), length=1))["total"][0])
    if abs(target / own - 1) < 1e-3:
        return base
    grouped = base.num_kv_heads < base.num_heads
    step = base.num_kv_heads if grouped and base.num_kv_heads >= 4 else 4
    grid = product(num_heads=np.arange(step, WIDEST + 1, step) * 1.0, num_layers=np.arange(4, DEEPEST + 1, 4) * 1.0)
    wide = _rounded(grid.num_heads * base.hidden_size / base.num_heads, 64)
    inner = _rounded(wide * base.ffn_size / base.hidden_size, 128)
    same = {name: np.full(len(grid), value) for name, value in flatten(base).items()}
    kv = np.full(len(grid), base.num_kv_heads, float) if grouped else grid.num_heads
    shapes = Columns({**same, "num_heads": grid.num_heads, "num_layers": grid.num_layers, "num_kv_heads": kv,
                      "hidden_size": wide, "ffn_size": inner})  # fmt: skip
    off = np.abs(np.log(parameters(shapes)["total"] / target))
    bent = np.abs(np.log(wide / grid.num_layers * base.num_layers / base.hidden_size))
    row = shapes.take([int(np.argmin(off + KEEP * bent))])
    sizes = {n: int(row[n][0]) for n in ("hidden_size", "num_layers", "num_heads", "num_kv_heads", "ffn_size")}
    window = base.window and replace(base.window, layers=round(base.window.layers * sizes["num_layers"] / base.num_layers))
    return replace(base, **sizes, window=window)  # type: ignore[arg-type]


def _rounded(value: Array, to: int) -> Array:
    return np.maximum(to, np.rint(value / to) * to)
