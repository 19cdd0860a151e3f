"""Attention of one new token a sequence over its KV cache.

The cache is read once, at a share of the bandwidth; each sequence and KV head is a block whose start costs time on its
compute unit, so that many short contexts are bound by blocks and few long ones by bytes. Query heads of one KV head share
its block and its bytes, up to the LONE heads that kernels are written for; beyond, each reads the cache for itself. A
context of more than SPLIT keys is split over units that blocks leave idle, and its results must be joined, as FlashDecoding
does (https://crfm.stanford.edu/2023/10/12/flashdecoding.html); a unit still takes time for each key. Keys are read in whole
pages or tiles, so that shorter contexts take as long as one of them. Where the host launches every kernel it does so while
the device works on the one before: the longer of the two counts.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.surface import factor

COEFFICIENTS = {
    "e_b": 0.7,  # share of the memory bandwidth
    "t0": 0.0,  # s, start of a kernel
    "t_h": 0.0,  # s the host takes for a call at least, hidden behind the device's work
    "k": 1.0,  # keys of a context that are read at least
    "t_b": 0.0,  # s a block of several query heads of WIDTH holds its compute unit at least
    "t_1": 0.0,  # s a block of one query head does
    "d": 0.0,  # how that time grows with the width of a head, as a power
    "m": 0.0,  # how much longer a block takes with every further TILE query heads
    "t_k": 0.0,  # s a compute unit takes for one key of WIDTH
    "p": 1000.0,  # splits of a context at most, where several query heads share it
    "t_s": 0.0,  # s that joining the splits of a long context adds
    "r": 4.0,  # how often heads that do not share the cache find it on the chip
    "h": 1.0,  # how many times faster than memory a cache that stayed on the chip is read: only in repeated timings
    "f": 0.8,  # share of the chip's memory up to which it stays there
    "e": 0.5,  # share of the peak that the many query heads of one latent head (MLA) reach
}
TILE, LONE, SPLIT, WIDTH = 16, 32, 256, 128
CACHE = 40e6  # bytes of on-chip memory where the datasheet gives none
SURFACE = {
    "load": (1 / 16, 0.5, 1.0, 4.0, 16.0, 128.0),
    "context": (32.0, 64.0, 128.0, 512.0, 2048.0, 4096.0, 16384.0),
    "group": (1.0, 2.0, 8.0, 16.0, 32.0, 48.0),
}


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s]: op.kv_bytes read from memory in shape blocks by group query heads each, op.flop on the matrix units.

    context: keys a block sees; dim: width of a head.
    """
    s = op.shape
    work = Columns(
        blocks=s["blocks"], group=s["group"], context=s["context"], dim=s["dim"], kv=op.kv_bytes, other=op.activation_bytes,
        flop=op.flop, hot=0.0,
    )  # fmt: skip
    bent = factor(SURFACE, sizes(work, machine.device), machine.surfaces.get("decode_attention"))
    return time(work, machine.device, machine.laws["decode_attention"]) * bent


def sizes(work: Columns, device: Columns) -> dict[str, Array]:
    """Where on the surface: load is blocks a compute unit."""
    return {"load": work.blocks / _units(device), "context": work.context, "group": work.group}


def time(work: Columns, device: Columns, c: Columns) -> Array:
    """The law: work blocks, group, context, dim, kv and other [B], flop, hot [1 where the cache was read just before, else 0].

    device bandwidth, peak_half, units, cache. Returns (N,) [s].
    """
    cache = np.where(np.isfinite(device.cache), device.cache, CACHE)
    lone = work.group > LONE
    read = work.kv * np.maximum(1.0, c.k / work.context)
    kv = read * np.where(lone, np.maximum(1.0, work.group / np.maximum(c.r, 1.0)), 1.0)
    stayed = work.hot / (1 + (read / (np.maximum(c.f, 1e-3) * cache)) ** 4)
    t_mem = (kv + work.other) / (device.bandwidth * c.e_b * (1 + (c.h - 1) * stayed))
    t_block = _blocks(work, np.where(lone, work.blocks * work.group, work.blocks), device, c)
    t_math = work.flop / (device.peak_half * c.e)
    joining = c.t_s * (1 - 1 / np.maximum(1.0, work.context / SPLIT))
    t_device = c.t0 + joining + np.cbrt(t_mem**3 + t_block**3 + t_math**3)
    return np.sqrt(np.hypot(t_device**2, c.t_h**2))


def _blocks(work: Columns, blocks: Array, device: Columns, c: Columns) -> Array:
    """Seconds the units are held by blocks (N,), nothing where they are not known."""
    units = _units(device)
    alone = (work.group > LONE) | (work.group == 1)
    splits = np.maximum(1.0, np.minimum(work.context / SPLIT, np.minimum(units / blocks, np.where(alone, np.inf, c.p))))
    each = np.where(alone, c.t_1, c.t_b * (1 + c.m * np.maximum(0.0, work.group / TILE - 1))) * (work.dim / WIDTH) ** c.d
    keys = np.maximum(1.0, blocks * splits / units) * work.context / splits * work.dim / WIDTH
    return np.where(np.isfinite(device.units), blocks / units * each + keys * c.t_k, 0.0)


def _units(device: Columns) -> Array:
    return np.where(np.isfinite(device.units), device.units, 1.0)
