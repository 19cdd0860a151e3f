"""What every candidate costs, and whether it keeps the limits, where prices, traffic, load or speed differ from the plan's.

Layouts stay as they were chosen; the number of instances follows traffic, utilisation and speed. Every part of a cost is its
amount in the plan times ratios of the few quantities it grows with (PARTS), so a part that the money model adds needs at most
one line here. ``report/static/whatif.js`` has the same formulas for one setting; a test holds the two together.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.model.columns import Array
from planner.search.candidate import CONTEXTS, LOADS, Candidate
from planner.search.result import Basis, Result

PARTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("rent", "support", "tax"), ("instances", "hours", "price")),
    **dict.fromkeys(("hardware", "spares", "purchase tax"), ("instances", "hours", "price", "life")),
    **dict.fromkeys(("hosts", "network", "racks"), ("nodes", "hours", "life")),
    **dict.fromkeys(("maintenance", "replacement", "cost of capital"), ("instances", "hours", "price")),
    **dict.fromkeys(("staff", "bandwidth", "connectivity"), ("hours",)),
    **dict.fromkeys(
        ("object storage", "block storage", "egress", "ingress", "between zones", "between regions", "load balancers"), ("hours",)
    ),
    "cooling plant": ("instances", "hours", "life"), "colocation": ("instances", "hours"), "space": ("nodes", "hours"),
    "installation": ("hours", "life"), "electricity": ("energy", "hours", "electricity"),
}  # fmt: skip
"""Part of a cost -> the quantities it is proportional to: exactly where a plan has no taxes, services or steps of billing, and
nearly where it has."""
OTHERWISE = ("instances", "hours")
SAME = 1e-6  # what rounding may add to a number of instances


@dataclass(frozen=True)
class Settings:
    """One state of the world or D of them: scalars or arrays (D,); ``efficiency`` and ``waiting`` may be (N, D).

    All but ``utilisation`` are in times of what the plan and its prices say.
    """

    traffic: Array | float = 1.0
    utilisation: Array | float | None = None
    efficiency: Array | float = 1.0
    """Throughput, in times of the estimate."""
    waiting: Array | float | None = None
    """Time to first token, in times of the estimate; without it that follows from ``efficiency``."""
    electricity: Array | float = 1.0
    horizon: Array | float = 1.0
    context: float = 1.0
    prices: Mapping[str, Array | float] = field(default_factory=dict)
    """By term."""
    region: str = ""
    """Only what is sold there, at its price there; owned machines stand anywhere."""


@dataclass(frozen=True)
class Levers:
    """Candidates as columns (N,), with everything that ``evaluate`` needs."""

    basis: Basis
    demand: float
    labels: tuple[str, ...]
    terms: tuple[str, ...]
    instances: Array
    each: Array
    """Devices of one instance."""
    rate: Array
    """Throughput of one instance."""
    idle: Array
    busy: Array
    per_node: Array
    group: Array
    spare: Array
    amounts: Mapping[tuple[str, ...], Array]
    latency: Mapping[str, Array]
    """Seconds, of those latencies that the plan limits."""
    waits: Array
    """(N, len(LOADS)) [s]; NaN where nobody waits."""
    longer: Mapping[str, Array]
    """rate and ttft (N, len(CONTEXTS))."""
    regions: tuple[Mapping[str, float], ...]
    """Price by region, in times of the price that the amounts were worked out with."""
    stuck: Array
    """Rejected for what no lever changes: memory, a price nobody names."""

    def __len__(self) -> int:
        return len(self.labels)


def levers(result: Result, most: int | None = None) -> Levers:
    """The levers of a result's candidates that have a cost at all, or of the best ``most`` of them."""
    able = result.candidates if result.basis.moves else ()
    seen = [c for c in able if math.isfinite(c.cost.value) and c.instances > 0][:most]
    _, keeps = evaluate(_columns(result, seen, np.zeros(len(seen), bool)), Settings())
    return _columns(result, seen, np.array([not c.feasible for c in seen], bool) & keeps[:, 0])


def _columns(result: Result, seen: list[Candidate], stuck: Array) -> Levers:
    def column(of: Callable[[Candidate], float]) -> Array:
        return np.array([float(of(c)) for c in seen])

    def table(of: Callable[[Candidate], Sequence[float]], otherwise: float, width: int) -> Array:
        return np.array([of(c) or (otherwise,) * width for c in seen]).reshape(-1, width)

    amounts: dict[tuple[str, ...], Array] = {}
    for name in dict.fromkeys(name for c in seen for name in c.cost_parts):
        key = PARTS.get(name, OTHERWISE)
        amounts[key] = amounts.get(key, 0.0) + np.array([c.cost_parts.get(name, 0.0) for c in seen])
    limits = [name for name in result.basis.limits if name not in ("devices", "budget")]
    latency = {name: np.array([c.latency[name].value if name in c.latency else 0.0 for c in seen]) for name in limits}
    longer = {
        name: table(lambda c, name=name: c.drivers.longer.get(name, ()), 1.0, len(CONTEXTS))  # type: ignore[misc]
        for name in ("rate", "ttft")
    }
    return Levers(
        result.basis, result.demand, tuple(c.label for c in seen), tuple(c.term for c in seen),
        column(lambda c: c.instances), column(lambda c: c.devices / c.instances),
        column(lambda c: c.throughput.value / c.instances),
        column(lambda c: c.drivers.idle), column(lambda c: c.drivers.busy), column(lambda c: c.drivers.per_node),
        column(lambda c: c.drivers.group), column(lambda c: c.drivers.spare),
        amounts, latency, table(lambda c: c.drivers.waits, math.nan, len(LOADS)), longer,
        tuple(_by_region(c) for c in seen), stuck,
    )  # fmt: skip


def _by_region(c: Candidate) -> dict[str, float]:
    of = c.drivers
    return {region: price / of.price if of.price else 1.0 for region, price in of.regions.items()}


def evaluate(lv: Levers, s: Settings) -> tuple[Array, Array]:
    """Cost of ``Result.cost_period`` and whether every limit is kept, each (N, D)."""
    b = lv.basis
    full = 1.0 if b.ends else b.utilisation if s.utilisation is None else s.utilisation
    before, base = lv.instances[:, None], lv.rate[:, None]
    rate = base * s.efficiency * _at_context(lv, "rate", s.context)
    need = lv.demand * np.asarray(s.traffic)
    unit = b.sites * lv.group[:, None]  # instances are added so many at a time
    count = unit * np.maximum(1.0, np.ceil(need / (rate * full * unit) - SAME)) + lv.spare[:, None] if b.grows else before
    hours = np.asarray(s.traffic) * (base * before) / (rate * count) if b.ends else np.ones((1, 1))
    ratios: dict[str, Callable[[], Array]] = {
        "instances": lambda: count / before,
        "hours": lambda: hours,
        "nodes": lambda: _nodes(lv, count) / _nodes(lv, before),
        "price": lambda: _prices(lv, s),
        "life": lambda: np.reshape(1 / np.asarray(s.horizon), (1, -1)),
        "electricity": lambda: np.reshape(s.electricity, (1, -1)),
        "energy": lambda: _watts(lv, count, need / (rate * count)) / _watts(lv, before, lv.demand / (base * before)),
    }
    cost = _cost(lv, ratios)
    return cost, _keeps(lv, s, full, rate, count, need, cost)


def _cost(lv: Levers, ratios: Mapping[str, Callable[[], Array]]) -> Array:
    """The sum of all parts (N, D); a part that few candidates have is worked out for those alone."""
    made = {name: ratios[name]() for name in dict.fromkeys(name for key in lv.amounts for name in key)}
    cost = np.zeros((len(lv), max((ratio.shape[1] for ratio in made.values()), default=1)))
    for key, amount in lv.amounts.items():
        at = np.flatnonzero(amount)
        part = amount[at, None]
        for name in key:
            part = part * (made[name][at] if len(made[name]) > 1 or len(lv) == 1 else made[name])
        cost[at] += part
    return cost


def _keeps(lv: Levers, s: Settings, full: Array | float, rate: Array, count: Array, need: Array, cost: Array) -> Array:
    limits = lv.basis.limits
    kept = (count * lv.each[:, None] <= limits.get("devices", math.inf)) & (cost <= limits.get("budget", math.inf))
    if not lv.basis.grows:
        kept = kept & (rate * count >= need * (1 - SAME))
    for name, latency in lv.latency.items():
        later = lv.rate[:, None] / rate
        if name == "ttft":
            waits = _between(lv.waits, LOADS, full) / _between(lv.waits, LOADS, lv.basis.utilisation)
            waits = np.where(np.isnan(lv.waits[:, :1]), 1.0, waits)
            waiting = 1 / np.asarray(s.efficiency) if s.waiting is None else s.waiting
            later = waits * waiting * _at_context(lv, "ttft", s.context)
        kept = kept & (latency[:, None] * later <= limits[name])
    sold = np.array([not s.region or not there.keys() - {""} or s.region in there for there in lv.regions], bool)
    return np.asarray(kept & ~lv.stuck[:, None] & sold[:, None])


def _prices(lv: Levers, s: Settings) -> Array:
    """Price of each candidate in times of the plan's (N, 1) or (N, D)."""
    here = np.array([there.get(s.region, 1.0) if s.region else 1.0 for there in lv.regions]).reshape(-1, 1)
    rows = {term: np.atleast_1d(np.asarray(value, float)) for term, value in s.prices.items()}
    one = np.ones(max((len(row) for row in rows.values()), default=1))
    return here * np.array([rows.get(term, one) * one for term in lv.terms]).reshape(-1, len(one))


def _watts(lv: Levers, count: Array, load: Array) -> Array:
    share = 1.0 if lv.basis.ends else np.minimum(1.0, load)
    watts = count * (lv.idle[:, None] + lv.busy[:, None] * share)
    return np.where(watts > 0, watts, 1.0)


def _nodes(lv: Levers, count: Array) -> Array:
    sites = lv.basis.sites
    return sites * np.ceil(count / sites / lv.per_node[:, None] - SAME)


def _at_context(lv: Levers, name: str, context: float) -> Array | float:
    """Throughput or time to first token at a length of context, in times of the plan's: a power law between lengths (N, 1)."""
    if context == 1:
        return 1.0
    return np.exp(_between(np.log(lv.longer[name]), np.log2(CONTEXTS), math.log2(context)))


def _between(table: Array, knots: Sequence[float] | Array, at: Array | float) -> Array:
    """Rows of ``table`` (N, K) between ``knots`` at points (D,), straight; level beyond the ends: (N, D)."""
    x = np.clip(np.atleast_1d(np.asarray(at, float)), knots[0], knots[-1])
    k = np.asarray(knots, float)
    below = np.clip(np.searchsorted(k, x, side="right") - 1, 0, len(k) - 2)
    share = (x - k[below]) / (k[below + 1] - k[below])
    return np.asarray(table[:, below] * (1 - share) + table[:, below + 1] * share)
