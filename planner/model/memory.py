"""Bytes on the fullest device, term by term."""

import numpy as np

from planner.model.columns import Array, Columns

CHUNK = 8192.0  # tokens whose activations are held at once: what engines batch into one prefill pass
RESERVE = (
    0.1  # of the capacity, for driver, runtime and workspaces: vLLM takes 0.9 by default (gpu_memory_utilization, docs.vllm.ai)
)


def usable(capacity: Array) -> Array:
    """Bytes a program can allocate of a device's memory (N,)."""
    return capacity * (1 - RESERVE)


def weights(size: Columns, p: Columns) -> Array:
    """Weights on one device (N,) [B]: layers split tp × pp ways, experts over all of tp × adp × pp, embeddings tp ways.

    size: columns layers, experts, embeddings [parameters]; p: weight, head_weight [B], tp, pp, adp [ranks that attend apart].
    """
    split = p.tp * p.pp
    return (size.layers + size.experts / p.adp) * p.weight / split + size.embeddings * p.head_weight / p.tp


def serving(size: Columns, kv: Array, p: Columns, tokens: Array) -> dict[str, Array]:
    """What serving holds: weights, ``kv`` bytes of cache (N,), and the activations of a chunk of ``tokens`` at most."""
    chunk = np.minimum(tokens, CHUNK) * size.widest / p.tp * p.activation * 4
    return {"weights": weights(size, p), "kv_cache": kv / p.pp, "activations": chunk}


def training(size: Columns, a: Columns, p: Columns) -> dict[str, Array]:
    """What a training step holds on the first pipeline stage's device (N,) [B].

    Mixed precision with AdamW: 2 bytes a weight, 2 or 4 a gradient, 12 of optimizer state, sharded over data-parallel
    ranks by ZeRO stage (Rajbhandari et al., arXiv:1910.02054). Activations after Korthikanti et al., arXiv:2205.05198,
    equations 2 to 6, without the scores that FlashAttention never stores.
    """
    dense = size.layers / (p.tp * p.pp) + size.embeddings / p.tp
    expert = size.experts / (p.ep * p.pp)
    near, near_expert = sharing(p)

    def held(per_parameter: Array | float, from_stage: int) -> Array:
        cut = p.zero_stage >= from_stage
        return per_parameter * (dense / np.where(cut, near, 1.0) + expert / np.where(cut, near_expert, 1.0))

    return {
        "weights": held(2.0, 3), "gradients": held(p.gradient, 2), "optimizer": held(12.0, 1), "activations": activations(a, p),
        "logits": p.micro_batch * p.sequence / p.cp * a.vocab_size / p.tp * 6,
        "workspace": np.where(p.zero_stage >= 3, 8 * (dense + expert) / np.maximum(1, a.num_layers / p.pp), 0.0),
    }  # fmt: skip


def sharing(p: Columns) -> tuple[Array, Array]:
    """Ranks that share one copy of the dense parameters, and of the experts (N,).

    Experts are spread over ``ep`` of the data and tensor ranks already: only what is left of those repeats them.
    """
    dense = np.minimum(p.dp * p.cp, p.shard)
    return dense, np.minimum(np.maximum(1.0, p.dp * p.cp * p.tp / p.ep), p.shard)


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
