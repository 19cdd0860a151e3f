"""The law of whole networks fitted to published throughput of a zoo: one set a software stack and device.

Only the share of the networks that ``schema.claim.feeds_fit`` names feeds a fit; the error is that on all the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from planner.calibrate.fit import Loss, Range, solve
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
HOST: dict[str, Range] = {
    "host_in": Range(3e-9, 1e-12, 1e-6),
    "host_out": Range(2e-9, 1e-12, 1e-6),
    "t1": Range(2e-4, 1e-7, 1e-2),
}
OVERLAY: dict[str, Range] = PRODUCTS | HOST | {
    "host_exp": Range(5e-8, 1e-12, 1e-5),
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


WIDE = Loss(0.3)


@dataclass(frozen=True)
class Way:
    """How a stack's networks are fitted: which coefficients, those that are known, pull and loss (``fit.solve``), and whether
    all devices of a family (or kind) share one set, because the zoo is small."""

    ranges: Mapping[str, Range]
    known: Mapping[str, float] = field(default_factory=dict)
    pull: float = 0.02
    loss: Loss = WIDE
    shared: bool = True


DEPTHWISE = 64 / 2048
"""Multiplications that a DPU's unit for channels by themselves does while that for convolutions does its own: 16 channels of 4
rows (alu_engine of Xilinx/Vitis-AI src/vai_runtime/target_factory/targets/DPUCZDX8G_ISA1_B4096.prototxt)."""
FRAMEWORK_WAY = Way(FRAMEWORK, shared=False)
WAYS = {
    "timm-train": Way(CHANNELS_LAST, shared=False),
    "vitis-ai": Way(OVERLAY, NOTHING | {"multiplied": DEPTHWISE}, pull=0.2, loss=Loss(0.2, "cauchy")),
    "hailort": Way(ON_CHIP, NOTHING),
    "mlperf-network": Way(COMPILED, {"batchnorm": 1e6, "rest": 1e6, "kernel": 2e-6}, pull=0.2),
}
"""Ways by stack; that of any other is a framework's. Some ten of Vitis AI's networks run in ways that no count shows (many small
networks a frame, work that depends on the picture): its loss lets go of what nothing explains."""
LEAST = 6


def way_of(stack: str) -> Way:
    """How networks of a stack are fitted."""
    return WAYS.get(stack, FRAMEWORK_WAY)


def fit_networks(ops: Sequence[Op], machine: Machine, seconds: Array, fed: Array, latency: Array, stack: str, source: str) -> Fit:
    """Coefficients from the passes marked ``fed`` (N,); ops and machine as ``ops.network`` takes them, seconds (N,) a pass
    that runs by itself where ``latency`` is set, or one of a stream of them.

    Raises ValueError with how many networks are needed where too few are fed.
    """
    if fed.sum() < LEAST:
        raise ValueError(f"{int(fed.sum())} networks feed the fit; at least {LEAST} are needed")
    points = Columns(row=np.arange(len(seconds)))
    way = way_of(stack)

    def predict(p: Columns, c: Columns) -> Array:
        laws = {"network": machine.laws["network"].take(p.row).with_(**way.known, **{n: c[n] for n in c})}
        rows = Machine(machine.device.take(p.row), laws)
        some = [_rows(op, p.row) for op in ops]
        one = alone(some, rows).seconds
        return np.where(latency[p.row], one, stream(some, rows))

    found = solve(predict, points, seconds, way.ranges, ~fed, pull=way.pull, loss=way.loss)
    values = {name: float(f"{value:.4g}") for name, value in found.coefficients.items()} | dict(way.known)
    others = f"median error {found.held_out_median:.3f} on {found.held_out_points} others"
    return Fit(
        values, source, found.points, round(found.held_out_error, 4), f"fitted to networks by their name's sha256; {others}"
    )


def laws(stack: str, fit: Fit) -> dict[str, dict[str, Fit]]:
    """What a fit says of a device: its networks under a stack, and where that is a framework that infers, its convolutions."""
    framework = way_of(stack) is FRAMEWORK_WAY
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
