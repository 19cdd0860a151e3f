"""A network summary as one operator; training runs it forward and twice backward (activations are kept and read again)."""

from planner.model.columns import Array, Columns
from planner.model.operation import Op

BACKWARD = 2.0  # the gradients with respect to activations and to weights each cost a forward pass's FLOP


def forward(summary: Columns, p: Columns) -> list[Op]:
    """One pass of p.batch samples: summary macs, activations [elements], parameters; p weight, activation [B an element]."""
    return [_op(summary, p, 1.0)]


def step(summary: Columns, p: Columns) -> list[Op]:
    """A training step's forward and backward pass."""
    return [_op(summary, p, 1 + BACKWARD)]


def _op(s: Columns, p: Columns, passes: float) -> Op:
    count: Array = p.batch * 0 + 1.0
    return Op(
        "network", "network", "matmul", count, {"batch": p.batch}, 2 * s.macs * p.batch * passes,
        weight_bytes=s.parameters * p.weight * passes, activation_bytes=2 * s.activations * p.activation * p.batch * passes,
    )  # fmt: skip
