"""Ways to make a model or its serving cheaper, as data, and a question asked once with each."""

from dataclasses import dataclass, field
from typing import Any

from planner.schema.inputs import Inputs
from planner.schema.quantity import STRICT


@dataclass(frozen=True)
class Technique:
    """What is changed in a plan, what that costs in quality, and who says so."""

    __pydantic_config__ = STRICT
    name: str
    changes: dict[str, dict[str, Any]]
    caution: str
    source: str
    together: bool = False
    """Whether it is among those that are combined."""
    reverse: bool = False
    """Whether the base has it: the change takes it away."""


@dataclass(frozen=True)
class Smaller:
    """A smaller model in place of another, with a score of both by the same publisher."""

    __pydantic_config__ = STRICT
    model: str
    score: str
    source: str


@dataclass(frozen=True)
class Techniques:
    """All of them by id, and by model the smaller ones there are."""

    __pydantic_config__ = STRICT
    techniques: dict[str, Technique]
    smaller: dict[str, tuple[Smaller, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """The question with a technique, or with several."""

    id: str
    name: str
    caution: str
    source: str
    inputs: Inputs
    reverse: bool = False
