"""What renting, owning and a fleet of boards cost beyond the price of the machine: the blocks of a plan, and their records."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from planner.schema.quantity import STRICT, Figure, Price, Unit

Term = Literal["on_demand", "spot", "reserved_1y", "reserved_3y", "owned"]
Rented = Literal["on_demand", "spot", "reserved_1y", "reserved_3y"]
Seconds = Annotated[float, Unit("second", above=True)]
Share = Annotated[float, Unit("fraction")]
Bytes = Annotated[float, Unit("byte")]
Money = Annotated[tuple[float, str], Unit("money", above=True)]
Monthly = Annotated[tuple[float, str], Unit("money/month", above=True)]
PerKilowatt = Annotated[tuple[float, str], Unit("money/kW", above=True)]
PerKilowattMonth = Annotated[tuple[float, str], Unit("money/kW/month", above=True)]


@dataclass(frozen=True)
class Step:
    """From this share of a month on, an hour costs so much of its price: a sustained-use discount."""

    __pydantic_config__ = STRICT
    over: Share
    pays: Annotated[float, Unit("fraction", above=True)]


@dataclass(frozen=True)
class Spot:
    """How often an instance is taken away, and what that costs in time."""

    __pydantic_config__ = STRICT
    mtbf: Seconds
    """Mean time between interruptions of one instance."""
    restart: Seconds
    """From an interruption to useful work on another instance. Training takes its own from ``train.reliability``."""
    checkpoint_interval: Seconds | None = None
    """Work between checkpoints; half of it is done again after an interruption. Without it nothing is done again."""
    checkpoint_write: Annotated[float, Unit("second")] = 0.0


@dataclass(frozen=True)
class Services:
    """Amounts of what is rented beside instances, or its prices in a plan: all of one deployment."""

    __pydantic_config__ = STRICT
    object: Annotated[tuple[float, str], Unit("money/GB/month", above=True)] | None = None
    block: Annotated[tuple[float, str], Unit("money/GB/month", above=True)] | None = None
    egress: Annotated[tuple[float, str], Unit("money/GB", above=True)] | None = None
    ingress: Annotated[tuple[float, str], Unit("money/GB")] | None = None
    between_zones: Annotated[tuple[float, str], Unit("money/GB", above=True)] | None = None
    between_regions: Annotated[tuple[float, str], Unit("money/GB", above=True)] | None = None
    load_balancer: Annotated[tuple[float, str], Unit("money/hour", above=True)] | None = None


@dataclass(frozen=True)
class Rent:
    """What renting costs beside the hourly price, and when the meter runs. Amounts of services are those of a month."""

    __pydantic_config__ = STRICT
    discounts: dict[Rented, Share] = field(default_factory=dict)
    """Off the list price by term: negotiated, committed use, a savings plan."""
    sustained_use: tuple[Step, ...] = ()
    """On demand: what hours cost beyond a share of the month, as steps."""
    spot: Spot | None = None
    """Without it spot is priced as if it were never interrupted."""
    minimum: Annotated[float, Unit("second")] = 0.0
    """The least that is billed from each start of an instance."""
    increment: Annotated[float, Unit("second")] = 0.0
    """Time is billed in steps of this."""
    autoscale: bool = False
    """Whether instances on demand and on spot follow the traffic of the day (``daily``); others run day and night."""
    keep: Annotated[int, Unit("count", least=0)] = 1
    """Instances that autoscaling never gives back."""
    object: Bytes = 0.0
    block: Bytes = 0.0
    egress: Bytes = 0.0
    """Out to the internet, a month."""
    ingress: Bytes = 0.0
    between_zones: Bytes = 0.0
    between_regions: Bytes = 0.0
    load_balancers: Annotated[int, Unit("count", least=0)] = 0
    prices: Services = field(default_factory=Services)
    """Instead of the provider's list, where that is not known or you have your own."""
    support: Share = 0.0
    """Share of all that is rented."""
    tax: Share = 0.0
    """Share of all that is rented, support included."""


@dataclass(frozen=True)
class Own:
    """What owning costs beside the machines, electricity and cooling (``economics.pue``). What is absent is left out."""

    __pydantic_config__ = STRICT
    network: Money | None = None
    """Switches, cables and optics, each node."""
    rack: Money | None = None
    """Each rack with its power distribution."""
    nodes_per_rack: Annotated[int, Unit("count", least=1)] = 1
    cooling: PerKilowatt | None = None
    """Building the power and cooling plant, each kW of machines at full load."""
    installation: Money | None = None
    """Once, for all."""
    spares: Share = 0.0
    """Machines that are bought beside those that run, as a share of their price."""
    purchase_tax: Share = 0.0
    """Share of all that is bought."""
    residual: Share = 0.0
    """What the machines are worth at the end of the horizon, as a share of their price."""
    maintenance: Share = 0.0
    """A year, as a share of the price of the machines."""
    colocation: PerKilowattMonth | None = None
    """Space and cooling in somebody's hall, each kW of machines at full load."""
    space: Monthly | None = None
    """Each rack."""
    staff: Monthly | None = None
    bandwidth: Monthly | None = None
    """The line to the internet, for all."""
    lead_time: Annotated[float, Unit("second")] = 0.0
    """From the order, which is paid then, to the first useful hour; until then the same is rented on demand."""


@dataclass(frozen=True)
class Fleet:
    """Boards at many sites: each site does what the plan's goal asks with machines of its own."""

    __pydantic_config__ = STRICT
    sites: Annotated[int, Unit("count", least=1)]
    connectivity: Monthly | None = None
    """Each site."""
    replacement: Share = 0.0
    """Boards that fail and are replaced a year, as a share of all."""
    installation: Money | None = None
    """Each site, once."""


@dataclass(frozen=True)
class Band:
    """A price from an amount a month on, until the next one's."""

    __pydantic_config__ = STRICT
    price: Annotated[Price, Unit("money/GB")]
    over: Annotated[float, Unit("byte")] = 0.0


@dataclass(frozen=True)
class ServiceList:
    """A provider's prices of what is rented beside instances, in one region; what nobody sourced is absent."""

    __pydantic_config__ = STRICT
    id: str
    """The provider's."""
    region: str
    sources: dict[str, str]
    object: Annotated[Price, Unit("money/GB/month", above=True)] | None = None
    block: Annotated[Price, Unit("money/GB/month", above=True)] | None = None
    egress: tuple[Band, ...] = ()
    ingress: Annotated[Price, Unit("money/GB")] | None = None
    between_zones: Annotated[Price, Unit("money/GB", above=True)] | None = None
    between_regions: Annotated[Price, Unit("money/GB", above=True)] | None = None
    load_balancer: Annotated[Price, Unit("money/hour", above=True)] | None = None
    notes: str = ""


@dataclass(frozen=True)
class Grid:
    """Electricity somewhere: what it costs and what it emits, and how much of it a hall there wastes."""

    __pydantic_config__ = STRICT
    name: str = ""
    carbon: Annotated[Figure, Unit("kilogram/joule")] | None = None
    electricity: Annotated[Price, Unit("money/kWh", above=True)] | None = None
    pue: Annotated[Figure, Unit("count", least=1)] | None = None


@dataclass(frozen=True)
class Grids:
    """Grids of one file, by region."""

    __pydantic_config__ = STRICT
    id: str
    name: str
    sources: dict[str, str]
    regions: dict[str, Grid]
