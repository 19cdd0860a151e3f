"""Multi-head latent attention of one new token a sequence: all query heads share one latent row a cached token.

The cache is read once, whatever the heads; they are rows of a product with it, padded to the matrix unit's TILE, so that many
heads are bound by FLOP and few by bytes. A sequence is spread over several blocks whose results must be joined, as FlashMLA
does (https://github.com/deepseek-ai/FlashMLA); kernels of GPUs that it is not written for walk a cache in one block for HEADS
of the heads, token by token. DeepSeek-V2 (arXiv:2405.04434), section 2.1.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.surface import factor

COEFFICIENTS = {
    "e": 0.5,  # share of the peak
    "e_b": 0.7,  # share of the memory bandwidth
    "t0": 0.0,  # s, start of a kernel
    "t_b": 0.0,  # s a block holds its compute unit at least
    "t_k": 0.0,  # s a block takes for a cached token, where kernels do not split a sequence over several blocks
    "t_s": 0.0,  # s that joining the splits of a large cache adds
    "h": 1.0,  # how many times faster than memory a cache that stayed on the chip is read: only in repeated timings
    "f": 0.8,  # share of the chip's memory up to which it stays there
}
SURFACE = {
    "context": (16, 128, 512, 2048, 8192, 32768, 131072),
    "heads": (1, 4, 16, 32, 128),
    "batch": (1, 4, 16, 64, 256, 1024),
}
TILE = 16
HEADS = 64
"""Query heads that one block takes."""
CACHE = 40e6  # bytes of on-chip memory where the datasheet gives none


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s] of shape batch, heads, context: op.kv_bytes read from memory, op.flop on the matrix units."""
    s = Columns(op.shape)
    work = s.with_(kv=op.kv_bytes, other=op.activation_bytes, flop=op.flop, hot=np.zeros(len(s)))
    t = time(work, machine.device, machine.laws["decode_mla"])
    return t * factor(SURFACE, sizes(s), machine.surfaces.get("decode_mla"))


def sizes(shape: Columns) -> dict[str, Array]:
    """Where a shape lies on the surface."""
    return {"context": shape.context, "heads": shape.heads, "batch": shape.batch}


def time(work: Columns, device: Columns, c: Columns) -> Array:
    """The law: work batch, heads, context, kv and other [B], flop, hot [1 where the cache was read just before, else 0].

    device bandwidth, peak_half, units, cache. Returns (N,) [s].
    """
    cache = np.where(np.isfinite(device.cache), device.cache, CACHE)
    stayed = work.hot / (1 + (work.kv / (np.maximum(c.f, 1e-3) * cache)) ** 4)
    t_mem = (work.kv + work.other) / (device.bandwidth * c.e_b * (1 + (c.h - 1) * stayed))
    padded = np.ceil(work.heads / TILE) * TILE / np.maximum(work.heads, 1.0)
    t_math = work.flop * padded / (device.peak_half * c.e)
    shares = work.batch * np.ceil(work.heads / HEADS) / np.where(np.isfinite(device.units), device.units, np.inf)
    t_block = shares * c.t_b + np.ceil(shares) * work.context * c.t_k
    return c.t0 + c.t_s * np.minimum(1.0, work.kv / cache) + np.cbrt(t_mem**3 + t_math**3 + t_block**3)
