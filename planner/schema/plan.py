"""A plan: one YAML file that says what shall run, what matters, and what may be bought or rented."""

import datetime
from dataclasses import dataclass, field
from typing import Annotated, Literal

from planner.schema.goals import Capacity, Day, Fraction, Infer, Seconds, Serve, Tokens, Train
from planner.schema.money import Fleet, Own, Rent, Share, Term
from planner.schema.quantity import STRICT, Price, Unit

Precision = Literal["fp32", "tf32", "bf16", "fp16", "fp8", "int8", "w4a16", "fp4"]
ASSUMED_ELECTRICITY = (0.12, "USD")
"""Taken where a plan names neither a price nor a region; known from a price that was given by being this very object."""


@dataclass(frozen=True)
class Model:
    """Which model: a zoo id, or the path of a Hugging Face config.json or of a workload YAML."""

    __pydantic_config__ = STRICT
    model: str
    precision: tuple[Precision, ...] = ()
    """Precisions the plan accepts; empty takes the usual ones of the scenario, where a device has them."""
    sparsity: Literal["", "2:4"] = ""
    """Two of every four weights are zero, for devices whose matrix units skip them; serving only."""


@dataclass(frozen=True)
class Hardware:
    """What may be used. Empty lists mean everything the catalogue has an offer for."""

    __pydantic_config__ = STRICT
    systems: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    kinds: tuple[Literal["cpu", "gpu", "tpu", "fpga", "asic"], ...] = ()
    terms: tuple[Term, ...] = ("on_demand", "owned")
    max_devices: Annotated[int, Unit("count", least=1)] = 1024
    power_modes: Literal["own", "all"] = "own"
    """Whether devices are considered by their own figures or in each of their power modes; one mode: ``id@mode`` in systems."""


@dataclass(frozen=True)
class Distil:
    """A student that learns to give its teacher's answers."""

    __pydantic_config__ = STRICT
    student: str
    """Which model: named as a workload's."""
    tokens: Tokens
    teacher: str = ""
    """Whose answers; empty for the workload's own model."""
    teacher_trained: bool = False
    """Whether the teacher is there already, so that its training costs nothing here."""


@dataclass(frozen=True)
class Lifetime:
    """Train a language model, then answer so many queries a day with it for so many months: how large should it be?"""

    __pydantic_config__ = STRICT
    queries_per_day: Annotated[float, Unit("count", above=True)]
    months: Annotated[float, Unit("count", above=True)]
    input_tokens: Tokens
    output_tokens: Tokens
    ttft: Seconds | None = None
    tpot: Seconds | None = None
    tokens: Tokens | None = None
    """What the workload's model is trained on; without it and ``loss``, the tokens that suit its size best."""
    loss: Annotated[float, Unit("count", above=True)] | None = None
    """Nats a token that every model trained here must reach, instead of ``tokens``."""
    trained: bool = False
    """Whether the workload's model is there already, so that its training costs nothing here."""
    law: Literal["epoch", "chinchilla", "sardana"] = "epoch"
    sequence_length: Tokens | None = None
    """Of training; by default 4,096, or the longest that the model takes."""
    global_batch: Tokens = 1024
    deadline: Seconds | None = 90 * 86400.0
    """Of each training run."""
    training_precision: Literal["bf16", "fp16", "tf32", "fp32", "fp8", "fp4"] = "bf16"
    quality: Annotated[float, Unit("fraction")] = 0.99
    """Least share of its score that a compressed model must keep, by published examples, to be chosen."""
    training: Hardware | None = None
    """What may be used for training; by default what the plan's ``hardware`` allows."""
    serving: Hardware | None = None
    distil: tuple[Distil, ...] = ()


@dataclass(frozen=True)
class Economics:
    """What money and power cost here."""

    __pydantic_config__ = STRICT
    currency: str = "USD"
    horizon: Annotated[float, Unit("second", above=True)] = 3 * 8760 * 3600.0
    """Over how long an owned machine is written off, to nothing, in equal months."""
    utilisation: Fraction = 0.7
    """Share of its estimated throughput that a serving system may be loaded to: the rest is headroom for peaks."""
    electricity: Annotated[tuple[float, str], Unit("money/kWh", above=True)] = ASSUMED_ELECTRICITY
    busy: Fraction = 1.0
    """Share of the hours for which machines are bought or committed to in which they have work; the others are paid for too."""
    cost_of_capital: Share = 0.0
    """A year: what money that is tied up costs, and what later money is discounted by."""
    region: str = ""
    """Of the electricity that owned machines use: a grid of the catalogue, for its price and carbon."""
    rates: dict[str, Annotated[Price, Unit("money", above=True)]] = field(default_factory=dict)
    """Currency -> what one of it is worth in the plan's currency, with date and source. Nothing else is converted."""
    device_power: Annotated[float, Unit("watt", above=True)] | None = None
    """Watts of one device under full load, measured; else its board power."""
    derate: Fraction | None = None
    """Share of the board power that full load draws."""
    pue: Annotated[float, Unit("count", least=1)] = 1.3
    host_price: Annotated[tuple[float, str], Unit("money", above=True)] | None = None
    """What the machine around parts that are sold alone costs, each node; without it such parts are not considered."""
    carbon_intensity: Annotated[float, Unit("kilogram/joule")] | None = None
    """Carbon dioxide a unit of electricity, of every machine; without it each region's own, where that is known."""
    carbon_by_hour: Day = ()
    """24 intensities as shares of the average, from midnight."""
    budget: Annotated[tuple[float, str], Unit("money", above=True)] | None = None
    """The most the whole decision may cost: a month of serving, or the whole run."""


Margin = Annotated[float, Unit("fraction")]


@dataclass(frozen=True)
class Uncertainty:
    """How far off each input may be: nine times of ten no more than so much above, or the same factor below.

    The defaults are assumptions to be replaced by what a team knows; the report says so.
    """

    __pydantic_config__ = STRICT
    traffic: Margin = 0.3
    utilisation: Margin = 0.15
    electricity: Margin = 0.2
    on_demand: Margin = 0.1
    """Of the price under this term; so the next."""
    spot: Margin = 0.5
    reserved_1y: Margin = 0.05
    reserved_3y: Margin = 0.05
    owned: Margin = 0.15


@dataclass(frozen=True)
class Plan:
    """The question, in full: exactly one of serve, train, infer, capacity and lifetime. All but capacity need a workload."""

    __pydantic_config__ = STRICT
    title: str
    workload: Model = field(default_factory=lambda: Model(""))
    serve: Serve | None = None
    train: Train | None = None
    infer: Infer | None = None
    capacity: Capacity | None = None
    lifetime: Lifetime | None = None
    hardware: Hardware = field(default_factory=Hardware)
    economics: Economics = field(default_factory=Economics)
    uncertainty: Uncertainty = field(default_factory=Uncertainty)
    rent: Rent = field(default_factory=Rent)
    own: Own = field(default_factory=Own)
    fleet: Fleet | None = None
    owner: str = ""
    date: datetime.date | None = None
    status: str = ""
    notes: str = ""

    @property
    def scenario(self) -> Literal["serve", "train", "infer", "capacity"]:
        """Which of the four questions it asks; a lifetime is made of the first two."""
        return "serve" if self.serve else "train" if self.train else "capacity" if self.capacity else "infer"

    @property
    def daily(self) -> Day:
        """The traffic of a day, where the goal has one."""
        goal = self.serve or self.infer
        return goal.daily if goal else ()

    @property
    def spare(self) -> int:
        """Instances that are kept for failures."""
        return self.serve.spare * self.sites if self.serve else 0

    @property
    def sites(self) -> int:
        """How often the goal is wanted: once, or at every site of a fleet."""
        return self.fleet.sites if self.fleet else 1

    @property
    def ends(self) -> bool:
        """Whether the work is done once and over, as training is, and is paid for as a whole."""
        return self.train is not None or (self.serve is not None and self.serve.requests is not None)

    @property
    def fullness(self) -> float:
        """How much of the estimated throughput may be planned with: work that is done once has no peaks to leave room for."""
        return 1.0 if self.ends else self.economics.utilisation
