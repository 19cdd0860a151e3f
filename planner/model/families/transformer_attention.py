"""The core of attention in a transformer's pass: of prompts and of single tokens, with keys of its own, shared or latent.

The columns of a pass are those of ``transformer``. Each core runs ``count`` times (N,); a token of it sees ``context`` keys on
average, of ``cached``.
"""

from dataclasses import replace

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families.transformer_ops import product, stream
from planner.model.operation import Op
from planner.model.ops.decode_attention import LONE


def prefill_core(name: str, count: Array, context: Array, cached: Array, a: Columns, p: Columns) -> Op:
    """Every new token against all keys before it, scores kept on the chip."""
    heads = a.num_heads / p.tp
    kv_heads = np.maximum(1.0, a.num_kv_heads / p.tp)
    read = np.minimum(p.cached, cached + p.query)  # a window moves over all new keys
    moved = p.batch * a.head_dim * p.activation * (2 * heads * p.query + 2 * kv_heads * read)
    shape = {
        "batch": p.batch, "heads": heads, "query": p.query, "context": context, "longest": cached, "dim": a.head_dim,
        "windowed": (cached < p.cached) * np.ones(len(p)), "products": np.ones(len(p)),
    }  # fmt: skip
    flop = 4 * p.batch * heads * p.query * context * a.head_dim
    return Op(name, "attention", "attention", count, shape, flop, half=True, activation_bytes=moved)


SOFTMAX = 4.5
"""Elements a score costs between the two products: softmax and dropout each read and write it, and a mask of a byte is kept
(Korthikanti et al., arXiv:2205.05198, section 4.1)."""


def written_core(name: str, count: Array, cached: Array, a: Columns, p: Columns) -> list[Op]:
    """Attention as it was before FlashAttention: two products with the scores of every query and key in memory between them.

    Query heads that share keys and values are rows of one product; or each has one of its own, where ``p.spread`` is above 0.
    """
    heads = a.num_heads / p.tp
    products = np.maximum(1.0, a.num_kv_heads / p.tp)
    products = np.where(p.spread > 0, heads, products) if "spread" in p else products
    query, side = p.query * heads / products, p.batch * products
    parts = [
        product(f"{name} scores", count, (query, cached, a.head_dim), p, groups=side, weight=p.activation, half=True),
        stream(f"{name} softmax", count, SOFTMAX * side * query * cached, p, kernels=2.0),
        product(f"{name} values", count, (query, a.head_dim, cached), p, groups=side, weight=p.activation, half=True),
    ]
    return [replace(op, part="attention") for op in parts]


def decode_core(name: str, count: Array, context: Array, cached: Array, a: Columns, p: Columns) -> Op:
    """One token of each sequence, or a few, against its cache."""
    heads = a.num_heads / p.tp
    kv_heads = np.maximum(1.0, a.num_kv_heads / p.tp)
    flop = 4 * p.batch * heads * p.query * cached * a.head_dim
    moved = p.batch * p.query * heads * 2 * a.head_dim * p.activation
    kv = p.batch * cached * 2 * kv_heads * a.head_dim * p.kv
    alone = heads / kv_heads
    group = np.minimum(alone * p.query, np.maximum(alone, LONE))  # queries of one sequence share its cache as heads do
    shape = {"blocks": p.batch * kv_heads, "group": group, "context": cached, "dim": a.head_dim}
    return Op(name, "decode_attention", "attention", count, shape, flop, half=True, activation_bytes=moved, kv_bytes=kv)


def prefill_mla(name: str, count: Array, context: Array, cached: Array, a: Columns, p: Columns) -> Op:
    """Every head with keys and values of its own, expanded from the latent."""
    heads = a.num_heads / p.tp
    dim = (a.qk_nope_head_dim + a.qk_rope_head_dim + a.v_head_dim) / 2
    moved = p.batch * heads * dim * p.activation * (2 * p.query + 2 * cached)
    products = np.ones(len(p))
    shape = {"batch": p.batch, "heads": heads, "query": p.query, "context": context, "dim": dim, "products": products}
    flop = 4 * p.batch * heads * p.query * context * dim
    return Op(name, "mla", "attention", count, shape, flop, half=True, activation_bytes=moved)


def decode_mla(name: str, count: Array, context: Array, cached: Array, a: Columns, p: Columns) -> Op:
    """Every head against the one latent row of each cached token."""
    heads = np.asarray(a.num_heads / p.tp, float)
    work = 2 * a.kv_lora_rank + a.qk_rope_head_dim
    flop = 2 * p.batch * heads * p.query * cached * work
    moved = p.batch * p.query * heads * work * p.activation
    kv = p.batch * cached * (a.kv_lora_rank + a.qk_rope_head_dim) * p.kv
    shape = {"batch": p.batch, "heads": heads * p.query, "context": cached}
    return Op(name, "decode_mla", "attention", count, shape, flop, half=True, activation_bytes=moved, kv_bytes=kv)
