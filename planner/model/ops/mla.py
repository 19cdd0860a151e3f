"""Multi-head latent attention over many queries: keys and values are expanded from the latent first, then every head has its own.

The law of ops/attention.py, with coefficients and a surface of its own: heads are wider for keys (128 + 64) than for values
(128). DeepSeek-V2 (arXiv:2405.04434), section 2.1.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.ops.matmul import padded
from planner.model.surface import factor

COEFFICIENTS = {
    "e": 0.6,  # share of the peak on long sequences
    "e_b": 0.8,  # share of the memory bandwidth
    "t0": 0.0,  # s, start of a kernel
    "kv0": 0.0,  # keys each block of queries costs on top: start, softmax, and the masked diagonal
}
SURFACE = {
    "query": (16, 64, 256, 1024, 4096, 32768),
    "heads": (1, 4, 16, 128),
    "batch": (1, 8, 64, 512),
}
BLOCK = 128


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s] for shape batch, heads, query, context (keys a query sees on average), dim (mean of keys' and values'),
    products [1 forward; backward as many times the work]."""
    s = Columns(op.shape)
    return time(s, op.moved, machine.device, machine.laws["mla"]) * factor(SURFACE, sizes(s), machine.surfaces.get("mla"))


def sizes(shape: Columns) -> dict[str, Array]:
    """Where a shape lies on the surface."""
    return {"query": shape.query, "heads": shape.heads, "batch": shape.batch}


def time(s: Columns, moved: Array, device: Columns, c: Columns) -> Array:
    """The law; see ``seconds``. device: peak_half, bandwidth, units, systolic. Returns (N,) [s]."""
    blocks = s.batch * s.heads * np.ceil(s.query / BLOCK)
    fill = np.where(np.isfinite(device.units), blocks / device.units / np.ceil(blocks / device.units), 1.0)
    rows = np.minimum(s.query, BLOCK) / np.minimum(BLOCK, np.ceil(s.query / 16) * 16)
    flop = 4 * s.products * s.batch * s.heads * s.query * (s.context + c.kv0) * padded(s.dim, device.systolic)
    t_math = flop / (device.peak_half * c.e * fill * rows)
    t_mem = moved / (device.bandwidth * c.e_b)
    return c.t0 + np.sqrt(np.sqrt(t_math**4 + t_mem**4))
