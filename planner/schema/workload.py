"""Models as the planner sees them: the sizes that decide their cost."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from planner.schema.graph import Graph, Number
from planner.schema.quantity import STRICT, Count, Unit

Size = Annotated[int, Unit("count")]


@dataclass(frozen=True)
class Moe:
    """Mixture of experts: which layers route, and what each token visits there."""

    __pydantic_config__ = STRICT
    num_experts: Size
    experts_per_token: Size
    expert_ffn_size: Size
    shared_ffn_size: Size = 0
    dense_layers: Size = 0
    """How many of the layers keep the dense feed-forward of ``ffn_size``."""
    router_bias: bool = False
    shared_gate: bool = False
    """The shared expert's output is weighted by a learned gate (one weight per hidden channel)."""
    expert_bias: bool = False
    fp8_blocks: bool = False
    """Its own checkpoint is in fp8 with a scale for a block of 128 × 128 (weight_block_size of config.json): serving it in fp8
    takes experts' kernels for such blocks."""


@dataclass(frozen=True)
class Mla:
    """Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434): what is compressed to what."""

    __pydantic_config__ = STRICT
    q_lora_rank: Size
    kv_lora_rank: Size
    qk_nope_head_dim: Size
    qk_rope_head_dim: Size
    v_head_dim: Size


@dataclass(frozen=True)
class Window:
    """Sliding-window (or chunked) attention: its length in tokens and the number of layers that use it."""

    __pydantic_config__ = STRICT
    size: Size
    layers: Size


@dataclass(frozen=True)
class Architecture:
    """A transformer by its sizes; the names are those of Hugging Face's ``config.json`` where it has one."""

    __pydantic_config__ = STRICT
    hidden_size: Size
    num_layers: Size
    num_heads: Size
    num_kv_heads: Size
    head_dim: Size
    ffn_size: Size
    vocab_size: Size
    max_context: Size
    gated_ffn: bool = True
    tied_embeddings: bool = False
    causal: bool = True
    norm: Literal["rms", "layer", "layer_no_bias"] = "rms"
    positions: Literal["rope", "learned", "alibi", "none"] = "rope"
    qkv_bias: bool = False
    output_bias: bool = False
    ffn_bias: bool = False
    qk_norm: bool = False
    attention_sinks: bool = False
    extra_embeddings: Size = 0
    """Rows of further embedding tables of hidden_size: token types, special positions."""
    norms_per_layer: Size = 2
    """1 where attention and feed-forward share one (GPT-J, Falcon 7B), 4 where each has one before and after (Gemma 2)."""
    extra_norms: Size = 0
    """Norms of hidden_size beyond norms_per_layer and one at the end."""
    extra_parameters: Size = 0
    """What no rule above counts, as the model card has it (a pooler, a prediction head)."""
    moe: Moe | None = None
    mla: Mla | None = None
    window: Window | None = None


@dataclass(frozen=True)
class Sums:
    """What the operators of a network's forward pass do with one sample, summed by kind.

    Multiply-accumulates of convolutions of several taps (dense), of one tap and of products with weights (pointwise), over
    groups, of each channel by itself (depthwise), and of attention. ``..._thin``: the same over their channels, each
    times 1/outputs + 1/inputs; ``loose``: those over groups that no kernel packs, as padded; ``multiplied``: those of
    several outputs of each channel by itself, every set of them padded to a vector. Elements read and written by
    products (moved; of these by convolutions of odd numbers of channels, and of each channel by itself), normalisations, batch
    normalisation and the rest (of these by gates); attention scores; weights read; what comes in and goes out, and
    exponentials that the host takes of it; operators, and how many of them are products (layers).
    """

    __pydantic_config__ = STRICT
    dense: float = 0.0
    pointwise: float = 0.0
    grouped: float = 0.0
    depthwise: float = 0.0
    attention: float = 0.0
    dense_thin: float = 0.0
    pointwise_thin: float = 0.0
    grouped_thin: float = 0.0
    attention_thin: float = 0.0
    loose: float = 0.0
    multiplied: float = 0.0
    moved: float = 0.0
    odd: float = 0.0
    channelwise: float = 0.0
    norm: float = 0.0
    batchnorm: float = 0.0
    rest: float = 0.0
    gates: float = 0.0
    scores: float = 0.0
    weights: float = 0.0
    inputs: float = 0.0
    outputs: float = 0.0
    exponentials: float = 0.0
    layers: float = 0.0
    kernels: float = 0.0

    @property
    def macs(self) -> float:
        """Multiply-accumulates of all products."""
        return self.dense + self.pointwise + self.grouped + self.depthwise + self.attention


@dataclass(frozen=True)
class Network:
    """Any network by the summary its publisher gives, per sample."""

    __pydantic_config__ = STRICT
    parameters: Count
    macs: Count
    activations: Count | None = None
    input: str = ""
    like: str = ""
    """The network of ``planner/data/networks/graphs.csv`` that it is; by its name and numbers where this is absent."""
    sums: Sums | None = None
    """What its operators do; from that table where this is absent."""


@dataclass(frozen=True)
class Requests:
    """What a published benchmark sends, on average, and the latency it allows by scenario."""

    __pydantic_config__ = STRICT
    input_tokens: Annotated[float, Unit("count")]
    output_tokens: Annotated[float, Unit("count")]
    source: str
    limits: dict[str, dict[Literal["ttft", "tpot"], Annotated[float, Unit("second")]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """One entry of the zoo: a transformer, a network summary, a graph of operations, several other entries one after another
    (``parts``: how often each runs a sample), or a benchmark of another entry (``of``). A summary may stand beside operations,
    for devices that are known by whole networks only."""

    __pydantic_config__ = STRICT
    id: str
    name: str
    sources: dict[str, str]
    architecture: Architecture | None = None
    network: Network | None = None
    graph: Graph | None = None
    parts: dict[str, Number] = field(default_factory=dict)
    together: Number = 1.0
    """How many samples of its parts are one of the whole, side by side: candidates that a query ranks."""
    half: tuple[str, ...] = ()
    """Operations of its parts that stay in 16 bits where the rest is in fewer, as ``part: name``."""
    of: str = ""
    requests: Requests | None = None
    parameters: Count | None = None
    """The published number of parameters, where there is one: the architecture's own count must equal it."""
    notes: str = ""
