"""The routed experts of one layer: sort the tokens, two products of many groups side by side, and weigh the results together.

The products follow the law of ops/matmul.py with coefficients of their own: kernels for many small groups reach less of the
peak. Routers load experts unevenly; where experts are spread over devices, the busiest one sets the time.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.ops import matmul
from planner.model.surface import factor

COEFFICIENTS = {
    **matmul.COEFFICIENTS,
    "i": 0.0,  # how far the busiest of many devices lies above its share, in what chance makes of uneven experts
    "t_r": 0.0,  # s a visit of a token to an expert costs on top, a compute unit's worth: sorting and weighing
    "z": 0.0,  # how often buffers for all visits, also those to other devices' experts, cross memory
    "y": 0.0,  # how often the layer's input and output of all tokens do
}
SURFACE = {
    "rows": (1, 4, 16, 64, 256, 1024, 4096),
    "weights": (2**16, 2**19, 2**22, 2**25, 2**28, 2**31),
    "skew": (0.1, 0.3, 0.6, 1.2, 2.4),
}
HALF = 2  # bytes of an activation
SLACK = 0.8
FEW = 200.0
UNIT = 25e9
"""Bytes/s of memory behind one compute unit of an H100 (3.35 TB/s, 132 units): so many units' worth of moving tokens has a device
whose units are none, or not like those of a GPU."""


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s] of shape tokens, rows [a group], groups, up and down [columns of the products], hidden, ranks, skew, quantise."""
    s = Columns(op.shape)
    t = time(s, op.weight_bytes, op.activation_bytes, machine.device, machine.laws["experts"])
    return t * factor(SURFACE, sizes(s, op.weight_bytes), machine.surfaces.get("experts"))


def sizes(shape: Columns, weights: Array) -> dict[str, Array]:
    """Where a mixture lies on the surface; weights [B] that it reads."""
    return {"rows": shape.rows, "weights": weights, "skew": shape.skew}


def time(s: Columns, weights: Array, activations: Array, device: Columns, c: Columns) -> Array:
    """The law: shape as ``seconds``; weights and activations [B] of both products together. Returns (N,) [s]."""
    rows = s.rows * (1 + c.i * s.skew)
    share = s.up / np.maximum(s.up + s.down, 1.0)  # of the weights that the first product reads
    shape = Columns(m=rows, groups=s.groups, hot=s.hot, n=s.up, k=s.hidden)
    apart = 1 + c.q * s.quantise
    first = matmul.time(shape, weights * share + activations * apart / 2, device, c)
    second = matmul.time(shape.with_(n=s.hidden, k=s.down), weights * (1 - share) + activations * apart / 2, device, c)
    units = np.where(np.isfinite(device.units), device.units, device.bandwidth / UNIT)
    buffers = c.z * activations * s.ranks + c.y * 2 * HALF * s.hidden * s.tokens
    t_buffers = buffers / (device.bandwidth * c.e_b)
    return first + second + c.t_r * rows * s.groups / units + t_buffers + c.t_q * s.quantise


def routed(tokens: Array, visits: Array, experts: Array, ranks: Array, even: Array | bool = False) -> dict[str, Array]:
    """Tokens spread over experts by a power law, each token to ``visits`` of them (N,): what an average device of ``ranks`` gets.

    Loads are uniform in their logarithm, which is the power law of exponent 1 that aiconfigurator's tables are measured
    with, up to SLACK of the tokens for one expert. groups: its experts that any token visits; rows: tokens each of them gets;
    skew: by how much, relative to it, chance alone lifts the busiest device (the largest of ``ranks`` sums). ``even``: every
    expert gets as many, as training balances them.
    """
    all_visits = tokens * visits
    span = np.log(np.where(all_visits > experts, np.maximum(SLACK * tokens, 2.0), FEW))  # largest load over least, ln
    least = span / np.expm1(span) * all_visits / experts  # visits of the least loaded expert
    untouched = np.clip(-np.log(2 * least) / span, 0.0, 1.0)  # experts that get less than half a visit
    touched = np.clip(experts * (1 - untouched), np.minimum(visits, experts), np.minimum(all_visits, experts))
    apart = np.maximum(0.0, span / 2 / np.tanh(span / 2) - 1) * ranks / experts  # variance of a device's share
    lifted = np.sqrt(2 * np.log(np.maximum(ranks, 1.0)) * apart * (1 - 1 / np.maximum(ranks, 1.0)))
    skew = np.minimum(lifted, np.minimum(ranks, np.maximum(experts / visits, 1.0)) - 1)
    touched = np.where(even, np.minimum(experts, all_visits), touched)
    skew = np.where(even, 0.0, skew)
    rows = all_visits / np.maximum(touched, 1.0)
    return {"tokens": tokens, "groups": np.maximum(touched / ranks, 1.0), "rows": rows, "skew": skew}
