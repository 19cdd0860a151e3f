"""What a plan may ask: answering requests, training, running a network, or so many devices for whatever work."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from planner.schema.money import Share
from planner.schema.quantity import STRICT, Unit

Seconds = Annotated[float, Unit("second", above=True)]
Tokens = Annotated[float, Unit("count", least=1)]
Fraction = Annotated[float, Unit("fraction", above=True)]
Day = tuple[Share, ...]
"""24 shares of the plan's rate, one an hour from midnight: the traffic of a day whose peak is the rate."""


@dataclass(frozen=True)
class Speculation:
    """A draft guesses tokens that the model checks in one step (``planner.model.speculative``)."""

    __pydantic_config__ = STRICT
    acceptance: Fraction
    """Share of guesses that hold, each alone: it depends on the draft and on what is asked, and must be measured."""
    tokens: Annotated[int, Unit("count", least=1)] = 3
    """Guesses a step."""
    draft: str = ""
    """A zoo id or file of a smaller model with the same vocabulary; empty is one further layer of the model itself, as
    multi-token prediction and EAGLE have."""


@dataclass(frozen=True)
class Adapters:
    """Low-rank adapters of requests beside one model (LoRA); requests choose among them alike."""

    __pydantic_config__ = STRICT
    count: Annotated[int, Unit("count", least=1)]
    rank: Annotated[int, Unit("count", least=1)] = 16


@dataclass(frozen=True)
class Serve:
    """Answer requests of given lengths: so many a second, within latency limits; or so many in all, by a time."""

    __pydantic_config__ = STRICT
    input_tokens: Tokens
    output_tokens: Tokens
    requests_per_second: Annotated[float, Unit("count/second", above=True)] | None = None
    ttft: Seconds | None = None
    tpot: Seconds | None = None
    percentile: Fraction | None = None
    """Share of requests that must keep ttft and tpot; without it their means must."""
    prefix_hit: Annotated[float, Unit("fraction")] = 0.0
    """Share of a prompt's tokens whose keys and values an earlier request left in the cache: system prompts, conversations."""
    spare: Annotated[int, Unit("count", least=0)] = 0
    """Instances beyond what the load needs, so that so many may fail."""
    requests: Annotated[float, Unit("count", least=1)] | None = None
    """A batch of work that is done once, instead of requests_per_second."""
    within: Seconds | None = None
    """By when the batch is done."""
    input_cv: Annotated[float, Unit("fraction")] = 0.0
    """Standard deviation of input tokens over their mean."""
    output_cv: Annotated[float, Unit("fraction")] = 0.0
    burstiness: Annotated[float, Unit("count", above=True)] = 1.0
    """Squared coefficient of variation of the gaps between requests: 1 is Poisson, more comes in bursts."""
    trace: str = ""
    """A CSV of arrival_time, input_tokens, output_tokens beside the plan, instead of lengths, their variation and burstiness."""
    kv_cache: Literal["", "bf16", "fp8", "int8", "int4"] = ""
    """What keys and values are kept in; empty is what the precision has for it."""
    max_batch: Annotated[int, Unit("count", least=1)] = 512
    """Requests in flight at most, a replica."""
    max_tokens: Tokens = 8192
    """Tokens of prompts that one step takes at most."""
    disaggregated: bool = False
    """Prefill and decode on instances of their own."""
    eager: bool = False
    """Whether the engine starts kernel after kernel, without graphs or a compiler that fuses elementwise work."""
    speculation: Speculation | None = None
    adapters: Adapters | None = None
    daily: Day = ()

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
    restart: Annotated[float, Unit("second", above=True)] = 900.0
    """From a failure to the first step after it: what agrees with the effective time of over 90 % reported there."""
    checkpoint_bandwidth: Annotated[float, Unit("byte/s", above=True)] = 2e12 / 16384
    """Written a device: storage of 2 TB/s for 16,384."""
    evaluation: Annotated[float, Unit("fraction")] = 0.0
    """Share of the time that evaluations take."""


@dataclass(frozen=True)
class Train:
    """Train a language model on so many tokens, or a network on so many samples, within a deadline."""

    __pydantic_config__ = STRICT
    global_batch: Tokens
    """Sequences, or samples, in one optimizer step."""
    tokens: Tokens = 0.0
    sequence_length: Tokens = 0.0
    samples: Tokens = 0.0
    """Of all epochs together; instead of tokens and sequence_length."""
    sample_size: Annotated[float, Unit("byte", above=True)] | None = None
    """What a sample takes where it is read from."""
    loading: Annotated[float, Unit("byte/s", above=True)] | None = None
    """Samples that storage, network and processors of one node read and prepare; without it they are never waited for."""
    deadline: Seconds | None = None
    search: Literal["usual", "all"] = "usual"
    """Whether layouts that are rarely the best are tried too: every divisor, schedule, sharding, and offloading."""
    optimizer: Literal["adamw", "adamw_8bit", "adafactor", "muon"] = "adamw"
    lora_rank: Annotated[int, Unit("count", least=0)] = 0
    """Rank of low-rank adapters on every product; 0 trains all parameters."""
    recompute: tuple[Literal["none", "attention", "operators", "full"], ...] = ()
    """What the backward pass may compute again; empty leaves it to the search."""
    reliability: Reliability = field(default_factory=Reliability)

    @property
    def amount(self) -> float:
        """Tokens or samples of the whole run."""
        return self.tokens or self.samples


@dataclass(frozen=True)
class Infer:
    """Run a network on so many samples a second (images, frames) of each stream (a camera), within a latency."""

    __pydantic_config__ = STRICT
    samples_per_second: Annotated[float, Unit("count/second", above=True)]
    latency: Seconds | None = None
    streams: Annotated[int, Unit("count", least=1)] = 1
    daily: Day = ()

    @property
    def rate(self) -> float:
        """Samples a second of all streams."""
        return self.samples_per_second * self.streams


@dataclass(frozen=True)
class Capacity:
    """Have so many devices, for whatever work: a question of money alone."""

    __pydantic_config__ = STRICT
    devices: Annotated[int, Unit("count", least=1)]
    per_instance: Annotated[int, Unit("count", least=1)] = 1
    """Devices that one instance has at least: 8 where work goes over the links inside a node."""
