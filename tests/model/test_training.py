"""A training step and its memory against equations and figures of the papers they come from."""

from dataclasses import replace

import numpy as np
import pytest

from planner.model import memory, training, training_memory
from planner.model.columns import Columns
from planner.model.families.transformer_size import adapter_width
from planner.schema.workload import Architecture
from tests.model.rows import GPT_3_175B, LLAMA_3_8B, MIXTRAL_8X7B, SMALL, columns, layout, machine

FAST = {"collective": {"e_w": 1e9}}
"""Collectives that take no time."""


def step(architecture: Architecture, **more: object) -> training.Step:
    a, size = columns(architecture)
    return training.step(a, layout(**more), size, machine(fits=FAST))  # type: ignore[arg-type]


def test_model_flop_of_gpt_3_follow_the_published_equation() -> None:
    """Narayanan et al., arXiv:2104.04473, equation 3, without recomputation and with the causal half of the scores:

    72 B s l h^2 (1 + s / (12 h) + V / (12 l h)).
    """
    layers, h, s, vocab = 96, 12288, 2048, 51200
    published = 72 * s * layers * h**2 * (1 + s / (12 * h) + vocab / (12 * layers * h))
    assert step(GPT_3_175B, sequence=2048.0).model_flop[0] == pytest.approx(published, rel=1e-3)


def test_model_flop_are_six_times_the_parameters_in_products() -> None:
    """Llama 3 8B on 8,192 tokens: 6 * 7.504e9 a token, and 3 * 2 * 32 * 4,096 * 8,192 for the causal scores: 51.47 GFLOP."""
    assert step(LLAMA_3_8B, sequence=8192.0).model_flop[0] / 8192 == pytest.approx(51.47e9, rel=2e-3)


def test_full_recomputation_runs_the_body_s_forward_pass_again() -> None:
    """4/3 of the products' time; attention's backward is 2.5 of its forward pass, so 4.5 / 3.5 of its time
    (and a little for its bytes).
    """
    none, full = step(GPT_3_175B).whole.parts, step(GPT_3_175B, recompute=2.0).whole.parts
    assert full["attention"] / none["attention"] == pytest.approx(4.5 / 3.5, rel=0.01)
    assert 1.31 < full["matmul"] / none["matmul"] < 4 / 3  # the vocabulary's product is not run again
    assert step(GPT_3_175B, recompute=2.0).model_flop[0] == step(GPT_3_175B).model_flop[0]


def test_recomputing_attention_touches_nothing_else() -> None:
    none, some = step(SMALL).whole.parts, step(SMALL, recompute=1.0).whole.parts
    assert some["attention"] / none["attention"] == pytest.approx(4.5 / 3.5, rel=0.01)
    assert {k: v[0] for k, v in some.items() if k != "attention"} == {k: v[0] for k, v in none.items() if k != "attention"}


DEEP = replace(SMALL, num_layers=16)


def test_stages_that_differ_go_at_the_pace_of_the_fullest() -> None:
    """61 layers on 16 stages are 4 in the fullest: as long as 64 layers take."""
    uneven, even = (step(replace(SMALL, num_layers=n), pp=16.0, num_micro=64.0).seconds[0] for n in (61, 64))
    assert uneven == pytest.approx(even, rel=1e-3)


@pytest.mark.parametrize(("pp", "virtual", "micro"), [(2, 1, 8), (4, 1, 8), (4, 2, 8), (4, 4, 64)])
def test_pipeline_bubble(pp: float, virtual: float, micro: float) -> None:
    """(pp - 1) / (v m) of the time the stages work (arXiv:2104.04473, section 2.2)."""

    def work(**more: float) -> float:
        return float(sum(s[0] for part, s in step(DEEP, **more).whole.parts.items() if part not in ("pipeline", "optimizer")))

    stage = (work() - work(pp=2.0)) * 2 / pp  # halving the layers saves half the body: the ends stay
    bubble = step(DEEP, pp=float(pp), virtual=float(virtual), num_micro=float(micro)).whole.parts["pipeline"][0]
    assert bubble / (micro * stage) == pytest.approx((pp - 1) / (virtual * micro), rel=1e-6)


def test_a_pipeline_of_one_has_no_bubble_and_one_rank_sends_nothing() -> None:
    a, size = columns(SMALL)
    parts = training.step(a, layout(num_micro=8.0), size, machine()).whole.parts
    assert parts["pipeline"][0] == parts["communication"][0] == 0


def test_adamw_moves_thirty_bytes_a_parameter() -> None:
    """At 1 TB/s, sharded over eight ranks by ZeRO 1."""
    _, size = columns(SMALL)
    assert step(SMALL).whole.parts["optimizer"][0] == pytest.approx(30 * size.total[0] / 1e12)
    assert step(SMALL, dp=8.0, zero_stage=1.0).whole.parts["optimizer"][0] == pytest.approx(30 * size.total[0] / 8 / 1e12)


@pytest.mark.parametrize(("stage", "sent"), [(0.0, 4 + 2), (1.0, 4 + 2), (3.0, 4 + 2 + 2)])
def test_what_data_parallel_ranks_exchange(stage: float, sent: float) -> None:
    """7/8 of 4 B a gradient and 2 B a weight, once (ZeRO 1) or in both passes (ZeRO 3), where nothing else takes time."""
    _, size = columns(SMALL)
    slow = machine(peak=1e30, peak_half=1e30, bandwidth=1e30)
    parts = training.step(columns(SMALL)[0], layout(dp=8.0, zero_stage=stage), size, slow).whole.parts
    assert parts["communication"][0] == pytest.approx(7 / 8 * sent * size.total[0] / 100e9, rel=1e-3)


def test_hybrid_sharding_sums_shards_between_copies() -> None:
    """Two nodes, a copy in each: 7/8 of 4 + 2 + 2 B inside at 100 GB/s, then 4 / 8 B a gradient over 10 GB/s."""
    _, size = columns(SMALL)
    slow = machine(peak=1e30, peak_half=1e30, bandwidth=1e30)
    parts = training.step(columns(SMALL)[0], layout(dp=16.0, shard=8.0, zero_stage=3.0), size, slow).whole.parts
    assert parts["communication"][0] == pytest.approx((7 / 8 * 8 / 100e9 + 4 / 8 / 10e9) * size.total[0], rel=1e-3)


def test_two_exchanges_do_not_hide_behind_the_same_work() -> None:
    """More computation in a step never shortens it; here compute is varied while what is exchanged stays."""
    a, size = columns(MIXTRAL_8X7B)
    p = layout(2, dp=64.0, ep=2.0, zero_stage=1.0, sequence=np.array([512.0, 1024.0]))
    seconds = training.step(a.take([0, 0]), p, size.take([0, 0]), machine(2, peak=500e12, out_bandwidth=5e9)).seconds
    assert seconds[1] > seconds[0]


@pytest.mark.parametrize("tp", [2.0, 8.0])
def test_model_flop_of_a_dense_model_do_not_depend_on_the_layout(tp: float) -> None:
    whole = step(LLAMA_3_8B).model_flop[0] * 16
    assert step(LLAMA_3_8B, tp=tp, dp=16.0).model_flop[0] == pytest.approx(whole, rel=1e-9)
    assert step(LLAMA_3_8B, tp=tp, pp=4.0, num_micro=16.0).model_flop[0] == pytest.approx(whole, rel=1e-9)


def test_model_flop_of_a_mixture_do_not_depend_on_expert_ranks() -> None:
    whole = step(MIXTRAL_8X7B).model_flop[0] * 8
    assert step(MIXTRAL_8X7B, dp=8.0, ep=8.0).model_flop[0] == pytest.approx(whole, rel=1e-6)


def test_model_flop_of_a_mixture_do_not_depend_on_tensor_ranks() -> None:
    whole = step(MIXTRAL_8X7B).model_flop[0] * 4
    assert step(MIXTRAL_8X7B, dp=4.0, tp=2.0, ep=8.0).model_flop[0] == pytest.approx(whole, rel=1e-2)


def test_a_mixture_trains_within_one_node_without_a_network() -> None:
    a, size = columns(MIXTRAL_8X7B)
    found = training.step(a, layout(dp=4.0, tp=2.0, ep=8.0), size, machine(out_bandwidth=np.nan))
    assert np.isfinite(found.seconds[0])


@pytest.mark.parametrize("buffer", ["z", "y"])
def test_in_training_an_expert_s_buffers_hold_what_was_sent_to_it(buffer: str) -> None:
    """As many visits on each of eight ranks as on one with all experts; an engine that gathers tokens holds eight times that."""
    a, size = columns(MIXTRAL_8X7B)

    def crossed(ep: float) -> float:
        steps = [
            training.step(a, layout(dp=ep, ep=ep), size, machine(fits={"experts": {buffer: times}})).whole.parts["experts"][0]
            for times in (0.0, 1.0)
        ]
        return float(steps[1] - steps[0])

    assert crossed(8.0) == pytest.approx(crossed(1.0), rel=0.01) != 0


def held(stage: float, dp: float, parameters: float = 7.5e9) -> float:
    """What model states take with 2-byte gradients, of a model whose parameters all lie in layers."""
    a, _ = columns(SMALL)
    size = Columns(layers=parameters, experts=0.0, embeddings=0.0, total=parameters, length=1)
    parts = training_memory.training(size, a, layout(gradient=2.0, zero_stage=stage, dp=dp))
    return float(sum(parts[k][0] for k in ("weights", "gradients", "optimizer"))) / 1e9


@pytest.mark.parametrize(("stage", "gigabytes"), [(0.0, 120.0), (1.0, 31.4), (2.0, 16.6), (3.0, 1.88)])
def test_model_states_of_zero(stage: float, gigabytes: float) -> None:
    """7.5e9 parameters on 64 ranks: figure 1 of ZeRO (Rajbhandari et al., arXiv:1910.02054); 16 bytes a parameter unsharded."""
    assert held(stage, 64.0) == pytest.approx(gigabytes, rel=0.005)
    assert held(stage, 1.0) == 120.0


@pytest.mark.parametrize(("dp", "tp", "pp"), [(1, 8, 1), (1, 1, 4), (4, 2, 2)])
def test_all_devices_together_hold_every_state_of_a_dense_model(dp: float, tp: float, pp: float) -> None:
    a, size = columns(LLAMA_3_8B)
    parts = training_memory.training(size, a, layout(dp=float(dp), tp=float(tp), pp=float(pp), zero_stage=3.0))
    together = dp * tp * pp * sum(parts[k][0] for k in ("weights", "gradients", "optimizer"))
    assert together == pytest.approx(18 * size.layers[0])
    ends = dp * tp * parts["vocabulary"][0]  # one of the two tables on the fullest stage's devices, both where there is one stage
    assert ends == pytest.approx(18 * size.embeddings[0] / min(pp, 2))


def test_all_devices_together_hold_every_expert() -> None:
    a, size = columns(MIXTRAL_8X7B)
    parts = training_memory.training(size, a, layout(dp=8.0, ep=8.0, zero_stage=1.0))
    assert 8 * parts["optimizer"][0] == pytest.approx(12 * (size.total[0] - size.embeddings[0]))


# 12 L h^2 parameters: figure 1 counts no biases, norms and tables
PAPER = {
    "22B": (6144, 48, 64, 1, 1, 4), "175B": (12288, 96, 96, 8, 3, 1), "530B": (20480, 105, 128, 35, 3, 1),
    "1T": (25600, 128, 160, 64, 1, 1),
}  # fmt: skip
FIGURE_1 = {  # GiB: weights, gradients and optimizer; activations with tensor parallelism alone; with all of the paper's
    "22B": (45.5625, 59.25, 9.5625), "175B": (45.5625, 66.84375, 12.3515625), "530B": (31.640625, 114.0234375, 23.076171875),
    "1T": (32.958984375, 131.25, 26.5625),
}  # fmt: skip


@pytest.mark.parametrize("name", PAPER)
def test_memory_of_figure_1(name: str) -> None:
    """Figure 1 of Korthikanti et al., arXiv:2205.05198, as calculon-ai/calculon (llm/validation.py at 2dd9c5c) read it off:
    models of table 3 on 8-way tensor parallelism, sequences of 2,048, attention that writes its scores, dropout, fp16 and Adam.
    """
    h, layers, heads, pp, virtual, micro = PAPER[name]
    a, size = columns(
        Architecture(h, layers, heads, heads, h // heads, 4 * h, 51200, 2048, gated_ffn=False, norm="layer", positions="learned")
    )
    plain = {"tp": 8.0, "pp": float(pp), "virtual": float(virtual), "micro_batch": float(micro), "num_micro": 512.0}
    p = layout(**plain, sequence=2048.0, flash=0.0, sp=0.0)
    states, alone, all_of_it = FIGURE_1[name]
    held = training_memory.training(size, a, p)
    assert sum(held[k][0] for k in ("weights", "gradients", "optimizer")) / 2**30 == pytest.approx(states, rel=0.03)
    assert held["activations"][0] / 2**30 == pytest.approx(alone, rel=0.001)
    selective = training_memory.training(size, a, p.with_(sp=[1.0], recompute=[1]))
    working = training_memory.activations(a, p.with_(sp=[1.0], recompute=[1]))[1][0]
    assert (selective["activations"][0] - working) / 2**30 == pytest.approx(all_of_it, rel=0.001)


@pytest.mark.parametrize(
    ("name", "sp", "recompute", "percent"),
    [("22B", 1, 0, 66.84), ("22B", 0, 1, 49.42), ("22B", 1, 1, 16.18), ("22B", 0, 2, 7.64), ("175B", 1, 0, 62.04),
     ("175B", 0, 1, 56.53), ("530B", 1, 1, 20.27), ("1T", 0, 2, 9.42)],
)  # fmt: skip
def test_memory_of_figure_7(name: str, sp: int, recompute: int, percent: float) -> None:
    """What each technique leaves of a layer's activations: figure 7 of arXiv:2205.05198, read off as above."""
    h, layers, heads, _, _, micro = PAPER[name]
    a, _ = columns(Architecture(h, layers, heads, heads, h // heads, 4 * h, 51200, 2048, gated_ffn=False))
    p = layout(2, tp=8.0, micro_batch=float(micro), sequence=2048.0, flash=0.0, sp=[0, sp], recompute=[0, recompute])
    kept, _ = training_memory.activations(a.take([0, 0]), p)
    assert 100 * kept[1] / kept[0] == pytest.approx(percent, rel=0.015)


def test_the_first_stage_holds_as_many_micro_batches_as_there_are_stages() -> None:
    """So that splitting layers does not lower what activations take (arXiv:2205.05198, section 4.2.3)."""

    def kept(**more: float) -> float:
        a, size = columns(GPT_3_175B)
        return float(training_memory.training(size, a, layout(**more))["activations"][0])

    one = kept()
    assert kept(pp=8.0, num_micro=32.0) == pytest.approx(one)
    assert kept(pp=8.0, num_micro=4.0) == pytest.approx(one / 2)
    assert kept(pp=8.0, num_micro=32.0, virtual=2.0) == pytest.approx(one * (1 + 7 / 16))


def test_adapters_train_few_parameters() -> None:
    """Rank 16 on every product of Llama 3 8B: 41.9 million, as PEFT counts them with all linear modules."""
    a, size = columns(LLAMA_3_8B)
    p = layout(lora_rank=16.0)
    assert p.lora_rank[0] * adapter_width(a)[0] / 1e6 == pytest.approx(41.9, rel=0.01)
    full, some = training_memory.training(size, a, layout()), training_memory.training(size, a, p)
    assert some["weights"][0] == full["weights"][0] and some["optimizer"][0] < full["optimizer"][0] / 100


def test_adapters_save_the_gradients_of_weights() -> None:
    """Two products in place of three for each, and a little for the adapters."""
    full, some = step(LLAMA_3_8B, sequence=4096.0), step(LLAMA_3_8B, sequence=4096.0, lora_rank=16.0)
    assert some.whole.parts["matmul"][0] / full.whole.parts["matmul"][0] == pytest.approx(
        2 / 3, rel=0.05
    )  # the vocabulary's product is as before
    assert some.seconds[0] < full.seconds[0]


def test_zero_bubble_fills_two_thirds_of_the_bubble_at_most() -> None:
    """ZB-H1: (p - 1)(T_F + T_B - T_W) with equal thirds is a third of 1F1B's bubble (arXiv:2401.10241, table 2)."""
    plain, zero = (step(SMALL, pp=4.0, num_micro=8.0, schedule=s).whole.parts["pipeline"][0] for s in (0, 2))
    assert plain / 3 <= zero < 0.6 * plain  # streams have no gradient of weights


@pytest.mark.parametrize("cp", [2.0, 8.0])
def test_consecutive_tokens_keep_the_last_context_rank_busiest(cp: float) -> None:
    """It sees cp - 1/2 of the cp blocks of keys, the average half of them: 2 - 1 / cp times as much attention."""
    p = layout(2, cp=cp, sequence=65536.0, balanced=np.array([1.0, 0.0]))
    a, _ = columns(LLAMA_3_8B, 2)
    found = training.micro(a, p, machine(2, fits=FAST))
    attention = found.body.parts["attention"]
    assert attention[1] / attention[0] == pytest.approx(2 - 1 / cp)
    assert found.flop[0] == pytest.approx(found.flop[1])


def test_sums_over_tensor_ranks_hide_behind_products() -> None:
    shown = [step_of(overlap=o).whole.parts["communication"][0] for o in (0.0, 1.0)]
    assert 0 <= shown[1] < shown[0] / 20


def step_of(**more: float) -> training.Step:
    a, size = columns(LLAMA_3_8B)
    return training.step(a, layout(tp=4.0, sequence=8192.0, **more), size, machine())


def test_serving_memory() -> None:
    """Llama 3 8B in bf16: 16.06 GB of weights, 131,072 B a token; half of both on each of two devices."""
    _, size = columns(LLAMA_3_8B)
    plain = Columns(tp=[1.0, 2.0], pp=1.0, adp=1.0, ep=1.0, weight=2.0, head_weight=2.0, activation=2.0)
    parts = memory.serving(size.take([0, 0]), np.array([131072.0, 65536.0]) * 1e5, plain, np.array([1e5, 1e5]))
    assert parts["weights"] / 1e9 == pytest.approx([16.06, 8.03], rel=1e-3)
    assert parts["kv_cache"] / 1e9 == pytest.approx([13.1072, 6.5536])
    assert memory.usable(np.array([80e9]))[0] < 80e9


def test_buffers_of_experts_hold_the_visits_of_every_rank() -> None:
    """8,192 tokens of two ranks, two experts each: 32,768 visits * (4,096 * (2 + 2) + 14,336 * (4 + 2)) B = 3.36 GB."""
    _, size = columns(MIXTRAL_8X7B)
    apart = Columns(tp=1.0, pp=1.0, adp=[2.0, 4.0], ep=[2.0, 4.0], weight=2.0, head_weight=2.0, activation=2.0)
    held = memory.serving(size.take([0, 0]), np.zeros(2), apart, np.full(2, 1e5))["activations"]
    assert held / 1e9 == pytest.approx([3.355, 2 * 3.355], rel=1e-3)
