"""Attention of one new token a sequence over its KV cache: bytes over bandwidth, as far as the blocks fill the chip."""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op

COEFFICIENTS = {
    "e_b": 0.7,
    "t0": 0.0,
    "half": 0.0,  # bytes in flight per compute unit at which half the bandwidth is reached
    "e": 0.3,  # share of the peak that the many query heads of one KV head (or MLA's) reach
}


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s]: op.kv_bytes read once, op.flop on the matrix units."""
    return time(op.kv_bytes, op.activation_bytes, op.flop, machine.device, machine.laws["decode_attention"])


def time(kv: Array, other: Array, flop: Array, device: Columns, c: Columns) -> Array:
    """The law: kv and other [B], flop, device bandwidth, peak_half, units. Returns (N,) [s]."""
    units = np.where(np.isfinite(device.units), device.units, 1.0)
    t_mem = (kv + other + c.half * units) / (device.bandwidth * c.e_b)
    t_math = flop / (device.peak_half * c.e)
    return c.t0 + np.sqrt(np.sqrt(t_mem**4 + t_math**4))
