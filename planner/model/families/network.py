"""A network by its graph's sums as operators; training runs it forward and twice backward: activations are read again."""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.ops.network import MOVED, PRODUCTS, TRAFFIC, one_core, together
from planner.model.passes import Pass, run

BACKWARD = 2.0  # the gradients with respect to activations and to weights each cost a forward pass's FLOP


def forward(graph: Columns, p: Columns) -> list[Op]:
    """One pass of p.batch samples.

    graph, a sample: multiply-accumulates by kind (dense, pointwise, grouped, depthwise, attention), those over their
    channels (dense_thin ...) or padded (loose), elements that move (ops.network.TRAFFIC), come in and go out (inputs,
    outputs), weights, layers, kernels; p: batch, weight and activation [B an element].
    """
    return _ops(graph, p, 1.0)


def step(graph: Columns, p: Columns) -> list[Op]:
    """A training step's forward and backward pass."""
    return _ops(graph, p, 1 + BACKWARD)


def alone(ops: list[Op], machine: Machine) -> Pass:
    """A pass with nothing beside it, on one core of an overlay: its latency."""
    return run(ops, Machine(one_core(machine.device), machine.laws, machine.surfaces))


def stream(ops: list[Op], machine: Machine) -> Array:
    """Seconds between passes that follow each other without a pause (N,)."""
    return together(alone(ops, machine).parts, machine)


def _ops(g: Columns, p: Columns, passes: float) -> list[Op]:
    one: Array = p.batch * 0 + 1.0
    none, many = np.zeros(len(one)), p.batch * passes
    traffic = {name: g[name] * p.activation * many for name in TRAFFIC}
    held = {"held": g.weights * p.weight, "layers": g.layers * passes, "norm": g.norm, "batch": p.batch * one}
    start = {"kernels": g.kernels * passes, "layers": g.layers * passes}
    ends = {"batch": p.batch * one, "inputs": g.inputs, "outputs": g.outputs, "exponentials": g.exponentials}
    products = [
        Op(
            kind,
            "network",
            "matmul",
            one,
            {"thin": 2 * g[f"{kind}_thin"] * many, "loose": 2 * g.loose * many * (kind == "grouped"), **held},
            2 * g[kind] * many,
            variant=kind,
        )
        for kind in PRODUCTS
    ]
    return [
        *products,
        Op("depthwise", "network", "depthwise", one, held | {"multiplied": 2 * g.multiplied * many}, 2 * g.depthwise * many,
           variant="depthwise"),
        Op("activations", "network", "elementwise", one, held | traffic, none, variant="traffic",
           activation_bytes=sum((v for name, v in traffic.items() if name in MOVED), none)),
        Op("weights", "network", "weights", one, held, none, variant="weights", weight_bytes=g.weights * p.weight * passes),
        Op("start", "network", "overhead", one, start, none, variant="start"),
        Op("host", "network", "host", one, ends, none, variant="host"),
    ]  # fmt: skip
