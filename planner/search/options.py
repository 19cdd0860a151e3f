"""What every scenario's search yields: options as columns, the best of each place, and why the rest fell."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Op
from planner.model.passes import Pass

Tick = Callable[[int, int], None]
"""Told how much of a search is done, and of how much."""


def unheard(done: int, of: int) -> None:
    """A tick for who need not know."""


@dataclass(frozen=True)
class Options:
    """Evaluated configurations (N,): ``rows`` has place, precision [index], instances, devices, hours, rate [work/s of all
    instances, which breaks ties] and the layout's columns.

    excess: name of a limit -> how many times over it each option is (N,); at most 1 keeps it. A limit on memory comes
    first: the one that an option exceeds first in this order is the one it is rejected for.
    """

    rows: Columns
    excess: dict[str, Array]
    each: dict[str, Array] = field(default_factory=dict)
    """throughput of one instance and latency [s] of every option (N,), where a batch trades one for the other."""

    @property
    def allowed(self) -> Array:
        """Whether each option keeps every limit (N,)."""
        return np.asarray(np.all([e <= 1 for e in self.excess.values()], axis=0))

    def best(self) -> Array:
        """For each place that has options, the index of the best: the cheapest allowed, else the one nearest to allowed."""
        worst = np.max([np.nan_to_num(e, nan=np.inf) for e in self.excess.values()], axis=0)
        # memory decides before latency: an option that fits nowhere is never "nearest"
        stuck = np.stack([np.where(e > 1, i, len(self.excess)) for i, e in enumerate(self.excess.values())]).min(axis=0)
        worst = np.where(self.allowed, 1.0, worst)
        first = np.where(self.allowed, 0, len(self.excess) - stuck + 1)
        spent = self.rows.instances * self.rows.hours
        order = np.lexsort((-self.rows.rate, np.where(self.allowed, spent, 0), worst, first, self.rows.place))
        _, start = np.unique(self.rows.place[order], return_index=True)
        return order[start]


@dataclass(frozen=True)
class Explained:
    """The chosen options again, with what the report shows: latencies [s], memory [B] and time [s] by part, each (P,)."""

    rows: Columns
    latency: dict[str, Array]
    memory: dict[str, Array]
    capacity: Array
    one: Pass
    """One step on one device."""
    model_flop: Array
    """FLOP a device that the model asks for in that step: without what is computed twice."""
    behind: dict[str, Pass] = field(default_factory=dict)
    """The pass that a latency is mostly made of, by its name, where that is not ``one``."""
    waits: Array | None = None
    """Mean time to first token [s] at LOADS (P, len(LOADS)); None where nobody waits."""
    longer: dict[str, Array] = field(default_factory=dict)
    """rate and ttft at CONTEXTS, in times of the plan's (P, len(CONTEXTS)); NaN where memory or the model forbid it."""
    operators: tuple[tuple[Op, Pass], ...] = ()
    """The operators of that step (of one micro-batch ahead, in training) and what each takes, with columns (P,)."""
