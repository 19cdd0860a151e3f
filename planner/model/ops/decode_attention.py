"""Attention of one new token a sequence over its KV cache.

The cache is read once, at a share of the bandwidth; each sequence and KV head is a block whose start costs time on its
compute unit, so that many short contexts are bound by blocks and few long ones by bytes. Query heads of one KV head share
its block and its bytes, up to the LONE heads that kernels are written for; beyond, each reads the cache for itself. A
cache too large for the chip's own memory is split over several blocks whose results must be joined, as FlashDecoding
does (https://crfm.stanford.edu/2023/10/12/flashdecoding.html).
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op

COEFFICIENTS = {
    "e_b": 0.7,  # share of the memory bandwidth
    "t0": 0.0,  # s, start of a kernel
    "t_b": 0.0,  # s a block of several query heads holds its compute unit at least
    "t_1": 0.0,  # s a block of one query head does
    "m": 0.0,  # how much longer a block takes with every further TILE query heads
    "t_s": 0.0,  # s that joining the splits of a large cache adds
    "r": 4.0,  # how often heads that do not share the cache find it on the chip
    "h": 1.0,  # how many times faster than memory a cache that stayed on the chip is read: only in repeated timings
    "f": 0.8,  # share of the chip's memory up to which it stays there
    "e": 0.5,  # share of the peak that the many query heads of one latent head (MLA) reach
}
TILE, LONE = 16, 32
CACHE = 40e6  # bytes of on-chip memory where the datasheet gives none


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s]: op.kv_bytes read from memory in shape blocks by group query heads each, op.flop on the matrix units."""
    s = op.shape
    work = Columns(blocks=s["blocks"], group=s["group"], kv=op.kv_bytes, other=op.activation_bytes, flop=op.flop, hot=0.0)
    return time(work, machine.device, machine.laws["decode_attention"])


def time(work: Columns, device: Columns, c: Columns) -> Array:
    """The law: work blocks, group, kv and other [B], flop, hot [1 where the cache was read just before, else 0].

    device bandwidth, peak_half, units, cache. Returns (N,) [s].
    """
    units = np.where(np.isfinite(device.units), device.units, 1.0)
    cache = np.where(np.isfinite(device.cache), device.cache, CACHE)
    lone = work.group > LONE
    kv = work.kv * np.where(lone, np.maximum(1.0, work.group / np.maximum(c.r, 1.0)), 1.0)
    stayed = work.hot / (1 + (work.kv / (np.maximum(c.f, 1e-3) * cache)) ** 4)
    t_mem = (kv + work.other) / (device.bandwidth * c.e_b * (1 + (c.h - 1) * stayed))
    shared = np.where(work.group > 1, c.t_b * (1 + c.m * np.maximum(0.0, work.group / TILE - 1)), c.t_1)
    t_block = np.where(lone, work.blocks * work.group * c.t_1, work.blocks * shared) / units
    t_math = work.flop / (device.peak_half * c.e)
    joining = c.t_s * np.minimum(1.0, work.kv / cache)
    return c.t0 + joining + np.cbrt(t_mem**3 + np.where(np.isfinite(device.units), t_block, 0.0) ** 3 + t_math**3)
