"""Parameters of a transformer, exactly and by part: what its weights are, before any precision is chosen.

Sizes come as columns (N,) or as single numbers, under the names of ``Architecture`` with its parts spelled flat:
``flatten`` makes them. Shapes are those of the models' published implementations (Hugging Face transformers); each count is
checked against the published one in ``tests/model/test_transformer_size.py``.
"""

from dataclasses import fields

import numpy as np

from planner.model.columns import Array, Columns
from planner.schema.workload import Architecture, Mla, Moe

Sizes = Columns
"""Anything with the names of ``flatten`` as attributes: columns (N,) or plain numbers."""


def flatten(architecture: Architecture) -> dict[str, float]:
    """An architecture as numbers by name: booleans are 0 or 1, and a part that it does not have is zeros.

    ``norm`` and ``positions`` become norm_bias, learned_positions; ``window`` becomes window_size, window_layers; the fields of
    ``moe`` and ``mla`` keep their names.
    """
    a = architecture
    plain = {f.name: getattr(a, f.name) for f in fields(Architecture)}
    flat = {name: float(value) for name, value in plain.items() if isinstance(value, (bool, int, float))}
    for kind, part in ((Moe, a.moe), (Mla, a.mla)):
        flat |= {f.name: float(getattr(part, f.name, 0)) for f in fields(kind)}
    return flat | {
        "norm_bias": float(a.norm == "layer"),
        "learned_positions": float(a.positions == "learned"),
        "window_size": float(a.window.size if a.window else 0),
        "window_layers": float(a.window.layers if a.window else 0),
    }


def parameters(a: Sizes) -> dict[str, Array]:
    """Number of parameters by part, and ``total`` [count], each (N,).

    embeddings (token and position tables, and the output layer where it is not the token table), attention, dense_ffn,
    experts, shared_experts, router, norms, other.
    """
    parts = {
        "embeddings": _embeddings(a),
        "attention": np.where(a.kv_lora_rank > 0, _latent_attention(a), _attention(a)) * a.num_layers,
        "dense_ffn": _ffn(a, a.ffn_size, a.ffn_bias) * (a.num_layers - _moe_layers(a)),
        "experts": _ffn(a, a.expert_ffn_size, a.expert_bias) * a.num_experts * _moe_layers(a),
        "shared_experts": (_ffn(a, a.shared_ffn_size, 0) + a.shared_gate * a.hidden_size) * _moe_layers(a),
        "router": (a.hidden_size + a.router_bias) * a.num_experts * _moe_layers(a),
        "norms": _norms(a),
        "other": a.extra_parameters,
    }
    counted = {name: np.asarray(value, float) for name, value in parts.items()}
    return counted | {"total": np.asarray(sum(counted.values()), float)}


def active_parameters(a: Sizes) -> Array:
    """The parameters one token visits [count] (N,): all but the experts it is not sent to.

    Embeddings count whole, as in Mixtral's 12.9e9 (arXiv:2401.04088); some publishers leave the input table out.
    """
    parts = parameters(a)
    idle = np.where(a.num_experts > 0, 1 - a.experts_per_token / np.maximum(a.num_experts, 1), 0.0)
    return np.asarray(np.rint(parts["total"] - idle * parts["experts"]), float)


def _moe_layers(a: Sizes) -> Array:
    """Layers whose feed-forward routes; the others keep the dense one."""
    return np.where(a.num_experts > 0, a.num_layers - a.dense_layers, 0)


def _embeddings(a: Sizes) -> Array:
    """Token table, output layer unless tied to it, learned positions, further rows (GPT-2, Radford et al. 2019, section 2.3)."""
    rows = a.vocab_size * (2 - a.tied_embeddings) + a.learned_positions * a.max_context + a.extra_embeddings
    table: Array = rows * a.hidden_size
    return table


def _attention(a: Sizes) -> Array:
    """Projections of one layer, num_kv_heads shared by groups of queries (arXiv:2305.13245), and gpt-oss's sink per head."""
    into = (a.num_heads + 2 * a.num_kv_heads) * a.head_dim
    out = a.num_heads * a.head_dim
    biases = a.qkv_bias * into + a.output_bias * a.hidden_size
    layer: Array = (into + out) * a.hidden_size + biases + a.attention_sinks * a.num_heads
    return layer


def _latent_attention(a: Sizes) -> Array:
    """Projections of one layer of multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1.2 and appendix C).

    Without q_lora_rank (DeepSeek-V2-Lite) queries come straight from the hidden state.
    """
    query = a.num_heads * (a.qk_nope_head_dim + a.qk_rope_head_dim)
    queries = np.where(a.q_lora_rank > 0, a.q_lora_rank * (a.hidden_size + query), a.hidden_size * query)
    down = a.hidden_size * (a.kv_lora_rank + a.qk_rope_head_dim)
    up = a.kv_lora_rank * a.num_heads * (a.qk_nope_head_dim + a.v_head_dim)
    layer: Array = queries + down + up + a.num_heads * a.v_head_dim * a.hidden_size
    return layer


def _ffn(a: Sizes, inner: Array, bias: Array | float) -> Array:
    """One feed-forward: two matrices, three where gated (arXiv:2002.05202), and a bias after each."""
    layer: Array = (2 + a.gated_ffn) * a.hidden_size * inner + bias * ((1 + a.gated_ffn) * inner + a.hidden_size)
    return layer


def _norms(a: Sizes) -> Array:
    """Scales, and biases of a full LayerNorm, of all layers and the last norm; those of queries, keys and latents lack one."""
    hidden = (a.norms_per_layer * a.num_layers + 1 + a.extra_norms) * a.hidden_size * (1 + a.norm_bias)
    total: Array = hidden + a.num_layers * (a.qk_norm * 2 * a.head_dim + a.q_lora_rank + a.kv_lora_rank)
    return total


def inner_width(a: Sizes) -> Array:
    """Width of the feed-forward that a token passes, on average over the layers (N,)."""
    routed = a.expert_ffn_size * a.experts_per_token + a.shared_ffn_size
    share = np.where(a.num_experts > 0, 1 - a.dense_layers / a.num_layers, 0.0)
    return np.asarray(share * routed + (1 - share) * a.ffn_size)


def adapter_width(a: Sizes) -> Array:
    """Parameters of low-rank adapters on every product of all layers, a unit of their rank (N,) (LoRA, arXiv:2106.09685)."""
    h, heads, kv = a.hidden_size, a.num_heads * a.head_dim, a.num_kv_heads * a.head_dim
    attention = 2 * (h + heads) + 2 * (h + kv)
    return np.asarray(a.num_layers * (attention + (2 + a.gated_ffn) * (h + inner_width(a))))
