"""Bytes that a training step holds on the fullest device, term by term.

Activations follow Korthikanti et al., arXiv:2205.05198, sections 4 and 5, written out for gated and grouped layers, mixtures,
latent attention, and attention that keeps its scores on the chip. Columns of ``p`` are those of ``planner.model.training``.
"""

import numpy as np

from planner.model import policy
from planner.model.columns import Array, Columns
from planner.model.families.transformer_size import adapter_width, inner_width

FUSED_LOGITS, LOGITS = 4.0, 12.0
"""Bytes a logit: one fp32 copy, or 16 bits and their gradients, where the loss is one kernel (arXiv:2205.05198, section 4.3);
or two 16-bit and two fp32 ones of PyTorch's cross-entropy."""


def training(size: Columns, a: Columns, p: Columns, layer: tuple[Array, Array] | None = None) -> dict[str, Array]:
    """Terms (N,) [B] on the device that holds most: of the first pipeline stage, or of the last one with the logits.

    Weights, gradients and optimizer state are those of the layers; ``vocabulary`` is all three of the embedding tables.
    ``layer`` is what ``activations`` gave, where it is known.
    """
    layer = layer or activations(a, p)
    stages = [_stage(size, a, p, layer, last) for last in (False, True)]
    fuller = sum(stages[1].values()) > sum(stages[0].values())
    return {name: np.where(fuller, stages[1][name], stages[0][name]) for name in stages[0]}


def _stage(size: Columns, a: Columns, p: Columns, layer: tuple[Array, Array], last: bool) -> dict[str, Array]:
    """The first stage's terms, or the last one's; both are the same where there is one."""
    share = stage_share(a, p)
    dense, expert = size.layers * share / p.tp, size.experts * share / p.ep
    tables = size.embeddings / p.tp * np.where((p.pp > 1) & ~(a.tied_embeddings > 0), 0.5, 1.0)
    near, near_expert = sharing(p)
    trained = np.where(p.lora_rank > 0, p.lora_rank * adapter_width(a) / np.maximum(size.total, 1), 1.0)
    state = policy.optimizer(p).state * np.where(p.offload_optimizer > 0, 0.0, 1.0)

    def held(each: Array | float, from_stage: int, dense: Array, expert: Array | float) -> Array:
        cut = p.zero_stage >= from_stage
        return np.asarray(each * (dense / np.where(cut, near, 1.0) + expert / np.where(cut, near_expert, 1.0)))

    kept, working = layer
    whole = last & (p.pp > 1)
    flying = np.where(whole, 1.0, in_flight(p))
    head = np.where(last | (p.pp == 1), 1.0, 0.0)
    tokens = p.micro_batch * p.sequence / p.cp
    logits = np.where(p.fused_loss > 0, FUSED_LOGITS, LOGITS) * a.vocab_size / p.tp
    layers = a.num_layers * share
    one = (dense + expert) / np.maximum(layers, 1)
    return {
        "weights": held(p.stored, 3, dense, expert),
        "gradients": held(p.gradient * trained, 2, dense, expert),
        "optimizer": held(state * trained, 1, dense, expert),
        "vocabulary": held(p.stored, 3, tables, 0.0) + held(p.gradient * trained, 2, tables, 0.0)
        + held(state * trained, 1, tables, 0.0),
        "activations": layers * kept * flying * np.where(p.offload_activations > 0, 0.0, 1.0) + working,
        "logits": tokens * logits * head,
        # full sharding has the layer at work and the next one whole, and the gradient of the one at work
        "buffers": np.where(p.zero_stage >= 3, (2 * p.stored + p.gradient) * np.maximum(one, tables / 2), 0.0),
    }  # fmt: skip


def stage_share(a: Columns, p: Columns) -> Array:
    """Share of the layers in the fullest stage (N,): where they do not divide, stages differ by one layer a visit."""
    return np.asarray(np.ceil(a.num_layers / (p.pp * p.virtual)) * p.virtual / a.num_layers)


def sharing(p: Columns) -> tuple[Array, Array]:
    """Ranks that share one copy of the dense parameters, and of the experts (N,).

    Experts are spread over ``ep`` of the data and tensor ranks already: only what is left of those repeats them.
    """
    dense = np.minimum(p.dp * p.cp, p.shard)
    return dense, np.minimum(np.maximum(1.0, p.dp * p.cp * p.tp / p.ep), p.shard)


def in_flight(p: Columns) -> Array:
    """Micro-batches, in stages' worth of activations, that the first stage keeps at once (N,).

    As many as there are stages; interleaving keeps (p - 1) / (p v) of that more (arXiv:2205.05198, section 4.2.3).
    """
    more = np.where(p.virtual > 1, (p.pp - 1) / (p.pp * p.virtual), 0.0)
    return np.minimum(p.pp * (1 + more), p.num_micro)


def activations(a: Columns, p: Columns) -> tuple[Array, Array]:
    """Of one micro-batch in one layer: bytes kept for the backward pass, and what recomputing it holds meanwhile (N,)."""
    whole = _layer(a, p)
    scores = np.where(p.flash > 0, 0.0, 5 * a.num_heads * p.sequence / p.tp) * p.micro_batch * p.sequence / p.cp
    tokens = p.micro_batch * p.sequence / p.cp
    side = np.where(p.sp > 0, p.tp, 1.0)
    border = 2 * a.hidden_size / side
    operators = border + 2 * (a.hidden_size / side + ((2 * a.num_heads + a.num_kv_heads) * a.head_dim + inner_width(a)) / p.tp)
    kept = np.select(
        [p.recompute == policy.ATTENTION, p.recompute == policy.FULL, p.recompute == policy.OPERATORS],
        [whole - scores, tokens * border, tokens * operators], whole,
    )  # fmt: skip
    return kept, np.where(p.recompute == policy.NONE, 0.0, whole - np.where(p.recompute == policy.ATTENTION, whole - scores, 0.0))


def _layer(a: Columns, p: Columns) -> Array:
    """Everything a layer's backward pass reads (N,) [B]. Products in 8 bits or fewer keep their inputs in 8."""
    tokens, side = p.micro_batch * p.sequence / p.cp, np.where(p.sp > 0, p.tp, 1.0)
    eager, kept = 1.0 - p.fused, np.where(p.weight < 2, 1.0, 2.0)
    # inputs of both norms and of both halves; masks of dropout, which went out of use with attention that writes its scores
    width = (4 + 2 * kept + 2 * (1 - p.flash)) * a.hidden_size
    heads = np.where(a.kv_lora_rank > 0, _latent(a, p), 2 * (2 * a.num_heads + 2 * a.num_kv_heads) * a.head_dim / p.tp)
    heads = heads + np.where(kept < 2, a.num_heads * np.where(a.kv_lora_rank > 0, a.v_head_dim, a.head_dim), 0.0) / p.tp
    core = np.where(p.flash > 0, 4 * a.num_heads, 5 * a.num_heads * p.sequence) / p.tp  # logarithms of sums; or scores and mask
    each = np.where(a.gated_ffn > 0, 4 + 2 * eager, 2.0) + kept
    routed = np.where(a.num_experts > 0, (2 + kept) * a.hidden_size * a.experts_per_token + 4 * a.num_experts, 0.0)
    return tokens * (width / side + heads + core + (each * inner_width(a) + routed) / p.tp)


def _latent(a: Columns, p: Columns) -> Array:
    """What latent attention keeps a token: the latents, and every head's query, key, value and output (N,) [B]."""
    query = a.qk_nope_head_dim + a.qk_rope_head_dim
    return 2 * (a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim + a.num_heads / p.tp * (2 * query + 2 * a.v_head_dim))
