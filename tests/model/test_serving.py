"""Steady states of serving: what a batch of requests makes of a prefill and a decode step."""

import numpy as np
import pytest

from planner.model import serving
from planner.model.passes import Pass
from planner.schema.workload import Architecture
from tests.model.rows import GPT_3_175B, LLAMA_3_8B, columns, inference, machine


def served(batch: float, isl: float, osl: float, *, architecture: Architecture = LLAMA_3_8B, **more: float) -> serving.Service:
    a, _ = columns(architecture)
    rows = inference(batch=batch, input_tokens=isl, output_tokens=osl)
    return serving.continuous(a, rows, machine(fits={"engine": more}))  # type: ignore[arg-type]


def test_decoding_alone_reads_the_weights_once_a_token() -> None:
    """Llama 3 8B, one request with hardly a prompt: 15.01 GB of weights at 1 TB/s, 15 ms a token, and 1 % for the rest."""
    assert served(1.0, 16.0, 1000.0).tpot[0] == pytest.approx(15.0e-3, rel=0.02)


def test_a_larger_batch_shares_the_weights() -> None:
    """32 requests of 1,000 tokens in the cache read 32 * 131 MB more: 19.2 ms for 32 tokens."""
    service = served(32.0, 500.0, 1000.0)
    assert service.decode.seconds[0] == pytest.approx((15.0 + 32 * 1000 * 0.000131072) * 1e-3, rel=0.03)


def test_the_first_token_of_a_lone_prompt_takes_its_prefill() -> None:
    """4,096 tokens of Llama 3 8B: 2 * 6.98e9 FLOP a token, and causal scores, at 100 TFLOP/s: 0.616 s; then a decode step."""
    service = served(1.0, 4096.0, 100.0)
    assert service.ttft[0] - service.decode.seconds[0] == pytest.approx(0.616, rel=0.05)


def test_output_rate_is_the_batch_over_the_time_a_token_takes() -> None:
    service = served(16.0, 1000.0, 200.0)
    assert service.output_rate[0] == pytest.approx(16 / service.tpot[0])
    assert service.tpot[0] > service.decode.seconds[0]


def test_prompts_are_paid_for_by_the_tokens_they_bring() -> None:
    """A finished request's prefill is spread over its batch's steps: 16 prompts of 1,000 in as many steps as tokens put out."""
    service = served(16.0, 1000.0, 200.0)
    each = service.prefill.seconds[0] / 8  # eight prompts of 1,000 tokens fit into one pass of 8,192
    assert service.tpot[0] == pytest.approx(service.decode.seconds[0] + each * 16 / 200)


def test_host_time_is_added_to_each_step_and_each_prefill() -> None:
    plain, slow = served(4.0, 500.0, 100.0), served(4.0, 500.0, 100.0, decode_step=1e-3, prefill_step=5e-3)
    assert slow.decode.seconds[0] - plain.decode.seconds[0] == pytest.approx(1e-3)
    assert slow.prefill.seconds[0] - plain.prefill.seconds[0] == pytest.approx(5e-3)
    assert slow.ttft[0] - plain.ttft[0] == pytest.approx(6e-3)


def test_ranks_that_attend_apart_wait_for_the_busiest() -> None:
    """A step that keeps four fifths of its speed takes a quarter longer, the host's time aside; one of a single rank does not."""
    a, _ = columns(LLAMA_3_8B)
    steps = {}
    for ranks in (1.0, 8.0):
        rows = inference(batch=4.0, adp=ranks, input_tokens=500.0, output_tokens=100.0)
        for share in (1.0, 0.8):
            made = machine(fits={"engine": {"apart": share, "decode_step": 1e-3}})
            steps[ranks, share] = serving.decoding(a, rows, made).step.seconds[0]
    assert steps[1.0, 0.8] == steps[1.0, 1.0]
    assert steps[8.0, 0.8] - 1e-3 == pytest.approx((steps[8.0, 1.0] - 1e-3) * 1.25)


def test_a_pipeline_goes_at_the_pace_of_the_stage_with_the_logits() -> None:
    """Llama 3 8B, 4 requests, each a share of its own in 4 stages: the last reads 8 layers (3.49 ms) and the logits (1.05 ms),
    and so all take four times that for a round; each stage has the host's time for each share.
    """
    a, _ = columns(LLAMA_3_8B)
    rows = inference(batch=4.0, pp=4.0, input_tokens=16.0, output_tokens=100.0)
    plain, slow = (serving.decoding(a, rows, machine(fits={"engine": {"decode_step": s}})).step.seconds[0] for s in (0.0, 1e-3))
    assert plain == pytest.approx(4 * (3.49 + 1.05) * 1e-3, rel=0.02)
    assert slow - plain == pytest.approx(4e-3)


def test_a_pipeline_waits_for_the_stage_with_a_layer_more() -> None:
    """96 layers in 5 stages: the logits of GPT-3 are less than the layer by which 20 are more than 19."""
    a, _ = columns(GPT_3_175B)
    rows = inference(batch=1.0, pp=1.0, input_tokens=16.0, output_tokens=100.0)
    one = serving.decoding(a, rows, machine()).step.seconds[0]
    five = serving.decoding(a, rows.with_(batch=np.array([5.0]), pp=np.array([5.0])), machine()).step.seconds[0]
    assert five == pytest.approx(one * 100 / 96, rel=0.01)


@pytest.mark.parametrize(("largest", "whole"), [(np.inf, 256.0), (230.0, 230.0), (0.0, 200.0)])
def test_a_decode_step_is_padded_to_the_next_captured_batch(largest: float, whole: float) -> None:
    """200 requests are computed as 256, or as the most that the engine admits; what they attend to stays theirs."""
    a, _ = columns(LLAMA_3_8B)
    rows = inference(batch=200.0, input_tokens=1000.0, output_tokens=500.0)
    one, other = (
        serving.continuous(a, r, machine()).decode
        for r in (rows.with_(graphs=np.array([largest])), rows.with_(batch=np.array([whole])))
    )
    assert one.parts["matmul"][0] == pytest.approx(other.parts["matmul"][0])
    assert one.parts["attention"][0] == pytest.approx(other.parts["attention"][0] * 200 / whole)


def test_a_static_batch_is_one_prefill_and_its_steps() -> None:
    a, _ = columns(LLAMA_3_8B)
    s = serving.static_batch(a, inference(batch=4.0, input_tokens=500.0, output_tokens=101.0), machine())
    total = s.prefill.seconds[0] + 100 * s.decode.seconds[0]
    assert s.output_rate[0] == pytest.approx(4 * 101 / total)
    assert s.ttft[0] == s.prefill.seconds[0]


def test_what_the_cache_holds_of_a_prompt_is_not_computed_again() -> None:
    """A quarter of 4,096 tokens is new: a quarter of the products, and attention from them to all: 7 / 16 of its scores."""
    a, _ = columns(LLAMA_3_8B)
    rows = inference(input_tokens=4096.0, output_tokens=10.0)
    whole, part = (serving.prefill(a, rows.with_(prefix=np.array([p])), machine(), np.ones(1)) for p in (0.0, 0.75))
    assert whole.parts["matmul"][0] == serving.prefill(a, rows, machine(), np.ones(1)).parts["matmul"][0]
    assert part.parts["matmul"][0] / whole.parts["matmul"][0] == pytest.approx(1 / 4, rel=0.02)
    assert part.parts["attention"][0] / whole.parts["attention"][0] == pytest.approx(7 / 16, rel=0.01)


def test_one_output_token_takes_no_decode_step() -> None:
    a, _ = columns(LLAMA_3_8B)
    s = serving.static_batch(a, inference(batch=4.0, input_tokens=500.0, output_tokens=1.0), machine())
    assert s.output_rate[0] == pytest.approx(4 / s.prefill.seconds[0])


def queue(load: float) -> float:
    """A prompt takes 0.1 s, a token of one request 10 ms, so that at full load half of the time goes to prefill."""
    prefill, decode = (Pass({"matmul": np.array([s])}, np.zeros(1), np.zeros(1), np.ones(1)) for s in (0.1, 0.01))
    one = np.ones(1)
    service = serving.Service(0.11 * one, 0.02 * one, 50 * one, prefill, decode, 0.1 * one, one)
    w = inference(batch=1.0, input_tokens=4000.0, output_tokens=10.0, load=load)
    return float(serving.arrivals(service, w).ttft[0])


def test_a_request_waits_for_a_step_and_shares_the_next_with_what_came_beside_it() -> None:
    """rho = load / 10 * 0.1 / 0.02, half at full load: steps of 20 ms on average, and E[L^2] / E[L] = 20 + 50 / 0.75 = 86.7 ms.

    It waits for half of that, and its own step takes 10 ms, its own 100 ms, and 5 a second * 86.7 ms * 100 ms of others' prompts.
    """
    assert queue(1.0) == pytest.approx(0.08667 / 2 + 0.01 + 0.1 + 0.04333, rel=1e-3)
    assert queue(0.0) == pytest.approx(0.11 + 0.005)
    assert queue(0.5) == pytest.approx(0.04 / 2 + 0.01 + 0.1 + 0.01, rel=1e-3)


def test_waiting_grows_with_load_and_stays_finite() -> None:
    waits = [queue(load) for load in (0.1, 0.5, 0.9, 1.5, 1.9, 5.0)]
    assert waits == sorted(waits) and np.isfinite(waits[-1])


def test_a_model_on_eight_devices_is_faster_than_on_four_but_not_by_all_of_it() -> None:
    a, _ = columns(GPT_3_175B, 2)
    rows = inference(2, tp=np.array([4.0, 8.0]), expert_tp=np.array([4.0, 8.0]), input_tokens=100.0, output_tokens=100.0)
    four, eight = serving.continuous(a, rows, machine(2)).tpot
    assert 1.5 < four / eight < 2


def test_launching_a_first_pass_delays_its_token_and_no_other() -> None:
    """Llama 3 8B on one device: 9 kernels a layer, with its embedding and its logits 290, at 10 us each."""
    plain, slow = served(4.0, 500.0, 100.0), served(4.0, 500.0, 100.0, launch=1e-5)
    assert slow.ttft[0] - plain.ttft[0] == pytest.approx(290e-5)
    assert slow.tpot[0] == plain.tpot[0]


def test_a_step_of_fixed_shape_reads_all_that_a_request_will_hold() -> None:
    """A cache of 131 kB a token: 1,000 of 2,000 output tokens more than there are on average take 0.131 ms at 1 TB/s."""
    a, _ = columns(LLAMA_3_8B)
    rows = inference(input_tokens=1000.0, output_tokens=2000.0)
    grown, static = (serving.static_batch(a, rows.with_(static=np.array([s])), machine()).decode for s in (0.0, 1.0))
    assert (static.parts["attention"] - grown.parts["attention"])[0] == pytest.approx(1000 * 131072 / 1e12, rel=0.02)


def test_what_a_prompt_is_padded_with_is_computed_too() -> None:
    a, _ = columns(LLAMA_3_8B)
    rows = inference(input_tokens=1000.0, output_tokens=10.0)
    padded = serving.prefill(a, rows.with_(padded=np.array([4000.0])), machine(), np.ones(1))
    assert padded.seconds[0] == serving.prefill(a, rows.with_(input_tokens=np.array([4000.0])), machine(), np.ones(1)).seconds[0]


def test_logits_of_every_token_are_a_product_of_all_of_them() -> None:
    """2 * 128,256 * 4,096 FLOP for each token but the last."""
    a, _ = columns(LLAMA_3_8B)
    rows = inference(input_tokens=1000.0, output_tokens=10.0)
    last, every = (serving.prefill(a, rows.with_(every=np.array([e])), machine(), np.ones(1)).flop[0] for e in (0.0, 1.0))
    assert every - last == pytest.approx(999 * 2 * 128256 * 4096)


def test_products_bound_by_arithmetic_lose_what_an_engine_leaves_of_the_peak_and_others_nothing() -> None:
    a, _ = columns(LLAMA_3_8B)
    rows = inference(input_tokens=4096.0, output_tokens=10.0)
    whole, half = (serving.static_batch(a, rows, machine(fits={"engine": {"arithmetic": e}})) for e in (1.0, 0.5))
    assert half.prefill.parts["matmul"][0] / whole.prefill.parts["matmul"][0] == pytest.approx(2.0, rel=0.01)
    assert half.decode.parts["matmul"][0] == pytest.approx(whole.decode.parts["matmul"][0], rel=0.01)


def test_a_device_short_of_power_loses_of_its_products_and_not_of_its_memory() -> None:
    a, _ = columns(LLAMA_3_8B)
    rows = inference(input_tokens=4096.0, output_tokens=10.0)
    whole, half = (serving.static_batch(a, rows, machine(sustained=share)) for share in (1.0, 0.5))
    assert half.prefill.parts["matmul"][0] / whole.prefill.parts["matmul"][0] == pytest.approx(2.0, rel=0.01)
    assert half.decode.parts["matmul"][0] == pytest.approx(whole.decode.parts["matmul"][0], rel=0.01)
