"""What a candidate's figures are made of: kept beside them, so that they can be worked out again at other prices and loads."""

from collections.abc import Callable, Sequence

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.passes import Pass, run
from planner.search.listings import Listing, Place
from planner.search.options import Explained, Options
from planner.search.result import CONTEXTS, Drivers, Operation, Point

SMALLEST = 1e-4  # share of a step below which an operator is not shown


def times(values: Array, at: Callable[[float], Array]) -> Array:
    """``at(factor)`` for every length of CONTEXTS, in times of ``values`` (P, len(CONTEXTS))."""
    return np.stack([np.ones(len(values)) if factor == 1 else at(factor) / values for factor in CONTEXTS], axis=1)


def timed(ops: Sequence[Op], machine: Machine) -> tuple[tuple[Op, Pass], ...]:
    """Each operator with what it takes alone."""
    return tuple((op, run([op], machine)) for op in ops)


def drivers(listing: Listing, place: Place, explained: Explained, i: int, watts: tuple[float, float]) -> Drivers:
    """The drivers of the i-th explained option; watts: of one instance without load and fully loaded."""
    waits = () if explained.waits is None else tuple(map(float, explained.waits[i]))
    longer = {name: tuple(map(float, values[i])) for name, values in explained.longer.items()}
    per_node = place.system.devices / place.devices if listing.offer.needs_host else 1.0
    return Drivers(watts[0], watts[1] - watts[0], per_node, dict(listing.regions), listing.price.amount, waits, longer)


def operations(explained: Explained, i: int) -> tuple[Operation, ...]:
    """The operators of one step of the i-th explained option that take any time to speak of."""
    found = []
    for op, alone in explained.operators:
        seconds = float(np.broadcast_to(alone.seconds, len(explained.rows))[i])
        if seconds > SMALLEST * float(explained.one.seconds[i]):
            found.append(Operation(op.name, op.part, float(alone.flop[i]), float(alone.moved[i]), seconds))
    return tuple(found)


def curve(options: Options, row: Columns) -> tuple[Point, ...]:
    """Other batches of the same layout on the same place: a batch trades latency for throughput."""
    rows = options.rows
    if not options.each:
        return ()
    alike = (rows.place == row.place[0]) & (rows.setting == row.setting[0])
    if "tp" in rows:
        alike &= rows.tp == row.tp[0]
    fits = options.excess["memory"] <= 1
    index = np.flatnonzero(alike & fits)
    index = index[np.argsort(rows.batch[index])]
    columns = (rows.batch, options.each["throughput"], options.each["latency"], options.allowed)
    points = zip(*(column[index] for column in columns), strict=True)
    return tuple(Point(int(batch), float(rate), float(late), bool(able)) for batch, rate, late, able in points)
