"""One way to do what a plan asks, with all that is known of it: plain frozen records, the larger part of a ``Result``.

Units are those of ``planner.search.result``.
"""

from dataclasses import dataclass, field

LOADS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Shares of full load at which waiting is tabulated."""
CONTEXTS = (0.5, 1.0, 2.0)
"""Lengths of context, in times of the plan's, at which a layout is timed again."""


@dataclass(frozen=True)
class Estimate:
    """A figure, the interval it should lie in nine times of ten, and what it rests on."""

    value: float
    low: float
    high: float
    evidence: str
    """measured, calibrated, family or datasheet."""


@dataclass(frozen=True)
class Cited:
    """One input figure an estimate used: what it is, its value as text, and who says so."""

    what: str
    value: str
    source: str
    date: str = ""
    note: str = ""


@dataclass(frozen=True)
class Drivers:
    """What a candidate's cost and speed are made of, so that they can be worked out again at other prices and loads.

    Empty tuples and dicts stand for what does not vary, or is not known.
    """

    idle: float = 0.0
    """Watts of one instance and its share of hosts, without load."""
    busy: float = 0.0
    """Watts more under full load."""
    per_node: float = 1.0
    """Instances that share one host."""
    regions: dict[str, float] = field(default_factory=dict)
    """Price of one instance by region: an hour's rent, or the purchase."""
    price: float = 0.0
    """The price among those that the cost was worked out with."""
    group: int = 1
    """Instances that are added together: those that one replica spans."""
    spare: int = 0
    """Instances beyond what the load needs."""
    waits: tuple[float, ...] = ()
    """Mean time to first token [s] at LOADS."""
    longer: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Throughput and time to first token at CONTEXTS, in times of the plan's; NaN where the layout does not fit any more."""


@dataclass(frozen=True)
class Operation:
    """One operator of a step or pass: its work on one device and the time its law gives it."""

    name: str
    part: str
    flop: float
    moved: float
    """Bytes to and from memory."""
    seconds: float


@dataclass(frozen=True)
class Point:
    """What a layout does at another batch: throughput of one instance, latency [s], and whether it keeps every limit."""

    batch: int
    throughput: float
    latency: float
    allowed: bool


@dataclass(frozen=True)
class Odds:
    """How a candidate fares when throughput, prices, traffic and utilisation are not what was estimated."""

    cheapest: float
    """Share of the draws in which it is the cheapest that keeps every limit."""
    keeps: float
    """Share of the draws in which it keeps every limit of the plan."""
    regret: float
    """Mean of what it costs more than the best of the draw, where it keeps the limits; money for ``Result.cost_period``."""
    low: float
    """Cost that one draw in twenty undercuts, and below that one draw in twenty exceeds."""
    high: float


@dataclass(frozen=True)
class Worth:
    """What measuring the workload on a device before deciding would save of the mean regret; money for ``Result.cost_period``."""

    device_name: str
    saves: float


@dataclass(frozen=True)
class Candidate:
    """One offer with the layout that serves the goal best on it."""

    label: str
    """Short and unique within a result: ``2 × p5.48xlarge, on demand``."""
    provider: str
    region: str
    offer: str
    term: str
    system: str
    system_name: str
    device: str
    device_name: str
    kind: str
    instances: int
    devices: int
    precision: str
    layout: dict[str, int | str]
    """Parallel degrees and batch: tp, pp, dp, batch, micro_batch, recompute … as far as they apply."""
    throughput: Estimate
    """Capacity at full load, in ``Result.throughput_unit``."""
    latency: dict[str, Estimate]
    """Seconds by name, in the order to show: ttft and tpot; latency; or duration of a training run."""
    cost: Estimate
    """Money for ``Result.cost_period``, the sum of ``cost_parts``."""
    cost_parts: dict[str, float]
    unit_cost: Estimate
    """Money for one ``Result.work_unit``."""
    memory: dict[str, float]
    """Bytes on the fullest device by use: weights, kv_cache, activations, gradients, optimizer, workspace."""
    memory_capacity: float
    time: dict[str, float]
    """Seconds of one step (or pass) by what they go to: matmul, attention, elementwise, communication, overhead …"""
    bottleneck: str
    """compute, memory bandwidth, communication, overhead …"""
    power: float
    """Watts of all devices and hosts under this load, before PUE."""
    energy_per_unit: float
    """Joules for one work unit, PUE included."""
    mfu: float
    mbu: float
    rejected: str
    """Why this candidate cannot be chosen, in words with figures; empty where it can."""
    carbon: float | None = None
    """Kilograms of CO2 that the electricity of ``Result.cost_period`` stands for, where the plan gives an intensity."""
    embodied: float | None = None
    """Kilograms of CO2e of making the devices that ``Result.cost_period`` uses up, where somebody published it."""
    pue: float = 1.0
    """Power usage effectiveness of the hall that the energy was reckoned with."""
    energy: float | None = None
    """Joules of ``Result.cost_period``, PUE included."""
    year: float | None = None
    """Joules of a year in which the machines work as the plan says."""
    upfront: dict[str, float] = field(default_factory=dict)
    """Money that owning takes at the order, by part."""
    monthly: dict[str, float] = field(default_factory=dict)
    """Money that goes out each month, by part: rent, or what owning costs beside the purchase."""
    resale: float = 0.0
    """Money that owned machines are worth at the end of the horizon."""
    by_use: tuple[float, ...] = ()
    """Money a month, purchase included, where there is work for 0, 5, … 100 % of the time."""
    unpriced: tuple[str, ...] = ()
    """Services that the plan asks for and nobody published a price of: the cost is without them."""
    goodput: float = 1.0
    """Share of a training run's time that is steps kept: throughput and duration include what checkpoints and failures cost."""
    excess: float = 0.0
    """How many times over the worst limit a rejected candidate is; 0 for one that can be chosen."""
    cited: tuple[Cited, ...] = ()
    drivers: Drivers = field(default_factory=Drivers)
    operations: tuple[Operation, ...] = ()
    """Of one step on one device, for the best few candidates."""
    peaks: tuple[float, float] = (0.0, 0.0)
    """Datasheet FLOP/s and bytes/s of one device: the roofs over its operations."""
    curve: tuple[Point, ...] = ()
    """Throughput against latency over batches, for the best few candidates."""
    odds: Odds | None = None

    @property
    def feasible(self) -> bool:
        """Whether it keeps every limit of the plan."""
        return not self.rejected
