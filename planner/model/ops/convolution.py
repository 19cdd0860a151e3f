"""Convolution as the matrix product that it is (implicit GEMM), or on the vector units where that is faster.

A filter laid at ``places`` of ``batch`` samples is a product of (batch places, cin taps / groups) with (cin taps / groups,
cout / groups), groups of them side by side (Chetlur et al., cuDNN, arXiv:1410.0759, section 3); nothing is written out in
between, so what is moved is the image in, the image out and the weights. A depthwise convolution leaves matrix units all but
empty and runs on the vector units.
"""

from dataclasses import replace

import numpy as np

from planner.model.columns import Array
from planner.model.operation import Machine, Op
from planner.model.ops import matmul

COEFFICIENTS = {
    "e": 1.0,  # share of a product's speed that a convolution of several taps keeps
    "e_v": 0.5,  # share of the vector units' peak
    "e_b": 0.8,  # share of the memory bandwidth, on the vector units
    "t0": 0.0,  # s, start of a kernel
}
UNIT = 16
"""Rows and columns that a matrix unit works on at least: tensor cores and AMX tiles alike."""


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s] for shape batch, places, cin, cout, taps, groups, each (N,)."""
    s, d, c = op.shape, machine.device, machine.laws["convolution"]
    n, k = s["cout"] / s["groups"], s["cin"] / s["groups"] * s["taps"]
    one = np.ones_like(n)
    shape = {"m": s["batch"] * s["places"], "n": n, "k": k, "groups": s["groups"], "quantise": 0 * one, "hot": 0 * one}
    padding = replace(machine, device=d.with_(systolic=np.where(np.isfinite(d.systolic), d.systolic, UNIT)))
    matrix = matmul.seconds(replace(op, kind="matmul", shape=shape), padding) / np.where(s["taps"] > 1, c.e, 1.0)
    plain = d.vector if "vector" in d else np.nan
    t_math, t_mem = op.flop / (plain * c.e_v), op.moved / (d.bandwidth * c.e_b)
    vector = c.t0 + np.sqrt(np.sqrt(t_math**4 + t_mem**4))
    return np.asarray(np.fmin(matrix, vector))
