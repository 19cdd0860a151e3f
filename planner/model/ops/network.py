"""A whole network known by what its operators do together: products by kind, elements moved, weights, kernels started.

The parts add up: an operator that waits for its multiplications still reads and writes, and a stack starts one kernel after
another. Each coefficient is a share of a datasheet rate, or seconds of the software: one set a (software stack, device
family), nothing a network. That a sum over a kind stands for the sum over its operators, and that a maximum of both sides
is no better than their sum, was tried on 1,371 networks of two devices: 6 % either way.

A chip that works out of the memory on it (``hold`` above 0) streams weights only of networks that it cannot hold, and
computes those in turns; a chip with memory beside it (the rest) reads the weights of every network once a pass.
"""

from collections.abc import Iterable

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op

PRODUCTS = ("dense", "pointwise", "grouped", "attention")
TRAFFIC = ("moved", "odd", "channelwise", "norm", "batchnorm", "rest", "gates", "scores")
MOVED = ("moved", "norm", "batchnorm", "rest")
"""Elements that pass through memory, each once."""
COEFFICIENTS = {
    "dense": 0.7,  # share of the peak for convolutions of several taps over all channels
    "pointwise": 0.7,  # convolutions of one tap, and matrix products with weights
    "grouped": 0.3,  # convolutions over groups of channels
    "attention": 0.4,  # products of activations with activations
    "depthwise": 0.1,  # share of the peak outside matrix units for a convolution of each channel by itself
    "multiplied": 1e6,  # ... for several outputs of each, their sets padded to vectors: on top of "depthwise"
    "loose": 1e6,  # ... for groups of channels that no kernel packs, each padded to a tile: on top of "grouped"
    "thin": 20.0,  # channels (of inputs or outputs) at which a product takes twice as long
    "moved": 0.7,  # share of the bandwidth for elements that products read and write; on the chip: of PORT
    "odd": 1e6,  # ... that convolutions of no whole vectors of channels do, on top of that
    "channelwise": 1e6,  # ... that convolutions of each channel by itself do, on top of that
    "norm": 0.4,  # ... that normalisations and softmax do
    "batchnorm": 0.8,  # ... that batch normalisation does, where it is not part of the convolution before it
    "rest": 0.7,  # ... that everything else does
    "gates": 1e6,  # ... that factors of a channel on all its places do, on top of that
    "scores": 1.0,  # ... of attention's scores, for each byte of them
    "weights": 0.5,  # share of the bandwidth for weights, read once a pass
    "kernel": 1e-5,  # s to start an operator
    "layer": 0.0,  # s to start a product, where everything else is part of one
    "t0": 0.0,  # s a pass
    "t1": 0.0,  # s the host takes for a sample, for each element of its input, of its output, and exponential
    "host_in": 0.0,
    "host_out": 0.0,
    "host_exp": 0.0,
    "threads": 1.0,  # samples that the host works on at once
    "shared": 1.0,  # how often cores that share a memory make it read the same again
    "hold": 0.0,  # bytes of weights that a chip holds, for a FLOP/s of its peak
    "hold_layers": 1e-11,  # products that it holds, for a FLOP/s of its peak
    "hold_norm": 1e-8,  # elements of normalisations, which keep a whole layer waiting, for a FLOP/s of its peak
    "switch": 0.0,  # s to change from one part of a network to the next: for each product, byte of weights,
    "load": 0.0,
    "pause": 0.0,  # and element of normalisations
    "turns": 0.0,  # how much longer everything on the chip takes with each further part
}
PORT = 1e-3
"""Bytes a FLOP of peak: the unit of traffic on a chip that works out of its own memory."""
HOST_CLOCK = 1.2e9
"""Hz that a host's seconds belong to, where a profile has the clock of its host; those of others are as they are."""
HOLDS = {"held": "hold", "layers": "hold_layers", "norm": "hold_norm"}
SHARP = 6.0
"""How suddenly a network stops to fit: a compiler's choice, which no size decides exactly."""


def seconds(op: Op, machine: Machine) -> Array:
    """Time of one variant of a network's work [s]: of PRODUCTS, "depthwise", "traffic", "weights", "start" or "host"."""
    c, s = machine.laws["network"], op.shape
    if op.variant in (*PRODUCTS, "depthwise", "traffic"):
        return _on_chip(op, machine) * in_parts(op, machine) * _with_idle(op, machine)
    if op.variant == "weights":
        change = (c.switch * s["layers"] + c.load * s["held"] + c.pause * s["norm"]) * _from_afar(machine)
        return np.where(c.hold > 0, streamed(op, machine) * change, op.weight_bytes / (machine.device.bandwidth * c.weights))
    if op.variant == "host":
        ends = c.host_in * s["inputs"] + c.host_out * s["outputs"] + c.host_exp * s["exponentials"]
        clock = machine.device.host_clock
        return s["batch"] * (c.t1 + ends) * np.where(np.isfinite(clock), HOST_CLOCK / clock, 1.0)
    return np.asarray(c.t0 + c.kernel * s["kernels"] + c.layer * s["layers"])


def _on_chip(op: Op, machine: Machine) -> Array:
    d, c, s = machine.device, machine.laws["network"], op.shape
    if op.variant == "depthwise":
        rate = np.where(np.isfinite(d.vector), d.vector, d.peak)
        return op.flop / (rate * c.depthwise) + s["multiplied"] / (rate * c.multiplied)
    if op.variant == "traffic":
        rate = np.where(c.hold > 0, d.peak * PORT, d.bandwidth)
        return sum((s[name] / c[name] for name in TRAFFIC), np.zeros(len(d))) / rate
    return (op.flop + s["thin"] * c.thin) / (d.peak * c[op.variant]) + s["loose"] / (d.peak * c.loose)


def _with_idle(op: Op, machine: Machine) -> Array:
    """How many times longer a pass takes than its samples do where an overlay works on several at once (N,): the rest is idle."""
    batch, frames = op.shape["batch"], machine.device.frames
    return np.asarray(np.where(frames > 1, np.ceil(batch / frames) * frames / batch, 1.0))


def streamed(op: Op, machine: Machine) -> Array:
    """Share of the weights that come from outside in every pass: all of them where a chip holds none."""
    c = machine.laws["network"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(c.hold > 0, 1 / (1 + fill(op, machine) ** -SHARP), 1.0)


def _from_afar(machine: Machine) -> Array:
    """How much longer a change of parts takes than over the link to a host, whose chips ``load`` was fitted to, where a chip
    has a memory of its own (N,): all that a change moves comes from there."""
    c, dram = machine.laws["network"], machine.device.dram
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(np.isfinite(dram) & (c.load > 0), 1 / (c.load * dram), 1.0))


def in_parts(op: Op, machine: Machine) -> Array:
    """How many times longer a network computes in parts than all at once (N,); normalisations cut it, but take no room."""
    c = machine.laws["network"]
    if not np.any(c.hold > 0):
        return np.ones(len(c))
    return np.where(c.hold > 0, 1 + c.turns * np.maximum(fill(op, machine, ("held", "layers")) - 1, 0.0), 1.0)


def fill(op: Op, machine: Machine, which: Iterable[str] = HOLDS) -> Array:
    """How many times as much as a chip holds a network takes (N,): about as many parts it is cut into."""
    d, c = machine.device, machine.laws["network"]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (op.shape[name] / (c[HOLDS[name]] * d.peak) for name in which)
        return np.minimum(sum(parts, np.zeros(len(d))), 1e6)


def together(parts: dict[str, Array], machine: Machine) -> Array:
    """Seconds between samples when every core has one, and the host prepares others meanwhile (N,).

    The slowest of cores, memory and host decides, nearly: a fourth power rounds the corner.
    """
    cores, c = machine.device.overlay, machine.laws["network"]
    host = parts.get("host", np.zeros(len(cores)))
    chip = sum(parts.values()) - host
    memory = np.where(cores > 0, parts["elementwise"] + parts["weights"], 0.0) * c.shared
    return np.asarray(((chip / np.maximum(cores, 1)) ** 4 + memory**4 + (host / c.threads) ** 4) ** 0.25)


def one_core(device: Columns) -> Columns:
    """The device with the peak of one of its overlay's cores."""
    return device.with_(peak=device.peak / np.maximum(device.overlay, 1))
