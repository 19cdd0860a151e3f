"""Operators summed into a pass: seconds by part, FLOP and bytes."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.ops import laws


@dataclass(frozen=True)
class Pass:
    """What a pass takes on one device: seconds by part (each (N,)), FLOP, bytes moved and kernels launched (N,)."""

    parts: dict[str, Array]
    flop: Array
    moved: Array
    launches: Array

    @cached_property
    def seconds(self) -> Array:
        """All parts together (N,) [s]."""
        return np.sum(list(self.parts.values()), axis=0)

    def plus(self, part: str, seconds: Array) -> "Pass":
        """The pass with ``seconds`` added to a part."""
        return replace(self, parts={**self.parts, part: self.parts.get(part, 0.0) + seconds})

    def take(self, index: Array) -> "Pass":
        """Rows by index."""
        return Pass({k: v[index] for k, v in self.parts.items()}, self.flop[index], self.moved[index], self.launches[index])

    def times(self, factor: Array) -> "Pass":
        """The pass run ``factor`` times."""
        parts = {k: v * factor for k, v in self.parts.items()}
        return Pass(parts, self.flop * factor, self.moved * factor, self.launches * factor)

    def and_(self, other: "Pass") -> "Pass":
        """One pass after the other."""
        names = dict.fromkeys([*self.parts, *other.parts])
        parts = {k: self.parts.get(k, 0.0) + other.parts.get(k, 0.0) for k in names}
        done, launches = {k: np.asarray(v) for k, v in parts.items()}, self.launches + other.launches
        return Pass(done, self.flop + other.flop, self.moved + other.moved, launches)


KERNELS = {"experts": 9.0, "mla": 13.0}
"""Launches of operators that engines make of many: routing, sorting, both products and their sum; and of latent attention the
norms, the copies of keys, positions and caches around its products. All others are one, or as many as their shape says. Steps
counted by hand, from no published trace: ``launch`` is fitted with them, so only their ratios matter."""


NETWORK = "network"
"""Operators that stand for whole networks: fitted to those, and so to what a device sustains, they gain nothing of more power."""


def run(ops: list[Op], machine: Machine) -> Pass:
    """Every operator by its law, one after another on one device."""
    n = len(machine.device)
    share = machine.device.sustained
    whole = _reached(machine, np.minimum(share, 1.0)) if any(op.kind == NETWORK for op in ops) else machine
    machine = _reached(machine, share)
    parts: dict[str, Array] = {}
    flop, moved, launches = np.zeros(n), np.zeros(n), np.zeros(n)
    for op in ops:
        seconds = op.count * laws()[op.kind].seconds(op, whole if op.kind == NETWORK else machine)
        parts[op.part] = parts.get(op.part, np.zeros(n)) + np.where(op.count > 0, seconds, 0.0)
        flop = flop + op.count * op.flop
        moved = moved + op.count * op.moved
        launches = launches + op.count * op.shape.get("kernels", KERNELS.get(op.kind, 1.0))
    return Pass(_kept(parts, machine), flop, moved, launches)


def _reached(machine: Machine, kept: Array) -> Machine:
    """The device with as much of its peak as its power lets it keep and a stack's products reach, whatever bytes they move."""
    engine, device = machine.laws.get("engine"), machine.device
    share = kept * (engine.arithmetic if engine is not None else 1.0)
    if np.all(share == 1):
        return machine
    peaks = {name: device[name] * share for name in ("peak", "peak_half") if name in device}
    return replace(machine, device=device.with_(**peaks))


ENGINE = {
    "prefill_step": 0.0,  # s the host takes for a prefill pass, a decode step, a training step
    "decode_step": 0.0,
    "training_step": 0.0,
    "sequence": 0.0,  # s a decode step takes for each sequence in it: sampling, scheduling, streaming
    "request": 0.0,  # s from a request's arrival to its first prefill: network, tokenizer, scheduler
    "launch": 0.0,  # s the host takes for each kernel of a request's first pass, which no graph holds
    "burst": 0.1,  # share of a closed loop's requests whose prompts come all at once
    "server": 1.0,  # share of its rate with all samples waiting that a network keeps where they come one by one and must be quick
    "straggle": 0.0,  # share of a training step lost to the slowest, each time that the nodes or slices double
    "arithmetic": 1.0,  # share of what its kernels reach of the peak that an engine keeps, beside what it keeps of their speed
    "compute": 1.0,  # share of the speed of its kernels that an engine keeps, and apart from that of each part
    "attention": 1.0,
    "decode": 1.0,  # ... of a network that makes one token after another: attention to what is kept of those before
    "experts": 1.0,
    "elementwise": 1.0,
    "communication": 1.0,
    "dispatch": 1.0,
    "apart": 1.0,  # ... of a decode step whose ranks attend apart, each of which waits for the busiest
}
"""Coefficients of the law "engine", by software stack: what a stack adds to its kernels."""


POWER = {
    "watts": np.nan,  # board power for a FLOP/s of 16-bit peak, of the devices whose measurements the family goes by
    "g": 1 / 3,  # clocks under a limit: power goes with f V^2, and the voltage with the clock
    "most": 1.0,  # share beyond which more power is of no use: those devices' own products are at the peak then
}
"""Coefficients of the law "power": what devices of a family with less or more power for their peak sustain of it."""


def sustained(device: Columns, power: Columns) -> Array:
    """Share of its peak that a device's power lets it keep, beside what its family's measured devices do (N,)."""
    share = (device.tdp / (device.peak_16 * power.watts)) ** power.g
    return np.where(np.isfinite(share), np.minimum(share, power.most), 1.0)


APART = ("communication", "dispatch")


def _kept(parts: dict[str, Array], machine: Machine) -> dict[str, Array]:
    """Seconds by part, slowed by what the software stack loses between and around kernels."""
    engine = machine.laws.get("engine")
    if engine is None:
        return parts
    kept = {part: np.ones(len(engine)) for part in parts} | {part: engine[part] for part in parts if part in engine}
    whole = {part: 1.0 if part in APART else engine.compute for part in parts}
    return {part: seconds / (kept[part] * whole[part]) for part, seconds in parts.items()}
