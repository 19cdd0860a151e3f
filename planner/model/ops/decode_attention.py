"""Attention of one new token a sequence over its KV cache.

The cache is read once, at a share of the bandwidth; each sequence and KV head is a block whose start costs time on its
compute unit, so that many short contexts are bound by blocks and few long ones by bytes. A cache too large for the
chip's own memory is split over several blocks whose results must be joined, as FlashDecoding does
(https://crfm.stanford.edu/2023/10/12/flashdecoding.html).
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op

COEFFICIENTS = {
    "e_b": 0.7,  # share of the memory bandwidth
    "t0": 0.0,  # s, start of a kernel
    "t_b": 0.0,  # s a block holds its compute unit at least
    "t_s": 0.0,  # s that joining the splits of a large cache adds
    "e": 0.5,  # share of the peak that the many query heads of one latent head (MLA) reach
}
CACHE = 40e6  # bytes of on-chip memory where the datasheet gives none


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s]: op.kv_bytes read once in shape blocks, op.flop on the matrix units."""
    work = Columns(blocks=op.shape["blocks"], kv=op.kv_bytes, other=op.activation_bytes, flop=op.flop)
    return time(work, machine.device, machine.laws["decode_attention"])


def time(work: Columns, device: Columns, c: Columns) -> Array:
    """The law: work blocks, kv and other [B], flop; device bandwidth, peak_half, units, cache. Returns (N,) [s]."""
    units = np.where(np.isfinite(device.units), device.units, 1.0)
    cache = np.where(np.isfinite(device.cache), device.cache, CACHE)
    t_mem = (work.kv + work.other) / (device.bandwidth * c.e_b)
    t_block = np.where(np.isfinite(device.units), work.blocks / units * c.t_b, 0.0)
    t_math = work.flop / (device.peak_half * c.e)
    return c.t0 + c.t_s * np.minimum(1.0, work.kv / cache) + np.cbrt(t_mem**3 + t_block**3 + t_math**3)
