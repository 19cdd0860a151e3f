"""A network as a list of layers, as a person writes it: shapes follow from the input."""

from dataclasses import dataclass
from typing import Annotated, Literal

from planner.schema.quantity import STRICT, Unit

Size = Annotated[int, Unit("count")]
Norm = Literal["batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"]
Activation = Literal["relu", "relu6", "gelu", "silu", "sigmoid", "tanh", "softmax", "hardswish", "leaky_relu", "elu"]


@dataclass(frozen=True)
class Conv:
    """A convolution with what follows it. ``groups`` as many as channels: depthwise. ``channels`` 0: as many as come in."""

    __pydantic_config__ = STRICT
    channels: Size = 0
    kernel: Size = 3
    stride: Size = 1
    groups: Size = 1
    depthwise: bool = False
    transposed: bool = False
    bias: bool = False
    padding: Literal["same", "valid"] = "same"
    norm: Norm | None = None
    activation: Activation | None = None


@dataclass(frozen=True)
class Linear:
    """A product with weights for every place or token."""

    __pydantic_config__ = STRICT
    width: Size
    bias: bool = True
    activation: Activation | None = None


@dataclass(frozen=True)
class Pool:
    """The largest or mean of kernel places an axis; of all of them where ``kernel`` is 0."""

    __pydantic_config__ = STRICT
    kernel: Size = 0
    stride: Size = 1


@dataclass(frozen=True)
class Embedding:
    """Rows of a table: ``lookups`` of them a sample, kept as so many tokens, or summed to one where ``summed``."""

    __pydantic_config__ = STRICT
    rows: Size
    width: Size
    lookups: Size = 1
    summed: bool = False
    tables: Size = 1


@dataclass(frozen=True)
class Transformer:
    """Layers of attention and feed-forward. cross: tokens of another sequence that each layer also attends to.

    context: keys that are kept from earlier tokens, where one token is made at a time.
    """

    __pydantic_config__ = STRICT
    layers: Size
    heads: Size
    ffn: Size
    kv_heads: Size = 0
    gated: bool = False
    causal: bool = False
    norm: Norm = "layer_norm"
    activation: Activation = "gelu"
    bias: bool = True
    cross: Size = 0
    cross_width: Size = 0
    cross_kept: bool = False
    """Whether the keys and values of the other sequence were made before: a decoder's after its first token."""
    context: Size = 0


@dataclass(frozen=True)
class Recurrent:
    """Layers of LSTM or GRU."""

    __pydantic_config__ = STRICT
    width: Size
    layers: Size = 1
    kind: Literal["lstm", "gru"] = "lstm"
    bidirectional: bool = False


@dataclass(frozen=True)
class Trees:
    """A forest of decision trees of a depth, such as gradient boosting makes."""

    __pydantic_config__ = STRICT
    trees: Size
    depth: Size
    features: Size = 1


@dataclass(frozen=True)
class Step:
    """One layer; exactly one field is given, beside the name of the part of the network that it is.

    residual: layers whose result is added to what goes into them. branches: layers side by side, their channels together.
    repeat: layers so many times over. save, cat, add: a result kept by name, and later put beside or added to what there is.
    """

    __pydantic_config__ = STRICT
    conv: Conv | None = None
    linear: Linear | None = None
    pool: Pool | None = None
    norm: Norm | None = None
    activation: Activation | None = None
    upsample: Size | None = None
    embedding: Embedding | None = None
    transformer: Transformer | None = None
    recurrent: Recurrent | None = None
    trees: Trees | None = None
    interaction: bool | None = None
    """Dot products of every pair of tokens beside the first one (DLRM)."""
    squeeze: Size | None = None
    """Squeeze-and-excitation through so many channels."""
    residual: "tuple[Step, ...] | None" = None
    branches: "tuple[tuple[Step, ...], ...] | None" = None
    repeat: "Repeat | None" = None
    save: str | None = None
    cat: str | None = None
    add: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Repeat:
    """Layers so many times over."""

    __pydantic_config__ = STRICT
    times: Size
    layers: tuple[Step, ...]


@dataclass(frozen=True)
class LayersFile:
    """A network's name, the shape of one sample (``3x224x224``, or tokens), its layers, and where they are from."""

    __pydantic_config__ = STRICT
    name: str
    input: str
    layers: tuple[Step, ...]
    source: str = ""
    notes: str = ""
