"""What layouts of a training job take and hold, evaluated a chunk at a time.

What a micro-batch takes depends on a few columns only, and so do the exchanges: each is computed for their distinct values and
looked up, which is what makes millions of layouts a matter of seconds.
"""

from dataclasses import dataclass, replace

import numpy as np

from planner.model import memory, training, training_exchange, training_memory
from planner.model.columns import Array, Columns
from planner.model.operation import Machine
from planner.search import estimate
from planner.search.layout_space import Job, Nodes, choices, chunks, usable

MANY = 100_000


@dataclass
class Tally:
    """How many layouts were looked at, and why the others fell."""

    seen: int = 0
    too_large: int = 0
    nearest: float = np.inf
    """The least that any layout holds, in times of what a device has."""


def fits_from(job: Job, devices: int, node: float, precision: Array, machines: Machine) -> int:
    """Doubles ``devices``, and the batch with them where it must, until a layout fits; 0 where none does by MANY.

    node: devices of one; precision: index by setting.
    """
    devices *= 2
    while devices <= MANY:
        nodes = Nodes(np.full(len(precision), node), np.array([devices / node]), float(devices))
        wide = replace(job, global_batch=max(job.global_batch, float(devices)))
        grid = usable(wide, nodes, machines)
        if len(grid) and any_fits(wide, grid, precision, machines):
            return devices
        devices *= 2
    return 0


def any_fits(job: Job, grid: Columns, precision: Array, machines: Machine) -> bool:
    """Whether any layout of the grid fits its devices; precision: index by setting."""
    grid, tally = grid.with_(precision=precision[grid.setting]), Tally()
    with np.errstate(all="ignore"):
        for rows in chunks(job, grid, choices(job), machines):
            _held(job, rows, machines, tally)
            if tally.nearest <= 1:
                return True
    return False


def timed(job: Job, rows: Columns, machines: Machine, tally: Tally, *, keep: int = 1) -> Columns:
    """The rows that fit a device's memory with ``seconds``, and those ``keep`` that come nearest to fitting, by setting.

    rows also have ``fits``: bytes held, in times of what can be used.
    """
    rows, table, sizes = _held(job, rows, machines, tally)
    near = np.where(rows.fits > 1, rows.fits, np.inf)
    kept = np.flatnonzero((rows.fits <= 1) | (_least(near, rows.setting, keep) & np.isfinite(near)))
    return _seconds(rows.take(kept), table, sizes, machines)


def _held(job: Job, rows: Columns, machines: Machine, tally: Tally) -> tuple[Columns, Columns, Columns]:
    """Rows with every column of a layout and ``fits``; and the model's sizes and parameters."""
    table, sizes = estimate.architecture_table([job.architecture])
    one = np.zeros(len(rows), int)
    rows = estimate.layouts(estimate.with_precision(rows, rows.precision))
    first, back = _distinct(rows.micro)
    small = rows.take(first)
    layer = training_memory.activations(table.take(one[first]), small)
    a, size = table.take(one), sizes.take(one)
    held = sum(training_memory.training(size, a, rows, (layer[0][back], layer[1][back])).values())
    rows = rows.with_(fits=held / memory.trainable(machines.device)[rows.setting])
    tally.seen += len(rows)
    tally.too_large += int(np.sum(rows.fits > 1))
    tally.nearest = min(tally.nearest, float(np.min(rows.fits)))
    return rows, table, sizes


def _seconds(rows: Columns, table: Columns, sizes: Columns, machines: Machine) -> Columns:
    one = np.zeros(len(rows), int)
    a, size, machine = table.take(one), sizes.take(one), machines.take(rows.setting)
    first, back = _distinct(rows.micro)
    micro = training.micro(a.take(first), rows.take(first), machine.take(first)).take(back)
    first, back = _distinct(rows.exchange)
    small = rows.take(first)
    each, once = training_exchange.exchange(size.take(first), a.take(first), small, machine.take(first))
    sent = training_exchange.sends(a.take(first), small, machine.take(first))
    step = training.assemble(a, rows, size, machine, micro, (each[back], once[back]), sent[back])
    return rows.with_(seconds=step.seconds)


def _distinct(codes: Array) -> tuple[Array, Array]:
    _, first, back = np.unique(codes, return_index=True, return_inverse=True)
    return first, back.reshape(-1)


def _least(fits: Array, group: Array, keep: int) -> Array:
    """Marks, for each group, the rows that come nearest to fitting."""
    order = np.lexsort((fits, group))
    _, start, count = np.unique(group[order], return_index=True, return_counts=True)
    rank = np.arange(len(fits)) - np.repeat(start, count)
    mark = np.zeros(len(fits), bool)
    mark[order[rank < keep]] = True
    return mark
