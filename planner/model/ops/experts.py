"""The routed experts of one layer: sort the tokens, two products of many groups side by side, and weigh the results together.

The products follow the law of ops/matmul.py with coefficients of their own: kernels for many small groups reach less of the
peak. Where experts are spread over devices, the busiest one sets the time.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.ops import matmul

COEFFICIENTS = {
    **matmul.COEFFICIENTS,
    "i": 0.0,  # how much more than its share the busiest of many devices gets
    "t_r": 0.0,  # s a visit of a token to an expert costs on top, a compute unit's worth: sorting and weighing
}


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s] of shape rows [a group], groups, up and down [columns of the two products], hidden, ranks, quantise."""
    return time(Columns(op.shape), op.weight_bytes, op.activation_bytes, machine.device, machine.laws["experts"])


def time(s: Columns, weights: Array, activations: Array, device: Columns, c: Columns) -> Array:
    """The law: shape as ``seconds``; weights and activations [B] of both products together. Returns (N,) [s]."""
    rows = s.rows * (1 + c.i * (1 - 1 / s.ranks))
    share = s.up / np.maximum(s.up + s.down, 1.0)  # of the weights that the first product reads
    shape = Columns(m=rows, groups=s.groups, hot=s.hot, n=s.up, k=s.hidden)
    apart = 1 + c.q * s.quantise
    first = matmul.time(shape, weights * share + activations * apart / 2, device, c)
    second = matmul.time(shape.with_(n=s.hidden, k=s.down), weights * (1 - share) + activations * apart / 2, device, c)
    units = np.where(np.isfinite(device.units), device.units, 1.0)
    return first + second + c.t_r * rows * s.groups / units + c.t_q * s.quantise
