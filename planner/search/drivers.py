"""What a candidate's figures are made of: kept beside them, so that they can be worked out again at other prices and loads."""

from collections.abc import Callable, Sequence

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.passes import Pass, run
from planner.search.candidate import CONTEXTS, Drivers, Operation, Point
from planner.search.listings import Listing, Place
from planner.search.options import Explained, Options

SAME_LAYOUT = ("tp", "pp", "adp", "ep", "apart", "budget", "prefill_tp", "prefill_pp", "prefill_adp", "prefill_ep")
SMALLEST = 1e-4  # share of a step below which an operator is not shown


def times(values: Array, at: Callable[[float], Array]) -> Array:
    """``at(factor)`` for every length of CONTEXTS, in times of ``values`` (P, len(CONTEXTS))."""
    return np.stack([np.ones(len(values)) if factor == 1 else at(factor) / values for factor in CONTEXTS], axis=1)


def timed(ops: Sequence[Op], machine: Machine) -> tuple[tuple[Op, Pass], ...]:
    """Each operator with what it takes alone."""
    return tuple((op, run([op], machine)) for op in ops)


def drivers(listing: Listing, place: Place, explained: Explained, i: int, power: tuple[float, float], spare: int) -> Drivers:
    """The drivers of the i-th explained option; power: watts of all instances without load and at full."""
    row = explained.rows.take([i])
    idle, full = (watts / float(row.instances[0]) for watts in power)
    waits = () if explained.waits is None else tuple(map(float, explained.waits[i]))
    longer = {name: tuple(map(float, values[i])) for name, values in explained.longer.items()}
    per_node = place.system.devices / place.devices if listing.offer.needs_host else 1.0
    group, kept = 1, spare
    if "size" in row:
        group = int(max(1.0, np.ceil(row["size"][0] / row.node[0])))
    if "apart" in row and row.apart[0] > 0:  # prefillers and decoders are added together, in the same shares
        kept = 2 * spare
        group = max(1, int(row.instances[0]) - kept)
    return Drivers(
        idle, full - idle, per_node, dict(listing.regions), listing.amount, group, kept, waits, longer,
    )  # fmt: skip


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
    for name in SAME_LAYOUT:
        if name in rows:
            alike &= rows[name] == row[name][0]
    fits = options.excess["memory"] <= 1
    index = np.flatnonzero(alike & fits)
    index = index[np.argsort(rows.batch[index])]
    columns = (rows.batch, options.each["throughput"], options.each["latency"], options.allowed)
    points = zip(*(column[index] for column in columns), strict=True)
    return tuple(Point(int(batch), float(rate), float(late), bool(able)) for batch, rate, late, able in points)
