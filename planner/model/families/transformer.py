"""Transformers, dense or mixture-of-experts, as operators: one pass over a batch, on one device of a replica.

The pass is columns (N,): batch [sequences], query [new tokens a sequence], context [keys a new token sees on average],
cached [keys read from the cache a sequence], logits [tokens whose logits are wanted], tp, ep, expert_tp [parallel
degrees], pooled [devices whose tokens are routed together], split_norms [tp under sequence parallelism, else 1], flash [1
where attention keeps its scores on the chip, else 0], even [1 where routers load experts alike, else 0], weight,
head_weight, activation, kv [bytes an element], fused [1 where an inference engine or compiler fuses elementwise work, else 0];
where requests use low-rank adapters of their own, adapters [how many there are] and adapter_rank; alike [1 where all sequences
are the same text, else 0]; unpack [1 where weights of less than 16 bits are written out in 16 before a product, else 0];
attended [sequences that have anything to attend to, where the rest of the batch is padding].
Architecture columns are those of ``transformer_size.flatten``.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families.transformer_attention import decode_core, decode_mla, prefill_core, prefill_mla, written_core
from planner.model.families.transformer_ops import activation, all_reduce, all_to_all, product, stream
from planner.model.families.transformer_size import adapter_width
from planner.model.operation import Op
from planner.model.ops.experts import routed


def forward(a: Columns, p: Columns, *, decode: bool) -> list[Op]:
    """Operators of one forward pass through all layers on one device. ``decode``: one query a sequence, over its cache."""
    tokens = p.batch * p.query
    moe_layers = np.where(a.num_experts > 0, a.num_layers - a.dense_layers, 0)
    layers = np.asarray(a.num_layers, float)
    ops = [
        *_embedding(a, p, tokens),
        *_projections(a, p, tokens, layers, decode),
        *_attention(a, p, layers, decode),
        *_dense_ffn(a, p, tokens, layers - moe_layers),
        *_experts(a, p, tokens, moe_layers),
        *_shared(a, p, tokens, layers),
        *_adapters(a, p, tokens, layers),
        logits(a, p),
    ]
    if "unpack" in p and not decode:
        ops += _unpacked(ops, p)
    return [op for op in ops if np.any(op.count)]


def logits(a: Columns, p: Columns) -> Op:
    """The product that ends a pass: of hidden states with the vocabulary."""
    return product("logits", 1.0, (p.logits, a.vocab_size / p.tp, a.hidden_size), p, weight=p.head_weight, half=True)


def _unpacked(ops: list[Op], p: Columns) -> list[Op]:
    """Weights written out in 16 bits before each product of many rows, by a kernel of its own that reads them packed."""
    moved = (p.weight + p.activation) / p.weight * (p.unpack > 0) * (p.weight < p.activation)
    packed = [op for op in ops if op.kind in ("matmul", "experts") and not op.half]
    return [
        stream(f"{op.name} unpacked", op.count, op.weight_bytes * moved / p.activation, p, kernels=moved > 0) for op in packed
    ]


LOSS = (6.0, 18.0)
"""Elements of 2 bytes that the loss moves a logit, forward and backward halves alike: where it is one kernel that reads logits
and writes their gradients, and where PyTorch's is made of a cast to fp32, a softmax and their gradients."""


def loss(a: Columns, p: Columns) -> Op:
    """Cross-entropy over the vocabulary of a training step's forward pass; its backward pass moves as much again."""
    moved = p.logits * a.vocab_size / p.tp * np.where(p.fused_loss > 0, *LOSS) / 3  # the backward pass counts twice this
    return stream("loss", 1.0, moved, p, kernels=np.where(p.fused_loss > 0, 1.0, 4.0))


def kv_bytes(a: Columns, p: Columns, tokens: Array) -> Array:
    """Bytes of KV cache on one device of a sequence of ``tokens``, all layers together (N,).

    Heads are replicated beyond num_kv_heads; a windowed layer keeps no more than its window.
    """
    heads = np.maximum(1.0, a.num_kv_heads / p.tp)
    latent = a.kv_lora_rank + a.qk_rope_head_dim
    row = np.where(a.kv_lora_rank > 0, latent, 2 * heads * a.head_dim) * p.kv
    windowed = np.minimum(a.window_layers, a.num_layers)
    short = np.minimum(tokens, np.where(a.window_size > 0, a.window_size, np.inf))
    return row * ((a.num_layers - windowed) * tokens + windowed * short)


def _embedding(a: Columns, p: Columns, tokens: Array) -> list[Op]:
    return [stream("embedding", 1.0, 2 * tokens * a.hidden_size, p, kernels=1.0)]


def _projections(a: Columns, p: Columns, tokens: Array, layers: Array, decode: bool) -> list[Op]:
    """Projections into and out of attention; MLA has its own (DeepSeek-V2, arXiv:2405.04434, section 2.1)."""
    latent = a.kv_lora_rank > 0
    plain, mla = layers * ~latent, layers * latent
    h = a.hidden_size
    heads = a.num_heads / p.tp
    kv_heads = np.maximum(1.0, a.num_kv_heads / p.tp)
    ops = [
        product("qkv", plain, (tokens, (heads + 2 * kv_heads) * a.head_dim, h), p),
        product("attention out", layers, (tokens, h, np.where(latent, heads * a.v_head_dim, heads * a.head_dim)), p),
    ]
    if latent.any():
        wide = a.qk_nope_head_dim + a.qk_rope_head_dim
        into = np.where(a.q_lora_rank > 0, a.q_lora_rank, h)
        down = a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim
        ops += [
            product("mla down", mla, (tokens, down, h), p),
            product("mla q up", mla, (tokens, heads * wide, into), p),
        ]
        if decode:  # the up-projections are absorbed: each head maps its query into the latent space and back
            ops += [
                product("mla absorb k", mla, (tokens, a.kv_lora_rank, a.qk_nope_head_dim), p, groups=heads),
                product("mla absorb v", mla, (tokens, a.v_head_dim, a.kv_lora_rank), p, groups=heads),
            ]
        else:
            ops.append(product("mla kv up", mla, (tokens, heads * (a.qk_nope_head_dim + a.v_head_dim), a.kv_lora_rank), p))
    return ops


def _attention(a: Columns, p: Columns, layers: Array, decode: bool) -> list[Op]:
    """The core of attention, apart for the layers that see a window only."""
    windowed = np.minimum(a.window_layers, layers)
    window = np.where(a.window_size > 0, a.window_size, np.inf)
    p = p.with_(batch=p.attended) if "attended" in p else p
    ramp = np.minimum(window, p.cached)
    short = np.minimum(p.context, ramp * (1 - ramp / (2 * np.maximum(p.cached, 1)))) if not decode else ramp
    parts = [("attention", layers - windowed, p.context, p.cached)]
    if np.any(windowed):
        parts.append(("window attention", windowed, short, np.minimum(p.cached, window)))
    latent = a.kv_lora_rank > 0
    plain, mla = (decode_core, decode_mla) if decode else (prefill_core, prefill_mla)
    ops = [plain(name, count * ~latent * (p.flash > 0), context, cached, a, p) for name, count, context, cached in parts]
    if np.any(p.flash == 0):
        ops += [
            op for name, count, _, cached in parts for op in written_core(name, count * ~latent * (p.flash == 0), cached, a, p)
        ]
    return ops + [mla(name, count * latent, context, cached, a, p) for name, count, context, cached in parts if np.any(latent)]


def _dense_ffn(a: Columns, p: Columns, tokens: Array, count: Array) -> list[Op]:
    inner = a.ffn_size / p.tp
    return [
        product("ffn up", count, (tokens, inner * (1 + a.gated_ffn), a.hidden_size), p),
        product("ffn down", count, (tokens, a.hidden_size, inner), p),
        activation("ffn activation", count, tokens * inner, a, p),
    ]


GATHERED = 8.0
"""Ranks up to which an engine gathers all tokens at each and sums what comes back, however few experts a token visits: those
of one host. TensorRT-LLM (select_alltoall_method_type of tensorrt_llm/_torch/modules/fused_moe) sends tokens to their experts
alone where a rack's links or DeepEP are there, vLLM (--all2all-backend) and SGLang (--moe-a2a-backend) where told to."""


def _experts(a: Columns, p: Columns, tokens: Array, count: Array) -> list[Op]:
    """Routed experts: the tokens spread over the experts that any of them visits, ``ep`` ways over devices."""
    if not np.any(count):
        return []
    own = tokens / p.split_norms  # under sequence parallelism each tensor rank routes its share of the tokens
    same = np.where(p.alike > 0, p.batch, 1.0) if "alike" in p else np.ones(len(p))  # tokens that go the same way together
    load = routed(
        own * p.pooled / same, np.maximum(a.experts_per_token, 1), np.maximum(a.num_experts, 1), np.asarray(p.ep, float),
        p.even > 0,
    )  # fmt: skip
    sent = p.even > 0  # training sends an expert the tokens that chose it; engines gather all tokens wherever experts are
    load = {**load, "rows": load["rows"] * same, "tokens": np.where(sent, own, load["tokens"] * same)}
    gathered = np.where(p.pooled <= GATHERED, p.pooled, np.minimum(a.experts_per_token, p.pooled))
    copies = np.where(sent, a.experts_per_token, gathered)
    inner = a.expert_ffn_size / p.expert_tp
    shared = a.shared_ffn_size / p.tp
    has_shared = count * (a.shared_ffn_size > 0)
    return [
        product("router", count, (own, a.num_experts, a.hidden_size), p, weight=p.head_weight, half=True),
        _routed(a, p, count, load, inner),
        activation("experts activation", count, load["rows"] * load["groups"] * inner, a, p),
        stream("dispatch", count, (2 + 2 * a.experts_per_token) * own * a.hidden_size, p, kernels=4.0),
        product("shared up", has_shared, (tokens, shared * (1 + a.gated_ffn), a.hidden_size), p),
        product("shared down", has_shared, (tokens, a.hidden_size, shared), p),
        all_to_all("to the experts and back", 2 * count, own * copies * a.hidden_size * p.activation, p),
    ]


def _routed(a: Columns, p: Columns, count: Array, load: dict[str, Array], inner: Array) -> Op:
    """Both products of every expert that a device holds and any token visits."""
    up, h = inner * (1 + a.gated_ffn), a.hidden_size
    shape = {
        **load, "up": up, "down": inner, "hidden": np.asarray(h, float), "ranks": np.where(p.even > 0, 1.0, p.ep),
        "quantise": 1.0 - p.fused, "hot": np.zeros(len(p)),
    }  # fmt: skip
    rows, groups = load["rows"], load["groups"]
    weights = (up + inner) * h * groups * p.weight
    moved = (2 * h + up + inner) * rows * groups * p.activation
    flop = 2 * rows * groups * h * (up + inner)
    return Op("experts", "experts", "experts", count, shape, flop, weight_bytes=weights, activation_bytes=moved)


def _shared(a: Columns, p: Columns, tokens: Array, layers: Array) -> list[Op]:
    """What every layer has beside its products: norms and residuals, positions, and the sums over tensor ranks."""
    rotated = (a.num_heads + 2 * a.num_kv_heads) * a.head_dim / p.tp
    width = np.where(p.fused > 0, 8.0, 10.0) * a.hidden_size
    return [
        stream("norms and residuals", layers, tokens * width / p.split_norms, p, kernels=np.where(p.fused > 0, 2.0, 4.0)),
        stream(
            "positions", layers, tokens * rotated * np.where(p.fused > 0, 2.0, 6.0), p, kernels=np.where(p.fused > 0, 1.0, 6.0)
        ),
        all_reduce("sum over tensor ranks", 2 * layers * (p.tp > 1), tokens * a.hidden_size * p.activation, p),
    ]


ADAPTED = 7
"""Products of a layer that have an adapter beside them: queries, keys, values, output, gate, up, down."""


def _adapters(a: Columns, p: Columns, tokens: Array, layers: Array) -> list[Op]:
    """Adapters of requests beside the products: gathered by who uses which, in two small products each (Punica,
    arXiv:2310.18547). Of n adapters that requests choose alike, n (1 - (1 - 1/n)^batch) are in use at once.
    """
    if "adapters" not in p:
        return []
    n = np.maximum(p.adapters, 1.0)
    used = n * (1 - (1 - 1 / n) ** p.batch)
    side = adapter_width(a) / np.maximum(layers, 1) / (2 * ADAPTED) / p.tp
    size = (tokens / used, np.maximum(p.adapter_rank, 1.0), side)
    return [
        product("adapters", 2 * ADAPTED * layers * (p.adapters > 0), size, p, groups=used, weight=np.full(len(p), 2.0), half=True)
    ]
