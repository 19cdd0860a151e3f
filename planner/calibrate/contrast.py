"""Two records of measurements compared cell by cell."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from planner.errors import InputError
from planner.schema.measurement import Cell, Record

MOVED = 8


@dataclass(frozen=True)
class Group:
    """Ratio of times, B over A, of one kind of operation: the median and the range of nine in ten."""

    kind: str
    cells: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Moved:
    """One cell's seconds in both."""

    what: str
    one: float
    other: float


@dataclass(frozen=True)
class Contrast:
    """What two records have in common, and in what they differ."""

    groups: tuple[Group, ...]
    moved: tuple[Moved, ...]
    differences: dict[str, tuple[object, object]]
    alone: int


def contrast(one: Record, other: Record) -> Contrast:
    """Compare the cells that both have; InputError where they have none in common."""
    a, b = _by_name(one), _by_name(other)
    common = [name for name in a if name in b]
    if not common:
        raise InputError(f"{one.id} and {other.id} have no cell in common", hint="They measured different suites or networks.")
    ratios: dict[str, list[float]] = defaultdict(list)
    for name in common:
        o = a[name].operation
        ratios[f"{o.op} {o.dtype} {a[name].cache}"].append(b[name].median / a[name].median)
    groups = [
        Group(kind, len(r), float(np.median(r)), *map(float, np.quantile(r, (0.05, 0.95)))) for kind, r in sorted(ratios.items())
    ]
    far = sorted(common, key=lambda n: -abs(np.log(b[n].median / a[n].median)))[:MOVED]
    moved = tuple(Moved(n, a[n].median, b[n].median) for n in far)
    return Contrast(tuple(groups), moved, _differences(one, other), len(set(a) ^ set(b)))


def _by_name(r: Record) -> dict[str, Cell]:
    def name(c: Cell) -> str:
        op, variant, dtype, shape, key, cache = c.identity
        return " ".join([op, variant, dtype, key or shape, cache])

    return {name(c): c for c in r.latest()}


def _differences(one: Record, other: Record) -> dict[str, tuple[object, object]]:
    facts = [
        {"device": r.device.name, "threads": r.selection.threads, "allocator": r.selection.allocator, "planner": r.planner,
         "revision": r.revision, **r.device.hardware, **r.device.software}
        for r in (one, other)
    ]  # fmt: skip
    names = dict.fromkeys([*facts[0], *facts[1]])
    return {n: (facts[0].get(n, ""), facts[1].get(n, "")) for n in names if facts[0].get(n) != facts[1].get(n)}
