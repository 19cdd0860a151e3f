"""Everything that only moves bytes: norms, activations, residuals, embedding rows, the optimizer's step."""

from planner.model.columns import Array
from planner.model.operation import Machine, Op

COEFFICIENTS = {
    "e_b": 0.8,  # share of the memory bandwidth
    "t0": 0.0,  # s, start of a kernel
}


def seconds(op: Op, machine: Machine) -> Array:
    """Bytes over bandwidth, plus the start of each kernel (shape ``kernels``) [s]."""
    c = machine.laws["stream"]
    return op.shape["kernels"] * c.t0 + op.moved / (machine.device.bandwidth * c.e_b)
