"""Bytes on the fullest device, term by term."""

import numpy as np

from planner.model.columns import Array, Columns

RESERVE = 0.06  # of the capacity: driver, runtime and workspaces; vLLM and SGLang leave 10 % by default, less is usable


def usable(capacity: Array) -> Array:
    """Bytes a program can allocate of a device's memory (N,)."""
    return capacity * (1 - RESERVE)


def weights(size: Columns, p: Columns) -> Array:
    """Weights on one device (N,) [B]: layers split tp × pp ways, experts ep × tp ways together, embeddings tp ways.

    size: columns layers, experts, embeddings [parameters]; p: weight, head_weight [B], tp, pp.
    """
    split = p.tp * p.pp
    return (size.layers + size.experts) * p.weight / split + size.embeddings * p.head_weight / p.tp


def serving(size: Columns, kv_per_token: Array, p: Columns, tokens: Array) -> dict[str, Array]:
    """What serving holds: weights, the KV cache of ``tokens`` tokens, and the activations of one prefill chunk."""
    chunk = np.minimum(tokens, 8192.0) * size.widest / p.tp * p.activation * 4
    return {"weights": weights(size, p), "kv_cache": kv_per_token * tokens / p.pp, "activations": chunk}


def training(size: Columns, a: Columns, p: Columns) -> dict[str, Array]:
    """What a training step holds on the first pipeline stage's device (N,) [B].

    Mixed precision with AdamW: 2 bytes a weight, 2 or 4 a gradient, 12 of optimizer state, sharded over data-parallel
    ranks by ZeRO stage (Rajbhandari et al., arXiv:1910.02054). Activations after Korthikanti et al., arXiv:2205.05198,
    equations 2 to 6, without the scores that FlashAttention never stores.
    """
    local = (size.layers / p.tp + size.experts / p.ep) / p.pp + size.embeddings / p.tp
    stage = p.zero_stage
    weight = np.where(stage >= 3, 2 * local / p.dp, 2 * local)
    gradient = np.where(stage >= 2, p.gradient * local / p.dp, p.gradient * local)
    optimizer = np.where(stage >= 1, 12 * local / p.dp, 12 * local)
    return {
        "weights": weight, "gradients": gradient, "optimizer": optimizer, "activations": activations(a, p),
        "logits": p.micro_batch * p.sequence / p.cp * a.vocab_size / p.tp * 6,
        "workspace": np.where(stage >= 3, 4 * local / np.maximum(1, a.num_layers / p.pp) * 2, 0.0),
    }  # fmt: skip


def activations(a: Columns, p: Columns) -> Array:
    """Activations kept for the backward pass on the first stage, which holds pp micro-batches in flight (N,) [B]."""
    tokens = p.micro_batch * p.sequence / p.cp
    inner = np.where(a.num_experts > 0, a.expert_ffn_size * a.experts_per_token + a.shared_ffn_size, a.ffn_size)
    block = 5 * a.hidden_size + 2 * a.hidden_size  # norms' and projections' inputs, residuals
    heads = (2 * a.num_heads + 2 * a.num_kv_heads) * a.head_dim
    kept = 2 * tokens * (block + heads + inner * (2 + 1.0 * a.gated_ffn)) / p.tp
    boundary = 2 * tokens * a.hidden_size / p.tp
    per_layer = np.where(p.recompute == 2, boundary, kept)
    in_flight = np.minimum(p.pp, p.num_micro) * (1 + np.where(p.virtual > 1, (p.pp - 1) / (p.pp * p.virtual), 0.0))
    working = np.where(p.recompute == 2, kept, 0.0)
    return a.num_layers / p.pp * per_layer * in_flight + working
