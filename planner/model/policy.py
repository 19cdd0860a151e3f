"""What a training run chooses by name: optimizer, recomputation, pipeline schedule. Columns hold the index of a name."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from planner.model.columns import Array, Columns


@dataclass(frozen=True)
class Optimizer:
    """What an update keeps and moves, a trained parameter."""

    state: float
    """Bytes kept between steps: the fp32 weights and what the method remembers."""
    moved: float
    """Bytes read and written by an update: the gradient in fp32, the state, and the weight in 16 bits."""
    iterations: float = 0.0
    """Iterations of an orthogonalisation, each three products of the narrower side of a weight."""


OPTIMIZERS = {
    "adamw": Optimizer(12.0, 30.0),  # fp32 weight and two moments: ZeRO (arXiv:1910.02054), section 3.1
    "adamw_8bit": Optimizer(6.0, 18.0),  # two moments of a byte, block by block (arXiv:2110.02861)
    "adafactor": Optimizer(4.0, 18.0),  # rows' and columns' sums in place of the moments (arXiv:1804.04235)
    "muon": Optimizer(8.0, 22.0, iterations=5.0),  # one moment; five Newton-Schulz iterations (arXiv:2502.16982)
}

RECOMPUTE = ("none", "attention", "full", "operators")
"""What the backward pass runs again: nothing; the core of attention (arXiv:2205.05198, section 5); every layer; or all
but attention and every other product, as torchtitan's per-operator checkpointing does."""
NONE, ATTENTION, FULL, OPERATORS = range(len(RECOMPUTE))

SCHEDULES = ("1f1b", "interleaved", "zero_bubble")
"""Pipelines: one forward, one backward (arXiv:2006.09503); several stages a device (arXiv:2104.04473); weight gradients
where the bubble would be, with no more memory (ZB-H1, arXiv:2401.10241)."""
ONE_F_ONE_B, INTERLEAVED, ZERO_BUBBLE = range(len(SCHEDULES))


def optimizer(p: Columns) -> Columns:
    """The fields of each row's optimizer as columns (N,)."""
    rows: list[Any] = list(OPTIMIZERS.values())
    code = np.asarray(p.optimizer, int)
    return Columns({f.name: np.array([getattr(o, f.name) for o in rows])[code] for f in fields(Optimizer)}, length=len(p))


def again(name: str, part: str, a: Columns, p: Columns) -> Array:
    """Share of an operator of a layer that the backward pass runs again (N,)."""
    attention, of_operators = part == "attention", 0.0 if part in KEPT else 1.0
    if name in SECOND:
        of_operators = SECOND[name](a)
    full, core, operators = (p.recompute == code for code in (FULL, ATTENTION, OPERATORS))
    return np.asarray(full + core * attention + operators * of_operators)


KEPT = ("attention", "matmul", "experts", "communication", "dispatch")
SECOND: dict[str, Callable[[Columns], Any]] = {
    "attention out": lambda a: 1.0,
    "ffn up": lambda a: a.gated_ffn / (1.0 + a.gated_ffn),
    "qkv": lambda a: a.num_kv_heads / (a.num_heads + 2 * a.num_kv_heads),
}
"""Every other product of a layer in its order: keys, the output, and up beside gate."""
