"""Attention over many queries (prefill and training): FlashAttention-like, nothing of q × kv size goes to memory.

Blocks of 128 queries by head in waves over the compute units; the causal half is skipped.
Dao et al., FlashAttention-2 (arXiv:2307.08691), section 3.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op

COEFFICIENTS = {
    "e": 0.7,  # share of the peak on long sequences
    "e_b": 0.8,
    "t0": 0.0,
    "kv0": 0.0,  # keys each block of queries costs on top: start, softmax, and the masked diagonal
}
BLOCK = 128


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s] for shape batch, heads, query, context (keys a query sees on average), dim."""
    s, d, c = Columns(op.shape), machine.device, machine.laws["attention"]
    return time(s, op.moved, d, c)


def time(s: Columns, moved: Array, device: Columns, c: Columns) -> Array:
    """The law; see ``seconds``. device: peak_half, bandwidth, units. Returns (N,) [s]."""
    blocks = s.batch * s.heads * np.ceil(s.query / BLOCK)
    units = np.where(np.isfinite(device.units), device.units, 1.0)
    fill = blocks / units / np.ceil(blocks / units)
    rows = np.minimum(s.query, BLOCK) / np.minimum(BLOCK, np.ceil(s.query / 16) * 16)
    flop = 4 * s.batch * s.heads * s.query * (s.context + c.kv0) * s.dim
    t_math = flop / (device.peak_half * c.e * np.where(np.isfinite(device.units), fill, 1.0) * rows)
    t_mem = moved / (device.bandwidth * c.e_b)
    return c.t0 + np.sqrt(np.sqrt(t_math**4 + t_mem**4))
