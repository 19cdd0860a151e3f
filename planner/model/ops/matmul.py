"""Matrix product (m, k) × (k, n), one or many side by side: tiles in waves over the compute units, or bytes over memory.

After the wave and tile quantisation of NVIDIA's "Matrix Multiplication Background
User's Guide" (2023) and split-K. A handful of rows goes through the vector units instead, without padding, where that is faster:
it is on devices without matrix units. A device without known compute units falls back to a smooth roofline of the largest tile.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.surface import factor

COEFFICIENTS = {
    "e": 1.0,  # share of the peak that a full wave of large tiles reaches
    "e_b": 1.0,  # share of the memory bandwidth
    "t0": 0.0,  # s, start of a kernel
    "c": 0.0,  # loss of small tiles, in elements of a tile's side
    "k0": 0.0,  # elements of k a tile costs before it does any work
    "e16": 0.5,  # share of that rate which tiles of 16 rows keep: kernels for a handful of rows
    "t_s": 0.0,  # s a further split of k costs
    "h": 1.0,  # how many times faster than memory operands that stayed on the chip are read: only in repeated timings
    "f": 0.8,  # share of the chip's memory up to which they stay there
    "q": 0.0,  # times the activations cross memory once more where they are quantised by a kernel of their own
    "t_q": 0.0,  # s, start of that kernel
}
SKINNY = 16
FEW = 8  # rows up to which kernels on the vector units exist
UNPACK = 14.0
"""Instructions of the vector units, beside its multiply-add, for a weight of less than a byte (shift, mask, convert, scale of a
block): chosen on what 4-bit decoding with llama.cpp on an M2 Ultra and an RTX 3090 takes beyond 16-bit."""
CACHE = 40e6  # bytes of on-chip memory where the datasheet gives none
TILES = tuple((bm, bn) for bm in (SKINNY, 64, 128, 256) for bn in (64, 128, 256) if bm * bn <= 128 * 256)
WIDE = TILES[-1]
"""The largest tile: what a device without known units works in, and no part of it stays empty."""
SPLITS = (1, 2, 4, 8)
SURFACE = {
    "m": (1, 8, 16, 64, 256, 1024, 4096, 16384),
    "n": (32, 128, 512, 2048, 4096, 16384, 65536),
    "k": (64, 512, 2048, 4096, 8192, 16384, 65536),
}


def seconds(op: Op, machine: Machine) -> Array:
    """Time of the product [s] for shape m, n, k, groups (products side by side) and quantise, each (N,).

    quantise is 1 where the activations are quantised by a kernel of their own, 0 where the one before does it in passing.
    """
    law = "matmul_half" if op.half else "matmul"
    shape, coefficients = Columns(op.shape), machine.laws[law]
    shape = shape.with_(packed=op.weight_bytes < shape.n * shape.k * shape.groups)
    device = machine.device.with_(peak=machine.device.peak_half) if op.half else machine.device
    apart = coefficients.q * op.activation_bytes * shape.quantise
    t = time(shape, op.moved + apart, device, coefficients) + coefficients.t_q * shape.quantise
    return t * factor(SURFACE, sizes(shape), machine.surfaces.get(law))


def sizes(shape: Columns) -> dict[str, Array]:
    """Where a product lies on the surface: products side by side are like one as much wider."""
    return {"m": shape.m, "n": shape.n * shape.groups, "k": shape.k}


def time(shape: Columns, moved: Array, device: Columns, c: Columns) -> Array:
    """The law: shape m, n, k, groups, hot [1 where the operands were used just before]; moved [B]; c the coefficients.

    device peak, bandwidth, units, systolic, cache, and vector [FLOP/s without matrix units] where known. Returns (N,) [s].
    """
    stayed = shape.hot / (1 + (moved / (np.maximum(c.f, 1e-3) * np.where(np.isfinite(device.cache), device.cache, CACHE))) ** 4)
    t_mem = moved / (device.bandwidth * c.e_b * (1 + (c.h - 1) * stayed))
    whole = c.e / (1 + c.c * (1 / WIDE[0] + 1 / WIDE[1]))
    n, k = padded(shape.n, device.systolic), padded(shape.k, device.systolic)
    smooth = 2 * shape.m * n * (k + c.k0) * shape.groups / (device.peak * whole)
    known = np.isfinite(device.units)
    if not known.any():
        return c.t0 + _soft_max(smooth, t_mem)
    best = np.full(np.broadcast_shapes(t_mem.shape, smooth.shape), np.inf)
    unit = device.peak / device.units * c.e
    splits = [(split, shape.k / split + c.k0, (split > 1) * split * c.t_s) for split in SPLITS]
    for bm, bn in TILES:
        each = np.ceil(shape.m / bm) * np.ceil(shape.n / bn) * shape.groups / device.units  # tiles of a unit
        rate = unit * (c.e16 if bm == SKINNY else 1.0) / (1 + c.c * (1 / bm + 1 / bn)) / (2 * bm * bn)
        for split, depth, joining in splits:
            np.fmin(best, np.ceil(each * split) * depth / rate + joining, out=best)
    if "vector" in device:
        unpacked = UNPACK * shape.packed if "packed" in shape else 0.0
        vector = 2 * (shape.m + unpacked) * shape.n * shape.k * shape.groups / (device.vector * c.e)
        np.fmin(best, np.where(shape.m <= FEW, vector, np.inf), out=best)
    return c.t0 + _soft_max(np.where(known, best, smooth), t_mem)


def padded(size: Array, side: Array) -> Array:
    """A side of a matrix once it fills whole units of ``side`` (N,); as it is where that is not known."""
    return np.where(np.isfinite(side), np.ceil(size / side) * side, size)


def _soft_max(a: Array, b: Array) -> Array:
    """The larger of two times that overlap, rounded where they meet: the 4-norm."""
    return np.sqrt(np.sqrt(a**4 + b**4))
