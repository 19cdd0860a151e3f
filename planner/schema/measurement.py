"""What ``planner bench`` leaves behind: one immutable record a run, of timed operations on a machine as it was found."""

from dataclasses import dataclass, field
from typing import Literal

from planner.schema.quantity import STRICT

FINITE = {**STRICT, "allow_inf_nan": False}  # no measurement is NaN or endless
SCHEMA = 1
"""Version of the record; a newer one is refused."""

Cache = Literal["hot", "cold"]
Quality = Literal["ok", "noisy", "contended"]
Tier = Literal["quick", "standard", "network"]


@dataclass(frozen=True)
class Operation:
    """One operation with the sizes of what it works on.

    op: its class, the name of a module of ``planner.measure.cases`` (matmul, convolution, ...).
    variant: which of the class, e.g. ``addmm nt``. shape: canonical axes of the class -> elements.
    flop, read, written: floating-point operations and bytes of one run. key: the exact call, by which an operation that was
    replayed is found again; empty where there is none.
    """

    __pydantic_config__ = FINITE
    op: str
    variant: str
    dtype: str
    shape: dict[str, float]
    flop: float = 0.0
    read: float = 0.0
    written: float = 0.0
    key: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from every other: class, variant, dtype, sizes as text, and the exact call."""
        return self.op, self.variant, self.dtype, " ".join(f"{k}={v:g}" for k, v in self.shape.items()), self.key


@dataclass(frozen=True)
class Cell:
    """An operation timed: seconds a run over ``samples`` of ``inner`` runs each.

    host: seconds until the call returned, where the device works on after that (accelerators). cpu_share: CPU time over
    wall time, per thread in use. faults: minor page faults a run. first: seconds of the very first run.
    """

    __pydantic_config__ = FINITE
    operation: Operation
    cache: Cache
    median: float
    low: float
    high: float
    least: float
    samples: int
    inner: int
    cpu_share: float = 1.0
    faults: float = 0.0
    host: float = 0.0
    first: float = 0.0
    quality: Quality = "ok"
    repeats: int = 0
    """How often it was measured again because a canary beside it was off."""

    @property
    def spread(self) -> float:
        """Interquartile range over the median."""
        return (self.high - self.low) / self.median

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from every other cell of a record."""
        return *self.operation.identity, self.cache


@dataclass(frozen=True)
class Canary:
    """The same three things timed again and again [s]: a register loop, a product in cache, a triad in memory."""

    __pydantic_config__ = FINITE
    at: float
    loop: float
    product: float
    triad: float


@dataclass(frozen=True)
class Found:
    """A machine as found: what it calls itself, and every fact that could be read, as text or numbers."""

    __pydantic_config__ = FINITE
    kind: Literal["cpu", "cuda", "rocm", "mps"]
    name: str
    hardware: dict[str, str | float]
    software: dict[str, str | float]
    state: dict[str, str | float] = field(default_factory=dict)
    """What changes while it runs: load, clocks, temperature; before and after."""


@dataclass(frozen=True)
class Selection:
    """What a run was asked to measure."""

    __pydantic_config__ = FINITE
    tier: Tier
    suites: tuple[str, ...]
    networks: tuple[str, ...] = ()
    threads: int = 1
    allocator: str = "system"


@dataclass(frozen=True)
class Record:
    """One run of ``planner bench``. started, ended: UTC, ISO 8601."""

    __pydantic_config__ = FINITE
    id: str
    planner: str
    revision: str
    device: Found
    selection: Selection
    started: str
    ended: str
    cells: tuple[Cell, ...]
    canaries: tuple[Canary, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)
    """Operations that the machine could not run, and what torch said."""

    def latest(self) -> list[Cell]:
        """Each cell once: as it was last measured."""
        return list({c.identity: c for c in self.cells}.values())


@dataclass(frozen=True)
class Visit:
    """One operation of a traced network: its place in ``operations``, and for every input its bytes and how many other
    bytes were touched since it was last; 1e18 for what the pass touches for the first time."""

    __pydantic_config__ = FINITE
    operation: int
    touched: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Traced:
    """A network's pass as operations in the order they ran."""

    __pydantic_config__ = FINITE
    name: str
    operations: tuple[Operation, ...]
    visits: tuple[Visit, ...]


@dataclass(frozen=True)
class Trial:
    """A network traced, timed whole in processes of its own [s: the median, and the other process's], and its operations
    measured alone (those that no trial before it had). drift: the worst canary beside it over the best."""

    __pydantic_config__ = FINITE
    traced: Traced
    measured: float
    again: float
    cells: tuple[Cell, ...]
    drift: float = 1.0
    failure: str = ""
