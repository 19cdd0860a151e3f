"""A whole network known by three numbers: multiply-accumulates, activations and weights of one sample.

Seconds a pass of a batch: FLOP over the peak, plus activations over the bandwidth, plus the weights once, plus a
constant to start a pass and one for each sample (host and pre-processing). Each term has one coefficient a
(software stack, device family).
"""

from planner.model.columns import Array
from planner.model.operation import Machine, Op

COEFFICIENTS = {
    "e": 0.3,  # share of the peak
    "e_a": 0.3,  # share of the bandwidth for activations, each written once and read once
    "e_w": 0.7,  # share of the bandwidth for weights
    "t0": 0.0,  # s a pass
    "t1": 0.0,  # s a sample
}


def seconds(op: Op, machine: Machine) -> Array:
    """Time of one pass [s] of shape batch."""
    d, c = machine.device, machine.laws["network"]
    t = op.flop / (d.peak * c.e) + op.activation_bytes / (d.bandwidth * c.e_a) + op.weight_bytes / (d.bandwidth * c.e_w)
    return c.t0 + c.t1 * op.shape["batch"] + t
