"""Devices, the systems they are built into, and who rents or sells those."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from planner.schema.quantity import STRICT, Amount, ByteRate, Bytes, Count, FlopRate, Frequency, Mass, Power, Price, Seconds, Unit

Kind = Literal["cpu", "gpu", "tpu", "fpga", "asic"]
Dtype = Literal["fp64", "fp32", "tf32", "bf16", "fp16", "fp16_sums", "fp8", "int8", "int4", "fp4"]
Topology = Literal["switch", "mesh", "ring", "torus2d", "torus3d", "pcie", "ethernet"]
TERMS = ("on_demand", "spot", "reserved_1y", "reserved_3y", "owned")
IN_MODE = "@"
"""Between the id of a device or system and the power mode that it is in: ``nvidia-jetson-agx-orin-64gb@30w``."""


def own_id(id: str) -> str:
    """The id of what lies in the catalogue: without the power mode."""
    return id.partition(IN_MODE)[0]


@dataclass(frozen=True)
class Memory:
    """One level of a device's memory; ``main`` holds the model, ``cache`` is on the chip."""

    __pydantic_config__ = STRICT
    level: Literal["main", "cache"]
    kind: str
    capacity: Bytes | None = None
    bandwidth: ByteRate | None = None
    clock: Frequency | None = None
    """What the bandwidth belongs to, where power modes lower it."""


@dataclass(frozen=True)
class PowerMode:
    """Limits that a device's software sets together, by name: what is absent is as the device's own figures say."""

    __pydantic_config__ = STRICT
    power: Power
    """What the device is meant to stay within: a budget, which light work does not reach."""
    clock: Frequency | None = None
    """Of the compute units, at most."""
    compute_units: Count | None = None
    """Those that are on."""
    memory_clock: Frequency | None = None
    cores: Count | None = None
    """Of the processor beside the accelerator, those that are on; no law reads them, nor their clock."""
    core_clock: Frequency | None = None


@dataclass(frozen=True)
class Link:
    """A way off the device; bandwidth per direction, all lanes together."""

    __pydantic_config__ = STRICT
    kind: str
    bandwidth: ByteRate


@dataclass(frozen=True)
class Fabric:
    """What an FPGA is made of, the overlay its peak rates belong to, frames that this works on together, reading weights once
    for all of them, and the clock of the processors beside it."""

    __pydantic_config__ = STRICT
    overlay: str
    part: str = ""
    dsp: Amount | None = None
    lut: Amount | None = None
    bram36: Amount | None = None
    uram: Amount | None = None
    frames: Amount | None = None
    host_clock: Frequency | None = None


@dataclass(frozen=True)
class Device:
    """One chip or board by its datasheet. Peaks are dense; a dtype the chip lacks is absent."""

    __pydantic_config__ = STRICT
    id: str
    name: str
    vendor: str
    kind: Kind
    family: str
    sources: dict[str, str]
    peak: dict[Dtype, FlopRate] = field(default_factory=dict)
    memory: tuple[Memory, ...] = ()
    compute_units: Count | None = None
    clock: Frequency | None = None
    ops_per_cycle: dict[Dtype, Count] = field(default_factory=dict)
    """Of one compute unit, where the architecture's makers say: the peak must follow from it and the clock."""
    systolic_array: Count | None = None
    """Side of its systolic arrays: what stays in one while the rest streams through is padded to it."""
    tdp: Power | None = None
    idle_power: Power | None = None
    sparse_speedup: Count | None = None
    """How many times faster products are where two of every four weights are zero."""
    embodied: Mass | None = None
    """CO2e of making it, its share of the host included where the source has it."""
    links: tuple[Link, ...] = ()
    launch_date: date | None = None
    fpga: Fabric | None = None
    power_modes: dict[str, PowerMode] = field(default_factory=dict)
    notes: str = ""

    @property
    def alike(self) -> str:
        """What devices of one vendor with one kind of memory share, e.g. ``nvidia-hbm``: between a family and a kind."""
        main = self.level("main")
        memory = re.match("[a-z]*", main.kind.lower()) if main else None
        return f"{self.vendor.lower().replace(' ', '-')}-{memory.group() if memory else ''}".strip("-")

    def level(self, level: str) -> Memory | None:
        """The first memory of that level, the outermost cache where there are several."""
        return next((m for m in self.memory if m.level == level), None)


@dataclass(frozen=True)
class Tier:
    """A network that joins ``size`` devices: bandwidth per device and direction."""

    __pydantic_config__ = STRICT
    name: Literal["scale_up", "scale_out"]
    kind: str
    topology: Topology
    size: Annotated[int, Unit("count", least=1)]
    bandwidth: ByteRate
    latency: Seconds | None = None


@dataclass(frozen=True)
class Host:
    """The machine around the devices of one node."""

    __pydantic_config__ = STRICT
    cpu: str = ""
    cores: Count | None = None
    memory: Bytes | None = None
    storage: Bytes | None = None


@dataclass(frozen=True)
class System:
    """A node with ``devices`` of one kind, how they are joined, and up to how many can be joined."""

    __pydantic_config__ = STRICT
    id: str
    name: str
    device: str
    devices: Annotated[int, Unit("count", least=1)]
    sources: dict[str, str]
    tiers: tuple[Tier, ...] = ()
    host: Host | None = None
    power: Power | None = None
    notes: str = ""


@dataclass(frozen=True)
class Prices:
    """What one instance costs by term: rent an hour, or the price to buy it."""

    __pydantic_config__ = STRICT
    on_demand: Annotated[Price, Unit("money/hour", above=True)] | None = None
    spot: Annotated[Price, Unit("money/hour", above=True)] | None = None
    reserved_1y: Annotated[Price, Unit("money/hour", above=True)] | None = None
    reserved_3y: Annotated[Price, Unit("money/hour", above=True)] | None = None
    owned: Annotated[Price, Unit("money", above=True)] | None = None


@dataclass(frozen=True)
class Offer:
    """An instance or product: ``devices`` of a system (all of one node where absent), in a region, at a price."""

    __pydantic_config__ = STRICT
    id: str
    system: str
    prices: Prices
    region: str = ""
    devices: Annotated[int, Unit("count", least=1)] | None = None
    needs_host: bool = False
    """A part sold alone: it works only in a machine that the price does not include."""
    notes: str = ""


@dataclass(frozen=True)
class Instance:
    """What a provider's name of an instance stands for: ``devices`` of a system, all of one node where absent."""

    __pydantic_config__ = STRICT
    system: str
    devices: Annotated[int, Unit("count", least=1)] | None = None
    notes: str = ""


@dataclass(frozen=True)
class Provider:
    """Who rents or sells: a cloud, a vendor or a shop, with its offers."""

    __pydantic_config__ = STRICT
    id: str
    name: str
    sources: dict[str, str]
    offers: tuple[Offer, ...] = ()
    regions: tuple[str, ...] = ()
    """Its regions, where it has a list of them: an offer anywhere else is a mistake."""
    instances: dict[str, Instance] = field(default_factory=dict)
    """What the instances are that a table of prices names: a CSV of the provider's name beside its file."""
