"""What an estimate of one workload on one system is asked, and what a way of running it found."""

from dataclasses import dataclass

from planner.model.passes import Pass


@dataclass(frozen=True)
class Demand:
    """Samples a second of each of so many streams that a network is asked, and what its devices run from."""

    rate: float
    streams: int = 1
    battery: float | None = None
    """Joules that it holds."""
    power: float | None = None
    """Watts of a device under full load, measured; else its board power."""


@dataclass(frozen=True)
class Request:
    """What to estimate. ``mode``: serve, train or infer; sizes that do not apply to it are ignored."""

    mode: str
    devices: int = 1
    precision: str = ""
    batch: int = 1
    input_tokens: int = 1000
    output_tokens: int = 300
    tp: int = 0
    """0 takes all devices for serving and 1 for training."""
    pp: int = 1
    micro_batch: int = 1
    global_batch: int = 0
    sequence: int = 4096
    zero_stage: int = 1
    recompute: int = 0
    cp: int = 1
    ep: int = 0
    """0 takes as many ways as ranks allow, up to eight."""
    virtual: int = 1
    schedule: int = 0
    optimizer: int = 0
    lora_rank: int = 0
    offload: tuple[str, ...] = ()
    """optimizer, activations."""
    eager: bool = False
    demand: Demand | None = None


@dataclass(frozen=True)
class Run:
    """What one way of running found: figures by name, work a second, memory [B] and time by part."""

    figures: dict[str, float]
    rate: float
    work_unit: str
    memory: dict[str, float]
    one: Pass
    layout: dict[str, int | str]
    model_flop: float
    """FLOP a device that the model asks for in that pass."""
