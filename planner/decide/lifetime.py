"""What a model costs over its life by how much it is asked: training once, then serving month by month.

Q are numbers of queries a day, C the offers that can serve a model. Serving is bought in whole instances, so that its cost
climbs in steps; where two models' costs cross is found on those steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from planner.model.columns import Array

Cost = Callable[[Array], Array]
"""Money over the whole life by queries a day, (Q,) to (Q,)."""
FINE = 257


@dataclass(frozen=True)
class Fleet:
    """Offers that can serve one model (C,): money a month for what is bought together, queries a day that it takes, its devices.

    That is an instance, or the several instances over which one replica goes.
    """

    price: Array
    capacity: Array
    node: Array


@dataclass(frozen=True)
class BreakEven:
    """At how many queries a day one model becomes cheaper than another: from there on, up to there, at any traffic or at none."""

    kind: Literal["from", "until", "always", "never"]
    queries: float = float("nan")


def units_of(fleet: Fleet, queries: Array) -> Array:
    """How many of what is bought together each offer needs (Q, C); one at least."""
    return np.maximum(1.0, np.ceil(queries[:, None] / fleet.capacity[None, :] - 1e-9))


def monthly(fleet: Fleet, queries: Array, most: float) -> tuple[Array, Array]:
    """Money a month with the cheapest offer of at most ``most`` devices (Q,), and which that is (Q,); infinity without one."""
    if not len(fleet.price):
        return np.full(len(queries), np.inf), np.zeros(len(queries), int)
    count = units_of(fleet, queries)
    cost = np.where(count * fleet.node > most, np.inf, count * fleet.price)
    which = np.argmin(cost, axis=1)
    return cost[np.arange(len(queries)), which], which


def life(making: float, months: float, fleet: Fleet, most: float) -> Cost:
    """Money over the life of a model that costs ``making`` before it serves."""
    return lambda queries: making + months * monthly(fleet, queries, most)[0]


def traffic(queries: float, decades: float = 3.0, points: int = 241) -> Array:
    """Queries a day around the plan's (Q,), evenly in their logarithm; not below one."""
    low = max(0.0, np.log10(queries) - decades)
    return np.logspace(low, np.log10(queries) + decades - 1, points)


def break_even(ours: Cost, base: Cost, queries: Array) -> BreakEven:
    """From what traffic on (or up to what traffic) ``ours`` stays the cheaper one, within the range of ``queries`` (Q,)

    and within what either of them can serve.
    """
    queries = queries[np.isfinite(np.minimum(ours(queries), base(queries)))]
    cheaper = ours(queries) < base(queries)
    if cheaper.all() or not cheaper.any():
        return BreakEven("always" if cheaper.any() else "never")
    if cheaper[-1]:
        last = int(np.flatnonzero(~cheaper)[-1])
        near = np.geomspace(queries[last], queries[last + 1], FINE)
        return BreakEven("from", float(near[np.flatnonzero(~(ours(near) < base(near)))[-1]]))
    if cheaper[0]:
        first = int(np.flatnonzero(~cheaper)[0])
        near = np.geomspace(queries[first - 1], queries[first], FINE)
        return BreakEven("until", float(near[np.flatnonzero(~(ours(near) < base(near)))[0]]))
    return BreakEven("never")


def ladder(queries: Array, costs: Sequence[Array], now: float, least: float = 1.5) -> list[tuple[float, int]]:
    """Which of several models is the cheapest as traffic grows: (from how many queries a day, index), ascending.

    Left out is a model that is the cheapest only between two steps of the same other one, or only over less than a factor
    ``least`` of traffic, unless that holds the traffic of ``now``.
    """
    table = np.stack(costs)
    best = np.argmin(table, axis=0)
    known = np.isfinite(table.min(axis=0))
    found: list[tuple[float, int]] = []
    for at, index in zip(queries[known], best[known], strict=True):
        if index in [i for _, i in found]:  # what came between was a step
            while found[-1][1] != index:
                found.pop()
        elif not found or found[-1][1] != index:
            found.append((float(at), int(index)))
    ends = [*(at for at, _ in found[1:]), float("inf")]
    wide = [end >= least * at or at <= now < end for (at, _), end in zip(found, ends, strict=True)]
    return [step for step, keep in zip(found, wide, strict=True) if keep]
