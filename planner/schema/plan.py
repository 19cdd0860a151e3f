"""A plan: one YAML file that says what shall run, what matters, and what may be bought or rented."""

import datetime
from dataclasses import dataclass, field
from typing import Annotated, Literal

from planner.schema.quantity import STRICT, Unit

Term = Literal["on_demand", "spot", "reserved_1y", "reserved_3y", "owned"]
Precision = Literal["fp32", "tf32", "bf16", "fp16", "fp8", "int8", "w4a16", "fp4"]
Seconds = Annotated[float, Unit("second", above=True)]
Tokens = Annotated[float, Unit("count", least=1)]
Fraction = Annotated[float, Unit("fraction", above=True)]


@dataclass(frozen=True)
class Model:
    """Which model: a zoo id, or the path of a Hugging Face config.json or of a workload YAML."""

    __pydantic_config__ = STRICT
    model: str
    precision: tuple[Precision, ...] = ()
    """Precisions the plan accepts; empty takes the usual ones of the scenario, where a device has them."""


@dataclass(frozen=True)
class Serve:
    """Answer requests of given lengths: so many a second, within latency limits (means); or so many in all, by a time."""

    __pydantic_config__ = STRICT
    input_tokens: Tokens
    output_tokens: Tokens
    requests_per_second: Annotated[float, Unit("count/second", above=True)] | None = None
    ttft: Seconds | None = None
    tpot: Seconds | None = None
    prefix_hit: Annotated[float, Unit("fraction")] = 0.0
    """Share of a prompt's tokens whose keys and values an earlier request left in the cache: system prompts, conversations."""
    spare: Annotated[int, Unit("count", least=0)] = 0
    """Instances beyond what the load needs, so that so many may fail."""
    requests: Annotated[float, Unit("count", least=1)] | None = None
    """A batch of work that is done once, instead of requests_per_second."""
    within: Seconds | None = None
    """By when the batch is done."""

    @property
    def rate(self) -> float:
        """Requests a second, at least."""
        return self.requests_per_second or (self.requests or 0.0) / (self.within or 1.0)


@dataclass(frozen=True)
class Reliability:
    """What interrupts a long run. The defaults are those of Llama 3 405B on 16,384 H100 (arXiv:2407.21783, section 3.3)."""

    __pydantic_config__ = STRICT
    device_mtbf: Annotated[float, Unit("second", above=True)] = 54 * 86400 * 16384 / 419
    """Mean time between failures that stop the run, per device: 419 in 54 days on 16,384."""
    instance_mtbf: Annotated[float, Unit("second", above=True)] | None = None
    """Mean time between interruptions of a spot instance; without it spot is priced as if it were never interrupted."""
    restart: Annotated[float, Unit("second", above=True)] = 900.0
    """From a failure to the first step after it: what agrees with the effective time of over 90 % reported there."""
    checkpoint_bandwidth: Annotated[float, Unit("byte/s", above=True)] = 2e12 / 16384
    """Written a device: storage of 2 TB/s for 16,384."""
    evaluation: Annotated[float, Unit("fraction")] = 0.0
    """Share of the time that evaluations take."""


@dataclass(frozen=True)
class Train:
    """Train a language model on so many tokens, within a deadline."""

    __pydantic_config__ = STRICT
    tokens: Tokens
    sequence_length: Tokens
    global_batch: Tokens
    """Sequences in one optimizer step."""
    deadline: Seconds | None = None
    search: Literal["usual", "all"] = "usual"
    """Whether layouts that are rarely the best are tried too: every divisor, schedule, sharding, and offloading."""
    optimizer: Literal["adamw", "adamw_8bit", "adafactor", "muon"] = "adamw"
    lora_rank: Annotated[int, Unit("count", least=0)] = 0
    """Rank of low-rank adapters on every product; 0 trains all parameters."""
    recompute: tuple[Literal["none", "attention", "operators", "full"], ...] = ()
    """What the backward pass may compute again; empty leaves it to the search."""
    reliability: Reliability = field(default_factory=Reliability)


@dataclass(frozen=True)
class Infer:
    """Run a network on so many samples a second (images, frames) of each stream (a camera), within a latency."""

    __pydantic_config__ = STRICT
    samples_per_second: Annotated[float, Unit("count/second", above=True)]
    latency: Seconds | None = None
    streams: Annotated[int, Unit("count", least=1)] = 1

    @property
    def rate(self) -> float:
        """Samples a second of all streams."""
        return self.samples_per_second * self.streams


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


@dataclass(frozen=True)
class Economics:
    """What money and power cost here."""

    __pydantic_config__ = STRICT
    currency: str = "USD"
    horizon: Annotated[float, Unit("second", above=True)] = 3 * 8760 * 3600.0
    """Over how long an owned machine is written off, to nothing, in equal months."""
    utilisation: Fraction = 0.7
    """Share of its estimated throughput that a serving system may be loaded to: the rest is headroom for peaks."""
    electricity: Annotated[tuple[float, str], Unit("money/kWh")] = (0.12, "USD")
    pue: Annotated[float, Unit("count", least=1)] = 1.3
    host_price: Annotated[tuple[float, str], Unit("money")] | None = None
    """What the machine around parts that are sold alone costs, each node; without it such parts are not considered."""
    carbon_intensity: Annotated[float, Unit("kilogram/joule")] | None = None
    """Carbon dioxide a unit of electricity; without it none is shown."""
    budget: Annotated[tuple[float, str], Unit("money")] | None = None
    """The most the whole decision may cost: a month of serving, or the whole run."""


@dataclass(frozen=True)
class Plan:
    """The question, in full. Exactly one of serve, train and infer is given."""

    __pydantic_config__ = STRICT
    title: str
    workload: Model
    serve: Serve | None = None
    train: Train | None = None
    infer: Infer | None = None
    hardware: Hardware = field(default_factory=Hardware)
    economics: Economics = field(default_factory=Economics)
    owner: str = ""
    date: datetime.date | None = None
    status: str = ""
    notes: str = ""

    @property
    def scenario(self) -> Literal["serve", "train", "infer"]:
        """Which of the three questions it asks."""
        return "serve" if self.serve else "train" if self.train else "infer"

    @property
    def ends(self) -> bool:
        """Whether the work is done once and over, as training is, and is paid for as a whole."""
        return self.train is not None or (self.serve is not None and self.serve.requests is not None)

    @property
    def fullness(self) -> float:
        """How much of the estimated throughput may be planned with: work that is done once has no peaks to leave room for."""
        return 1.0 if self.ends else self.economics.utilisation
