"""What making a smaller or coarser model of a trained one takes, and what that did to published scores."""

from dataclasses import dataclass
from typing import Annotated, Literal

from planner.schema.plan import Precision
from planner.schema.quantity import STRICT, Unit

Amount = Annotated[float, Unit("count", above=True)]


@dataclass(frozen=True)
class Score:
    """A benchmark before and after, in the publisher's points, and who measured it on which model."""

    __pydantic_config__ = STRICT
    benchmark: str
    before: Amount
    after: Amount
    source: str
    note: str = ""

    @property
    def kept(self) -> float:
        """Share of the score that is left."""
        return self.after / self.before


@dataclass(frozen=True)
class Conversion:
    """Device-hours that converting a model of so many parameters took; they grow with the parameters."""

    __pydantic_config__ = STRICT
    device_hours: Amount
    parameters: Amount
    source: str


@dataclass(frozen=True)
class Retraining:
    """Tokens that a compressed model of so many parameters was trained on again; they grow with the parameters."""

    __pydantic_config__ = STRICT
    tokens: Amount
    parameters: Amount
    source: str
    teacher: bool = True
    """Whether the original answers each of the tokens too."""


@dataclass(frozen=True)
class Method:
    """One way to compress a model. The first score stands for its quality; the others are shown."""

    __pydantic_config__ = STRICT
    name: str
    kind: Literal["quantise", "prune"]
    scores: tuple[Score, ...]
    precision: Precision | None = None
    """What it is served in, where that is what the method changes."""
    share: Annotated[float, Unit("fraction", above=True)] = 1.0
    """Parameters that are left, of those there were."""
    sparsity: Literal["", "2:4"] = ""
    """What of its weights are zero, for devices whose matrix units skip them."""
    conversion: Conversion | None = None
    retraining: Retraining | None = None


@dataclass(frozen=True)
class Compression:
    """The table of methods by id."""

    __pydantic_config__ = STRICT
    sources: dict[str, str]
    methods: dict[str, Method]
