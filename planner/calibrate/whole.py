"""A whole network predicted from a record alone: every operation by its exact replay, or between the cells of the grid.

Time of a pass = sum over its operations of (hot time + what operands that left the caches cost) + what the framework adds
to each call. Which operands left is known from the trace's reuse distances; what they cost, from the machine's own bandwidth
by working set and from cells that were measured cold.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import least_squares

from planner.calibrate.features import group, place
from planner.calibrate.kriging import Kriging, krige
from planner.errors import InputError
from planner.model.columns import Array
from planner.schema.measurement import Cell, Operation, Record, Traced

SMALL = 1 << 18
"""Bytes of working set below which no operand is told from another: all are in the first caches."""
ENOUGH = 6
"""Cold cells of a group from which its cold time is a law of its own."""
FEWEST = 3
"""Cells of a group that an interpolation needs; fewer are the median of their efficiency."""


@dataclass(frozen=True)
class Law:
    """Seconds = start + flop / rate + bytes / bandwidth, times what the residuals say."""

    start: float
    per_flop: float
    per_byte: float
    residual: Kriging | None
    spread: float

    def seconds(self, operations: list[Operation]) -> tuple[Array, Array]:
        """Hot time of each (N,) [s] and the standard deviation of its logarithm (N,)."""
        plain = _plain(np.array([self.start, self.per_flop, self.per_byte]), operations)
        if self.residual is None:
            return plain, np.full(len(plain), self.spread)
        mean, unsure = self.residual.at(np.stack([place(o) for o in operations]))
        return plain * np.exp(mean), np.hypot(unsure, 0.5 * self.residual.error)


@dataclass(frozen=True)
class Predicted:
    """A network's pass: seconds, the standard deviation of its logarithm from its operations, seconds by class, and by where each
    figure came from (replayed, interpolated, alike)."""

    seconds: float
    unsure: float
    parts: Mapping[str, float]
    sources: Mapping[str, float]
    host: float = 0.0


@dataclass
class Machine:
    """What a record says of its machine, ready to predict with."""

    record: Record
    laws: dict[tuple[str, str, str], Law] = field(default_factory=dict)
    exact: dict[tuple[str, str], Cell] = field(default_factory=dict)
    cold: dict[tuple[str, str, str], Law] = field(default_factory=dict)
    least: dict[tuple[str, str, str], float] = field(default_factory=dict)
    """Bytes of operands from which a group's cold cells were measured, and their law holds."""
    sets: Array = field(default_factory=lambda: np.zeros(0))
    costs: Array = field(default_factory=lambda: np.zeros(0))
    calls: dict[str, float] = field(default_factory=dict)
    gap: float = 0.0
    """Seconds between two kernels that a queue starts one after another, beyond those of a graph."""
    overload: float = 0.0
    """Seconds that calling torch's overload takes the host beyond a method's call."""
    launches: dict[tuple[str, str], float] = field(default_factory=dict)

    def launch(self, o: Operation, *, replay: bool) -> float:
        """Seconds the host takes to hand an operation to an accelerator; nothing on a CPU, where its own time holds that."""
        cell = self.exact.get((o.key, "hot")) if replay else None
        host = cell.host if cell else self.launches.get((o.op, group(o)[1]), self.launches.get((o.op, ""), 0.0))
        return max(0.0, host - self.overload)

    def cost(self, distance: Array) -> Array:
        """Seconds a byte takes that ``distance`` bytes were touched since (N,)."""
        return np.interp(np.log(np.maximum(distance, 1.0)), self.sets, self.costs)


def machine(record: Record) -> Machine:
    """Fit what predictions need from a record's cells."""
    m = Machine(record)
    grouped: dict[tuple[str, str, str], dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for cell in record.latest():
        if cell.operation.key:
            m.exact[cell.operation.key, cell.cache] = cell
        grouped[group(cell.operation)][cell.cache].append(cell)
    _curve(m, record)
    for key, by_cache in grouped.items():
        if key[0] not in ("memory", "overhead", "transfer", "collective") and by_cache["hot"]:
            m.laws[key] = _law(by_cache["hot"])
            if len(by_cache["cold"]) >= ENOUGH:
                m.cold[key] = _law(by_cache["cold"])
                m.least[key] = min(c.operation.read + c.operation.written for c in by_cache["cold"])
    _calls(m, record)
    return m


def _curve(m: Machine, record: Record) -> None:
    """Seconds a byte by working set, from sums over it: what the smallest takes is the start of a call."""
    sums = [c for c in record.latest() if c.operation.op == "memory" and c.operation.variant == "sum"]
    if len(sums) < FEWEST:
        return
    sums.sort(key=lambda c: c.operation.read)
    start = sums[0].median
    least = SMALL if record.device.kind == "cpu" else 32 * SMALL
    sets = [(c.operation.read, (c.median - start) / c.operation.read) for c in sums if c.operation.read >= least]
    m.sets = np.log([size for size, _ in sets])
    memory = sets[-1][1]  # nothing is dearer than memory: what looks so is a call too short to tell
    m.costs = np.maximum.accumulate([min(max(cost, 0.0), memory) for _, cost in sets])


def predict(m: Machine, traced: Traced, *, replay: bool) -> Predicted:
    """Seconds of a pass; ``replay``: operations that the record holds exactly are taken as they were timed."""
    hot, cold, unsure, source = _operations(m, traced, replay=replay)
    parts: dict[str, float] = defaultdict(float)
    sources: dict[str, float] = defaultdict(float)
    variance: dict[tuple[str, str, str], float] = defaultdict(float)
    call, view = m.calls["training" if _trains(traced) else "module"], m.calls["view"]
    launch = [m.launch(o, replay=replay) for o in traced.operations]
    for visit in traced.visits:
        o, i = traced.operations[visit.operation], visit.operation
        if o.op == "view":
            parts["framework"] += view
            continue
        seconds = hot[i] + _cold(m, o, hot[i], cold[i], visit.touched) + m.gap
        parts[o.op] += seconds
        parts["framework"] += call + launch[i]
        sources[source[i]] += seconds
        variance[group(o)] += seconds * unsure[i]
    unsure_all = float(np.sqrt(sum(v**2 for v in variance.values())))
    if m.record.device.kind == "cpu":
        total = sum(parts.values())
        return Predicted(total, unsure_all / total, dict(parts), dict(sources))
    host = parts.pop("framework")  # an accelerator works while the host prepares the next call
    total = max(host, sum(parts.values()))
    parts["waiting for the host"] = total - sum(parts.values())
    return Predicted(total, unsure_all / total, dict(parts), dict(sources), host)


def _operations(m: Machine, traced: Traced, *, replay: bool) -> tuple[Array, Array, Array, list[str]]:
    """Hot and cold seconds of each operation (cold nan where nothing says), how unsure, and where it came from."""
    n = len(traced.operations)
    hot, cold, unsure, source = np.zeros(n), np.full(n, np.nan), np.zeros(n), [""] * n
    asked: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i, o in enumerate(traced.operations):
        cell = m.exact.get((o.key, "hot")) if replay else None
        if cell:
            hot[i], unsure[i], source[i] = cell.median, cell.spread / np.sqrt(cell.samples), "replayed"
            cold[i] = m.exact[o.key, "cold"].median if (o.key, "cold") in m.exact else np.nan
        elif o.op != "view":
            asked[group(o)].append(i)
    for key, which in asked.items():
        law, name = _nearest_law(m, key)
        some = [traced.operations[i] for i in which]
        hot[which], unsure[which] = law.seconds(some)
        if key in m.cold:
            sized = np.array([o.read + o.written >= m.least[key] for o in some])
            cold[which] = np.where(sized, m.cold[key].seconds(some)[0], np.nan)
        for i in which:
            source[i] = name
    return hot, cold, unsure, source


def _nearest_law(m: Machine, key: tuple[str, str, str]) -> tuple[Law, str]:
    """The group's own law, or that of the group most like it: the same class and dtype, then the class."""
    if key in m.laws:
        return m.laws[key], "interpolated"
    op, kind, dtype = key
    words = set(kind.split())
    alike = [k for k in m.laws if k[0] == op]
    alike = alike or [k for k in m.laws if k[0] == "elementwise"]
    if not alike:
        raise InputError(f"has no cells of {op} to predict from", where=m.record.id, hint="'planner bench' measures every suite.")
    best = max(alike, key=lambda k: (k[2] == dtype, len(words & set(k[1].split())), k[1] == "add"))
    return m.laws[best], "alike"


def _cold(m: Machine, o: Operation, hot: float, cold: float, touched: tuple[tuple[float, float], ...]) -> float:
    """What operands that left the caches since they were last touched add to a hot run [s].

    cold: seconds of a run on operands that all left, nan where that is not known: then the machine's curve says it.
    """
    size, distance = np.array([b for b, _ in touched]), np.array([d for _, d in touched])
    if not len(size) or not len(m.sets):
        return 0.0
    here = m.cost(np.array(o.read + o.written))
    extra = float((size * (m.cost(np.maximum(distance, o.read + o.written)) - here)).sum())
    most = float(size.sum() * (m.costs[-1] - here))
    if not np.isfinite(cold) or most <= 0:
        return extra
    return min(1.0, extra / most) * max(0.0, cold - hot)


def _law(cells: list[Cell]) -> Law:
    operations = [c.operation for c in cells]
    seconds = np.array([c.median for c in cells])
    found = least_squares(
        lambda x: np.log(_plain(np.exp(x), operations) / seconds), _start(operations, seconds), loss="soft_l1", f_scale=0.3,
        bounds=(np.log([1e-8, 1e-16, 1e-14]), np.log([1.0, 1e-6, 1e-6])), max_nfev=200,
    )  # fmt: skip
    start, per_flop, per_byte = np.exp(found.x)
    residuals = np.log(seconds / _plain(np.exp(found.x), operations))
    if len(cells) < FEWEST:
        return Law(start, per_flop, per_byte, None, 0.5)
    noise = np.array([min(c.spread, 0.5) for c in cells])
    krigs = krige(np.stack([place(o) for o in operations]), residuals, noise)
    return Law(start, per_flop, per_byte, krigs, krigs.error)


def _start(operations: list[Operation], seconds: Array) -> Array:
    flop = np.array([max(o.flop, 1.0) for o in operations])
    moved = np.array([max(o.read + o.written, 1.0) for o in operations])
    guess = [seconds.min() / 2, np.median(seconds / flop) / 2, np.median(seconds / moved) / 4]
    return np.clip(np.log(guess), np.log([1.1e-8, 1.1e-16, 1.1e-14]), np.log([0.9, 9e-7, 9e-7]))


def _plain(x: Array, operations: list[Operation]) -> Array:
    flop = np.array([o.flop for o in operations])
    moved = np.array([o.read + o.written for o in operations])
    return np.asarray(x[0] + flop * x[1] + moved * x[2])


def _calls(m: Machine, record: Record) -> None:
    """What the framework adds to each call: a network of tiny layers, less its operations run bare."""
    cells = {c.operation.variant: c for c in record.latest() if c.operation.op == "overhead"}
    view = next((cells[name].median for name in ("view called", "view") if name in cells), 0.0)
    m.calls = {"view": view, "module": 0.0, "training": 0.0}
    m.overload = _beyond(cells, "add", "add called")
    m.gap = _beyond(cells, "kernel queued", "kernel")
    if "modules" not in cells or "add" not in cells:
        return
    hosts: dict[tuple[str, str], list[float]] = defaultdict(list)
    for c in record.latest():
        if c.host and c.operation.op != "overhead":
            hosts[c.operation.op, group(c.operation)[1]].append(c.host)
            hosts[c.operation.op, ""].append(c.host)
    m.launches = {key: float(np.quantile(found, 0.25)) for key, found in hosts.items()}
    layer = [m.launches.get(key, 0.0) for key in (("matmul", "mm nt"), ("elementwise", "gelu"), ("normalization", "layer_norm"))]
    bare = max(0.0, float(np.mean(layer)) - m.overload) if m.launches else 2.5 * cells["add"].median
    for name, variant, passes in (("module", "modules", 1.0), ("training", "training step", 3.0)):
        each = cells[variant].median / cells[variant].operation.shape["calls"] / passes
        m.calls[name] = max(0.0, each - bare)


def _beyond(cells: Mapping[str, Cell], more: str, less: str) -> float:
    """Seconds that one variant takes beyond another, nothing where either is missing."""
    return max(0.0, cells[more].median - cells[less].median) if more in cells and less in cells else 0.0


def _trains(traced: Traced) -> bool:
    return any("backward" in o.variant for o in traced.operations)
