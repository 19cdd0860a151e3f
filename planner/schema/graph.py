"""A network as operations with real shapes, for one sample: what importers write and ``model.families.graph`` reads.

The classes of operations and the axes of their shapes are those that ``planner bench`` measures (``planner.measure.cases``).
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from planner.schema.quantity import STRICT, Count, Unit

Number = Annotated[float, Unit("count")]
Kind = Literal["matmul", "convolution", "attention", "normalization", "elementwise", "gather", "pooling"]

AXES: dict[Kind, tuple[str, ...]] = {
    "matmul": ("batch", "m", "n", "k"),
    "convolution": ("batch", "places", "cin", "cout", "taps", "stride", "groups"),
    "attention": ("batch", "heads", "query", "context", "dim"),
    "normalization": ("elements", "width"),
    "elementwise": ("elements",),
    "gather": ("rows", "width", "table"),
    "pooling": ("elements",),
}
"""What a shape of each class names. matmul: ``batch`` products (m, k) × (k, n) side by side. convolution: ``places`` that a
filter of ``taps`` is laid at. attention: ``query`` new keys over ``context``. gather: ``rows`` of ``width`` out of ``table``."""


@dataclass(frozen=True)
class Layer:
    """An operation of one sample, and how often it runs.

    read, written: elements of activations; parameters: elements of weights, read once however many samples are side by side.
    fused: elements that are still moved where an inference compiler makes it part of its neighbour; absent where none can.
    """

    __pydantic_config__ = STRICT
    op: Kind
    shape: dict[str, Number]
    count: Number = 1.0
    name: str = ""
    variant: str = ""
    read: Number = 0.0
    written: Number = 0.0
    parameters: Number = 0.0
    fused: Number | None = None
    half: bool = False
    """Whether it stays in 16 bits where the rest of the network is in fewer."""


@dataclass(frozen=True)
class Graph:
    """All operations of a pass over one sample. unknown: operators that no rule describes, and how many nodes each has."""

    __pydantic_config__ = STRICT
    parameters: Count
    operations: tuple[Layer, ...]
    input: str = ""
    unknown: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """An operation of a graph as it was found, before any is fused: ``inputs`` are (tensor, elements) that are activations,
    ``output`` the tensor it makes. moves: whether it only copies elements to other places (concatenation, padding)."""

    layer: Layer
    inputs: tuple[tuple[str, float], ...] = ()
    output: str = ""
    moves: bool = False


@dataclass(frozen=True)
class Found:
    """What an importer read: nodes in the order they run, distinct parameters, and what it could not describe."""

    name: str
    source: str
    nodes: tuple[Node, ...]
    parameters: float
    input: str = ""
    unknown: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    """Tensors that leave the network: what makes them writes them."""


@dataclass(frozen=True)
class Asked:
    """What an importer is asked for. inputs: shapes of one sample's inputs; dims: values of symbolic sizes; settings: arguments
    of a class or function; tokens: of one sample of a language encoder."""

    model: str
    inputs: tuple[tuple[int, ...], ...] = ()
    dims: dict[str, int] = field(default_factory=dict)
    settings: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    tokens: int = 128


def flop(layer: Layer) -> float:
    """Floating-point operations of one run over one sample: a multiply-add is two; what is not a product has none."""
    s = layer.shape
    if layer.op == "matmul":
        return 2 * s["batch"] * s["m"] * s["n"] * s["k"]
    if layer.op == "convolution":
        return 2 * s["batch"] * s["places"] * s["cout"] * s["cin"] / s["groups"] * s["taps"]
    if layer.op == "attention":
        seen = 0.5 if layer.variant == "causal" and s["query"] > 1 else 1.0
        return 4 * s["batch"] * s["heads"] * s["query"] * s["context"] * s["dim"] * seen
    return 0.0


def total_flop(layers: tuple[Layer, ...]) -> float:
    """Floating-point operations of a pass over one sample."""
    return sum(layer.count * flop(layer) for layer in layers)
