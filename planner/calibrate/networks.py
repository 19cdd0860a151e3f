"""The law of whole networks fitted to published throughput of a zoo: one set a software stack and device.

Only the share of the networks that ``schema.claim.feeds_fit`` names feeds a fit; the error is that on all the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from planner.calibrate.fit import Range, solve
from planner.model.columns import Array, Columns
from planner.model.families.network import alone, stream
from planner.model.operation import Machine, Op
from planner.schema.coefficients import Fit

PRODUCTS: dict[str, Range] = {
    "dense": Range(0.7, 0.01, 2.0),
    "pointwise": Range(0.7, 0.01, 2.0),
    "grouped": Range(0.3, 0.003, 2.0),
    "attention": Range(0.4, 0.003, 4.0),
    "depthwise": Range(0.1, 0.001, 2.0),
    "thin": Range(20.0, 0.1, 200.0),
    "moved": Range(0.7, 0.02, 20.0),
    "norm": Range(0.4, 0.01, 4.0),
    "weights": Range(0.5, 0.02, 2.0),
}
"""Products above their peak: clocks run above the datasheet's. Bytes above their bandwidth: they stay in a cache or are fused."""
FRAMEWORK: dict[str, Range] = PRODUCTS | {
    "batchnorm": Range(0.8, 0.02, 50.0),
    "rest": Range(0.7, 0.02, 50.0),
    "scores": Range(1.0, 0.01, 10.0),
    "kernel": Range(1e-5, 1e-8, 1e-3),
}
"""Of a stack that launches an operator after another."""
CHANNELS_LAST: dict[str, Range] = FRAMEWORK | {
    "loose": Range(0.5, 0.01, 1e3),
    "odd": Range(0.3, 0.01, 1e3),
    "channelwise": Range(0.3, 0.01, 1e3),
}
"""Of one whose images lie with their channels together: convolutions of groups and of odd numbers of channels suffer."""
FRAMEWORKS = {"timm-train": CHANNELS_LAST}
HOST: dict[str, Range] = {
    "host_in": Range(1e-8, 1e-12, 1e-6),
    "host_out": Range(2e-9, 1e-12, 1e-6),
    "t1": Range(2e-4, 1e-7, 1e-2),
}
OVERLAY: dict[str, Range] = PRODUCTS | HOST | {
    "gates": Range(0.1, 1e-3, 1e3),
    "layer": Range(1e-5, 1e-8, 1e-3),
    "threads": Range(2.0, 1.0, 8.0),
    "scores": Range(1.0, 0.01, 10.0),
    "shared": Range(1.5, 1.0, 4.0),
}  # fmt: skip
"""Of an accelerator that runs products one after another with the rest inside them, fed by a host beside it."""
ON_CHIP: dict[str, Range] = PRODUCTS | HOST | {
    "norm": Range(0.05, 1e-3, 4.0),
    "moved": Range(1.4, 0.05, 50.0),
    "hold": Range(1.5e-6, 1e-8, 1e-4),
    "hold_layers": Range(5e-12, 1e-13, 1e-9),
    "hold_norm": Range(1e-8, 1e-10, 1e-5),
    "scores": Range(1.0, 0.01, 10.0),
    "switch": Range(4e-5, 1e-7, 1e-2),
    "load": Range(2e-10, 1e-12, 1e-8),
    "pause": Range(2e-9, 1e-12, 1e-7),
    "turns": Range(0.5, 0.01, 5.0),
}  # fmt: skip
"""Of a chip that works out of the memory on it."""
COMPILED: dict[str, Range] = {"dense": Range(0.5, 0.05, 1.0)} | {
    name: PRODUCTS[name] for name in ("pointwise", "attention", "depthwise", "moved")
}
"""Of a stack that compiles a network into few kernels; so few published runs that the rest is left as it is."""
NOTHING = {"batchnorm": 1e6, "rest": 1e6, "kernel": 0.0}
"""What accelerators that fuse everything into their products do not spend."""
KINDS: Mapping[str, tuple[dict[str, Range], dict[str, float]]] = {
    "vitis-ai": (OVERLAY, NOTHING),
    "hailort": (ON_CHIP, NOTHING),
    "mlperf-network": (COMPILED, {"batchnorm": 1e6, "rest": 1e6, "kernel": 2e-6}),
}
"""Stack -> coefficients that are fitted, and those that are known; any other is a framework's."""
PULL, SCALE = 0.02, 0.3
SCALES = {"vitis-ai": 0.1}
PULLS = {"mlperf-network": 0.2, "vitis-ai": 0.2}
LEAST = 6
TRAINS = "-train"
"""Behind the name of a stack that trains."""


def fit_networks(ops: Sequence[Op], machine: Machine, seconds: Array, fed: Array, latency: Array, stack: str, source: str) -> Fit:
    """Coefficients from the passes marked ``fed`` (N,); ops and machine as ``ops.network`` takes them, seconds (N,) a pass
    that runs by itself where ``latency`` is set, or one of a stream of them.

    Raises ValueError with how many networks are needed where too few are fed.
    """
    if fed.sum() < LEAST:
        raise ValueError(f"{int(fed.sum())} networks feed the fit; at least {LEAST} are needed")
    points = Columns(row=np.arange(len(seconds)))
    ranges, known = KINDS.get(stack, (FRAMEWORKS.get(stack, FRAMEWORK), {}))

    def predict(p: Columns, c: Columns) -> Array:
        laws = {"network": machine.laws["network"].take(p.row).with_(**known, **{n: c[n] for n in c})}
        rows = Machine(machine.device.take(p.row), laws)
        some = [_rows(op, p.row) for op in ops]
        one = alone(some, rows).seconds
        return np.where(latency[p.row], one, stream(some, rows))

    found = solve(predict, points, seconds, ranges, ~fed, pull=PULLS.get(stack, PULL), scale=SCALES.get(stack, SCALE))
    values = {name: float(f"{value:.4g}") for name, value in found.coefficients.items()} | known
    others = f"median error {found.held_out_median:.3f} on {found.held_out_points} others"
    return Fit(
        values, source, found.points, round(found.held_out_error, 4), f"fitted to networks by their name's sha256; {others}"
    )


def laws(stack: str, fit: Fit) -> dict[str, dict[str, Fit]]:
    """What a fit says of a device: its networks under a stack, and where that is a framework that infers, its convolutions."""
    framework = stack not in KINDS and not stack.endswith(TRAINS)
    return {"network": {stack: fit}} | ({"convolution": {"default": convolution(fit)}} if framework else {})


def convolution(networks: Fit) -> Fit:
    """What convolutions of several taps keep of the speed of products, by what a framework's networks took of both."""
    share = networks.coefficients["dense"] / networks.coefficients["pointwise"]
    note = "of a fit to networks, whose error this is: dense convolutions over pointwise ones"
    return Fit({"e": float(f"{share:.4g}")}, networks.source, networks.points, networks.held_out_error, note)


def _rows(op: Op, row: Array) -> Op:
    def taken(values: Array) -> Array:
        return values[row] if len(values) > 1 else values

    shape = {name: taken(values) for name, values in op.shape.items()}
    return replace(
        op, count=op.count[row], shape=shape, flop=op.flop[row],
        weight_bytes=taken(op.weight_bytes), activation_bytes=taken(op.activation_bytes),
    )  # fmt: skip
