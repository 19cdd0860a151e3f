"""A transformer's operators against counts worked by hand and published: FLOP, weights read, KV cache, parallel shares."""

import dataclasses

import numpy as np
import pytest

from planner.model import memory
from planner.model.columns import Columns, concat
from planner.model.families import transformer
from planner.model.families.transformer_size import active_parameters
from planner.model.operation import Op
from planner.schema.workload import Architecture, Moe, Window
from planner.search import estimate
from tests.model.rows import DEEPSEEK_V3, GPT_3_175B, LLAMA_3_8B, MIXTRAL_8X7B, SMALL, columns, inference, machine


def total(ops: list[Op], field: str) -> float:
    return float(sum((op.count * getattr(op, field))[0] for op in ops))


def prefill(architecture: Architecture, tokens: float, **more: object) -> list[Op]:
    a, _ = columns(architecture)
    rows = inference(**{"query": tokens, "context": tokens / 2, "cached": tokens, "logits": tokens, **more})
    return transformer.forward(a, rows, decode=False)


def decode(architecture: Architecture, context: float, **more: object) -> list[Op]:
    a, _ = columns(architecture)
    rows = inference(**{"query": 1.0, "context": context, "cached": context, "logits": more.get("batch", 1.0), **more})
    return transformer.forward(a, rows, decode=True)


def products(architecture: Architecture) -> float:
    """Parameters that multiply a token: the active ones without norms, biases, positions and the input table."""
    a, _ = columns(architecture)
    table = a.vocab_size * a.hidden_size * (1 - a.tied_embeddings) + a.learned_positions * a.max_context * a.hidden_size
    return float((active_parameters(a) - table)[0])


@pytest.mark.parametrize("architecture", [LLAMA_3_8B, GPT_3_175B, MIXTRAL_8X7B, SMALL])
def test_forward_flop_is_twice_the_parameters_plus_attention(architecture: Architecture) -> None:
    """2 N a token and 4 * layers * heads * head_dim FLOP for each key it sees (Kaplan et al., arXiv:2001.08361, table 1)."""
    tokens = 1024.0
    a = architecture
    scores = 4 * a.num_layers * a.num_heads * a.head_dim * tokens / 2
    assert total(prefill(a, tokens), "flop") / tokens == pytest.approx(2 * products(a) + scores, rel=1e-3)


def test_llama_3_8b_forward_flop_in_figures() -> None:
    """7.504e9 parameters in products (8.03e9 less a table of 128,256 x 4,096): 15.01 GFLOP; 512 keys more: 0.27 GFLOP."""
    assert total(prefill(LLAMA_3_8B, 1024.0), "flop") / 1024 == pytest.approx(15.01e9 + 0.268e9, rel=1e-3)


def test_deepseek_v3_forward_flop_follows_its_active_parameters() -> None:
    """37 billion are active, of which the input table of 0.93 multiplies nothing: 72.1 GFLOP and the scores of 128 heads."""
    scores = 61 * 128 * 512 * 2 * (192 + 128)
    assert total(prefill(DEEPSEEK_V3, 1024.0), "flop") / 1024 == pytest.approx(2 * products(DEEPSEEK_V3) + scores, rel=2e-3)
    assert products(DEEPSEEK_V3) == pytest.approx(36.6e9, rel=0.01)


@pytest.mark.parametrize("architecture", [LLAMA_3_8B, GPT_3_175B, SMALL])
def test_a_decode_step_reads_every_weight_once(architecture: Architecture) -> None:
    read = total(decode(architecture, 1000.0), "weight_bytes")
    assert read == pytest.approx(2 * products(architecture), rel=1e-3)


@pytest.mark.parametrize("architecture", [MIXTRAL_8X7B, DEEPSEEK_V3])
def test_a_large_batch_reads_every_expert(architecture: Architecture) -> None:
    _, size = columns(architecture)
    ops = [op for op in decode(architecture, 10.0, batch=2.0**20) if op.kind == "experts"]
    assert total(ops, "weight_bytes") == pytest.approx(2 * size.experts[0], rel=1e-3)


def test_one_token_reads_exactly_its_experts() -> None:
    """Mixtral's router takes two different experts of eight for a token: a quarter of the experts' weights is read."""
    _, size = columns(MIXTRAL_8X7B)
    ops = [op for op in decode(MIXTRAL_8X7B, 10.0) if op.kind == "experts"]
    assert total(ops, "weight_bytes") == pytest.approx(2 * size.experts[0] * 2 / 8, rel=1e-3)


def test_experts_work_is_the_same_however_tokens_spread() -> None:
    """A token costs 2 * 3 * 4,096 * 14,336 FLOP in each of two experts of 32 layers, alone or among thousands."""
    for batch in (1.0, 7.0, 5000.0):
        ops = [op for op in decode(MIXTRAL_8X7B, 10.0, batch=batch) if op.kind == "experts"]
        assert total(ops, "flop") == pytest.approx(batch * 32 * 2 * 2 * 3 * 4096 * 14336, rel=1e-6)


def per_token(architecture: Architecture, **more: object) -> float:
    a, _ = columns(architecture)
    return float(transformer.kv_bytes(a, inference(**more), np.ones(1))[0])


def test_kv_cache_of_published_models() -> None:
    """Llama 3 8B: 32 layers * 2 * 8 heads * 128 * 2 B. DeepSeek-V3: 61 * (512 + 64) * 2 B. GPT-3: 96 * 2 * 96 * 128 * 2 B."""
    assert per_token(LLAMA_3_8B) == 131_072
    assert per_token(DEEPSEEK_V3) == 61 * 576 * 2 == 70_272
    assert per_token(GPT_3_175B) == 4_718_592
    assert per_token(LLAMA_3_8B, kv=1.0) == 65_536


@pytest.mark.parametrize(("tp", "share"), [(2, 2), (8, 8), (16, 8), (32, 8)])
def test_kv_heads_are_split_as_far_as_they_go_then_copied(tp: float, share: float) -> None:
    assert per_token(LLAMA_3_8B, tp=float(tp)) == 131_072 / share


def test_a_latent_cache_is_copied_to_every_rank() -> None:
    assert per_token(DEEPSEEK_V3, tp=8.0) == 70_272


@pytest.mark.parametrize("architecture", [LLAMA_3_8B, DEEPSEEK_V3])
def test_decode_reads_the_whole_cache(architecture: Architecture) -> None:
    assert total(decode(architecture, 3000.0, batch=4.0), "kv_bytes") == 4 * 3000 * per_token(architecture)


def test_decode_attention_flop_of_grouped_and_latent_heads() -> None:
    """Two products of 128 for each of 32 heads; MLA works in the latent space: 576 for a score and 512 for a value."""
    (plain,) = [op for op in decode(LLAMA_3_8B, 1000.0) if op.kind == "decode_attention"]
    (latent,) = [op for op in decode(DEEPSEEK_V3, 1000.0) if op.kind == "decode_mla"]
    assert plain.flop[0] == 1000 * 32 * 2 * (128 + 128)
    assert latent.flop[0] == 1000 * 128 * 2 * (576 + 512)


def test_latent_and_plain_attention_in_one_batch_of_rows() -> None:
    """Rows of both kinds: each counts the layers of its own operator only."""
    both = concat([columns(a)[0] for a in (LLAMA_3_8B, DEEPSEEK_V3)])
    ops = transformer.forward(both, inference(2, query=8.0, context=4.0, cached=8.0, logits=1.0), decode=False)
    assert {op.kind: op.count.tolist() for op in ops if op.part == "attention"} == {"attention": [32, 0], "mla": [0, 61]}


def test_absorbed_projections_hold_the_weights_of_the_plain_ones() -> None:
    """Decoding replaces the up-projection of keys and values by two products a head with the same weights."""

    def weights(ops: list[Op]) -> float:
        return total([op for op in ops if "absorb" in op.name or op.name == "mla kv up"], "weight_bytes")

    assert weights(decode(DEEPSEEK_V3, 10.0)) == weights(prefill(DEEPSEEK_V3, 10.0)) == 2 * 61 * 512 * 128 * (128 + 128)


def windowed(length: float, *, window: int, decoding: bool) -> dict[str, float]:
    a = Architecture(
        hidden_size=512, num_layers=4, num_heads=8, num_kv_heads=8, head_dim=64, ffn_size=2048, vocab_size=1000,
        max_context=4096, window=Window(window, 3),
    )  # fmt: skip
    ops = decode(a, length) if decoding else prefill(a, length)
    return {op.name: float(op.flop[0] / (4 * 512 * (1 if decoding else length))) for op in ops if op.part == "attention"}


def test_windowed_layers_see_their_window_only() -> None:
    """Of 1,000 tokens with a window of 200, the first 200 see 100 on average, the other 800 see 200: 180."""
    assert windowed(1000, window=200, decoding=False) == pytest.approx({"attention": 500, "window attention": 180})
    assert windowed(1000, window=200, decoding=True) == pytest.approx({"attention": 1000, "window attention": 200})
    assert windowed(100, window=200, decoding=True) == pytest.approx({"attention": 100, "window attention": 100})
    assert windowed(100, window=200, decoding=False) == pytest.approx({"attention": 50, "window attention": 50})


@pytest.mark.parametrize("architecture", [LLAMA_3_8B, GPT_3_175B])
def test_tensor_ranks_share_the_products(architecture: Architecture) -> None:
    whole, part = prefill(architecture, 256.0), prefill(architecture, 256.0, tp=8.0, expert_tp=8.0)
    for field in ("flop", "weight_bytes"):
        assert 8 * total(part, field) == pytest.approx(total(whole, field), rel=1e-9)


def test_tensor_ranks_sum_twice_a_layer() -> None:
    """Attention and feed-forward each end in an all-reduce of tokens * hidden * 2 B (Megatron-LM, arXiv:1909.08053, figure 4)."""
    (op,) = [op for op in prefill(LLAMA_3_8B, 100.0, tp=4.0, expert_tp=4.0) if op.kind == "collective"]
    assert op.count[0] == 64
    assert op.shape["volume"][0] == 2 * 3 / 4 * 100 * 4096 * 2
    assert not [op for op in prefill(LLAMA_3_8B, 100.0) if op.kind == "collective"]


def test_quantised_weights_are_read_smaller_but_not_the_head() -> None:
    head = 128256 * 4096
    read = total(decode(LLAMA_3_8B, 10.0, weight=0.5, head_weight=2.0), "weight_bytes")
    assert read == pytest.approx(0.5 * (products(LLAMA_3_8B) - head) + 2 * head, rel=1e-3)


def test_fused_elementwise_work_moves_less() -> None:
    moved = [
        total([op for op in prefill(LLAMA_3_8B, 100.0, fused=fused) if op.part == "elementwise"], "activation_bytes")
        for fused in (0.0, 1.0)
    ]
    assert moved[1] < moved[0]


def test_architectures_side_by_side_count_as_they_do_alone() -> None:
    """Dense, mixture and latent rows in one table: each has the FLOP, weights and cache it has by itself."""
    all_ = [LLAMA_3_8B, MIXTRAL_8X7B, DEEPSEEK_V3, GPT_3_175B]
    alone = [columns(x)[0] for x in all_]
    table = Columns({name: np.concatenate([a[name] for a in alone]) for name in alone[0]})
    rows = inference(4, query=1.0, context=500.0, cached=500.0, logits=3.0, batch=3.0)
    for decoding in (False, True):
        together = transformer.forward(table, rows, decode=decoding)
        for i, a in enumerate(alone):
            single = transformer.forward(a, rows.take([i]), decode=decoding)
            for field in ("flop", "weight_bytes", "activation_bytes", "kv_bytes"):
                sums = [np.broadcast_to(op.count * getattr(op, field), 4)[i] for op in together]
                assert np.sum(sums) == pytest.approx(total(single, field), rel=1e-12)


def test_windowed_layers_keep_their_window_only() -> None:
    """Of four layers three keep 512 tokens: 8,192 tokens take the cache of (8,192 + 3 * 512) / 4 in all layers."""
    a = Architecture(
        hidden_size=512, num_layers=4, num_heads=8, num_kv_heads=8, head_dim=64, ffn_size=2048, vocab_size=1000,
        max_context=16384, window=Window(512, 3),
    )  # fmt: skip
    rows = inference(input_tokens=8192.0, output_tokens=1.0)
    size = columns(a)
    many = estimate.most_requests(*size, rows, machine(capacity=10e9))[0]
    plain = estimate.most_requests(*columns(dataclasses.replace(a, window=None)), rows, machine(capacity=10e9))[0]
    assert many / plain == pytest.approx(4 * 8192 / (8192 + 3 * 512), rel=0.1)


def test_a_prompt_that_no_engine_cuts_holds_all_of_its_activations() -> None:
    """Llama 3 8B, 20,000 tokens: in pieces of 8,192 it holds the activations of one, whole those of all."""
    _, size = columns(LLAMA_3_8B)
    tokens = np.array([20_000.0])
    whole, cut = (memory.serving(size, np.zeros(1), inference(unpieced=flag), tokens)["activations"][0] for flag in (1.0, 0.0))
    assert whole / cut == pytest.approx(20_000 / 8_192)
    assert cut == memory.serving(size, np.zeros(1), inference(), tokens)["activations"][0]


def test_attention_that_is_not_fused_writes_its_scores() -> None:
    """8 heads of 64 over 128 tokens: two products of 2 x 8 x 128 x 128 x 64 FLOP, and 4.5 elements of 2 bytes a score."""
    ops = {op.name: op for op in prefill(SMALL, 128.0, flash=0.0) if op.part == "attention" and op.count[0]}
    assert set(ops) == {"attention scores", "attention softmax", "attention values"}
    assert ops["attention scores"].flop[0] == ops["attention values"].flop[0] == 2 * 8 * 128 * 128 * 64
    assert ops["attention softmax"].activation_bytes[0] == 4.5 * 8 * 128 * 128 * 2
    assert [op.kind for op in prefill(SMALL, 128.0) if op.part == "attention"] == ["attention"]


def test_query_heads_that_share_keys_read_them_once_unless_each_reads_them_for_itself() -> None:
    """Llama 3 8B: four query heads a KV head."""
    shared, apart = (
        next(op for op in decode(LLAMA_3_8B, 1000.0, flash=0.0, spread=s) if op.name == "attention scores" and op.count[0])
        for s in (0.0, 1.0)
    )
    assert apart.weight_bytes[0] == 4 * shared.weight_bytes[0] == 32 * 128 * 1000 * 2
    assert apart.flop[0] == shared.flop[0]


def test_packed_weights_are_written_out_before_the_products_of_a_prompt() -> None:
    """Half a byte read and two written for each weight of a layer; nothing where they are not packed, and nothing in a step."""

    def written(ops: list[Op]) -> float:
        return sum(float(op.count[0] * op.activation_bytes[0]) for op in ops if "unpacked" in op.name)

    layers = products(LLAMA_3_8B) - LLAMA_3_8B.vocab_size * LLAMA_3_8B.hidden_size
    assert written(prefill(LLAMA_3_8B, 512.0, unpack=1.0, weight=0.5)) == pytest.approx(2.5 * layers, rel=1e-3)
    assert written(prefill(LLAMA_3_8B, 512.0, unpack=1.0)) == written(prefill(LLAMA_3_8B, 512.0, unpack=0.0, weight=0.5)) == 0
    assert written(decode(LLAMA_3_8B, 512.0, unpack=1.0, weight=0.5)) == 0


def test_the_same_text_in_every_request_visits_the_experts_of_one() -> None:
    architecture = dataclasses.replace(SMALL, moe=Moe(num_experts=64, experts_per_token=2, expert_ffn_size=256))

    def experts(**more: object) -> Op:
        return next(op for op in decode(architecture, 100.0, **more) if op.kind == "experts")

    one, same, many = experts(), experts(batch=32.0, alike=1.0), experts(batch=32.0)
    assert same.weight_bytes[0] == one.weight_bytes[0] < many.weight_bytes[0]
    assert same.flop[0] == pytest.approx(many.flop[0]) == 32 * one.flop[0]


@pytest.mark.parametrize(("ranks", "even", "copies"), [(2.0, 0.0, 2.0), (32.0, 0.0, 8.0), (2.0, 1.0, 8.0)])
def test_few_ranks_gather_all_tokens_and_many_send_a_copy_to_each_expert(ranks: float, even: float, copies: float) -> None:
    """Of DeepSeek V3's eight experts a token; in training each is sent its copy, however few the ranks."""
    ops = prefill(DEEPSEEK_V3, 100.0, pooled=ranks, ep=ranks, adp=ranks, even=even)
    sent = next(op for op in ops if op.part == "dispatch")
    assert sent.shape["volume"][0] == pytest.approx((ranks - 1) / ranks * 100 * copies * 7168 * 2)


@pytest.mark.parametrize(("ranks", "copies"), [(4.0, 4.0), (8.0, 8.0), (16.0, 2.0)])
def test_a_host_s_ranks_gather_all_tokens_though_each_visits_two_experts(ranks: float, copies: float) -> None:
    """Mixtral: 100 tokens of 4,096 in 16 bits to every rank of a host; beyond one, to their two experts."""
    sent = next(op for op in prefill(MIXTRAL_8X7B, 100.0, pooled=ranks, ep=ranks, adp=ranks) if op.part == "dispatch")
    assert sent.shape["volume"][0] == pytest.approx((ranks - 1) / ranks * 100 * copies * 4096 * 2)
