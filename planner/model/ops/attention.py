"""Attention over many queries (prefill and training): FlashAttention-like, nothing of q × kv size goes to memory.

Blocks of 128 queries by head spread over the compute units; the causal half is skipped, so that the last block of a
sequence, which sees all of its keys, may outlast the rest. What the queries, keys and values cost on their way (positions,
the cache, the reading) is a pass or several over memory that does not overlap with it.
Dao et al., FlashAttention-2 (arXiv:2307.08691), section 3.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.ops.matmul import padded
from planner.model.surface import factor

COEFFICIENTS = {
    "e": 0.7,  # share of the 16-bit peak on long sequences; beyond 1 where kernels compute in 8 bits
    "e_b": 0.8,  # share of the memory bandwidth, all passes over the same bytes together
    "t0": 0.0,
    "kv0": 0.0,  # keys each block of queries costs on top: start, softmax, and the masked diagonal
    "w": 0.0,  # share of the longest block's time that the end of the last wave leaves idle
    "v": 0.0,  # keys a block visits at least where a window hides some: kernels skip only so coarsely
    "h": 1.0,  # how many times faster than memory what the operator before left on the chip is read
    "f": 0.8,  # share of the chip's memory up to which it is left there
}
BLOCK = 128
CACHE = 40e6  # bytes of on-chip memory where the datasheet gives none
SURFACE = {
    "context": (8.0, 32.0, 128.0, 1024.0, 8192.0),
    "load": (1 / 16, 0.5, 1.0, 4.0, 32.0, 128.0),
    "dim": (64.0, 128.0, 192.0, 256.0),
}


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s] for shape batch, heads, query, context and longest [keys a query sees on average, and the last one], dim,
    windowed [1 where a window hides earlier keys, else 0], products [1 forward; backward as many times the work]."""
    s, d, c = Columns(op.shape), machine.device, machine.laws["attention"]
    return time(s, op.moved, d, c) * factor(SURFACE, sizes(s, d), machine.surfaces.get("attention"))


def sizes(s: Columns, device: Columns) -> dict[str, Array]:
    """Where on the surface: load is blocks of queries a compute unit."""
    return {"context": s.context, "load": _blocks(s) / _units(device), "dim": s.dim}


def time(s: Columns, moved: Array, device: Columns, c: Columns) -> Array:
    """The law; see ``seconds``. device: peak_half, bandwidth, units, systolic, cache. Returns (N,) [s]."""
    units, least = _units(device), np.minimum(c.v, s.query / 2) * s.windowed
    key = 4 * BLOCK * padded(s.dim, device.systolic) * s.products * units / (device.peak_half * c.e)  # s a key of one block
    fluid = _blocks(s) / units * (np.maximum(s.context, least) + c.kv0) * key
    longest = np.where(np.isfinite(device.units), (np.maximum(s.longest, least) + c.kv0) * key, 0.0)
    cache = np.where(np.isfinite(device.cache), device.cache, CACHE)
    stayed = 1 / (1 + (moved / (np.maximum(c.f, 1e-3) * cache)) ** 4)
    t_mem = moved / (device.bandwidth * c.e_b * (1 + (np.maximum(c.h, 1.0) - 1) * stayed))
    return c.t0 + t_mem + np.maximum(longest, fluid + c.w * longest)


def _blocks(s: Columns) -> Array:
    return np.asarray(s.batch * s.heads * np.ceil(s.query / BLOCK))


def _units(device: Columns) -> Array:
    return np.where(np.isfinite(device.units), device.units, 1.0)
