"""Speculative decoding, adapters and pipelines against steps worked out by hand."""

import numpy as np
import pytest

from planner.model import serving
from planner.model.speculative import Draft, layer_of
from tests.model.rows import DEEPSEEK_V3, LLAMA_3_8B, SMALL, columns, inference, machine


def draft(acceptance: float, guesses: float = 3.0) -> Draft:
    a, _ = columns(SMALL)
    return Draft(a, np.array([guesses]), np.array([acceptance]))


def test_tokens_a_step_are_those_before_the_first_wrong_guess_and_one() -> None:
    """Three guesses that hold with 0.8 each: 1 + 0.8 + 0.64 + 0.512 (arXiv:2211.17192, equation 1)."""
    assert draft(0.8).tokens[0] == pytest.approx(2.952)
    assert draft(1e-9).tokens[0] == pytest.approx(1.0)
    assert draft(1.0).tokens[0] == pytest.approx(4.0, rel=1e-6)


def test_a_step_checks_all_guesses_at_once_and_reads_weights_and_cache_once() -> None:
    """Llama 3 8B at 1 TB/s, alone: 15.0 ms of weights whether one token is checked or four; the draft's 34.6 MB 3 x 35 us."""
    a, _ = columns(LLAMA_3_8B)
    w = inference(batch=1.0, input_tokens=16.0, output_tokens=1000.0)
    plain, guessed = (serving.decode(a, w, machine(), np.ones(1), np.full(1, 500.0), d) for d in (None, draft(0.8)))
    assert guessed.seconds[0] / plain.seconds[0] == pytest.approx(1.0, rel=0.02)
    assert guessed.parts["draft"][0] == pytest.approx(104e-6, rel=0.15)
    assert guessed.flop[0] == pytest.approx(4 * plain.flop[0] + 3 * _draft_flop(), rel=1e-3)


def _draft_flop() -> float:
    a, _ = columns(SMALL)
    return float(serving.decode(a, inference(batch=1.0), machine(), np.ones(1), np.full(1, 500.0)).flop[0])


def test_time_per_token_falls_by_the_tokens_of_a_step() -> None:
    a, _ = columns(LLAMA_3_8B)
    w = inference(batch=1.0, input_tokens=16.0, output_tokens=1000.0)
    plain, guessed = serving.continuous(a, w, machine()), serving.continuous(a, w, machine(), draft(0.8))
    assert plain.tpot[0] / guessed.tpot[0] == pytest.approx(2.952, rel=0.03)


def test_a_layer_that_guesses_has_the_experts_of_the_model() -> None:
    """DeepSeek-V3's module for multi-token prediction is one of its layers (arXiv:2412.19437, section 2.2)."""
    a, _ = columns(DEEPSEEK_V3)
    one = layer_of(a)
    assert one.num_layers[0] == 1 and one.dense_layers[0] == 0 and one.num_experts[0] == a.num_experts[0]


def test_adapters_in_use_are_read_and_multiplied() -> None:
    """Rank 16 beside seven products of 32 layers of Llama 3 8B are 41.9 million parameters, 84 MB in 16 bits, beside activations.

    One request reads those of its own: 84 us at 1 TB/s. 64 requests that choose among 1,000 use 1000 (1 - 0.999^64) = 62.0.
    """
    a, _ = columns(LLAMA_3_8B)
    w = inference(batch=1.0, input_tokens=16.0, output_tokens=100.0)

    def added(batch: float) -> float:
        b, context = np.full(1, batch), np.full(1, 500.0)
        plain = serving.decode(a, w, machine(), b, context)
        return float(
            (serving.decode(a, w.with_(adapters=1000.0, adapter_rank=16.0), machine(), b, context).moved - plain.moved)[0]
        )

    assert added(1.0) == pytest.approx(83.9e6, rel=0.07)
    assert added(64.0) == pytest.approx(62.0 * 83.9e6, rel=0.07)


def test_a_pipeline_shares_the_batch_out_over_its_stages() -> None:
    """Two stages hold half of 64 requests each at any time: a token takes a step of 32, and rates are 64 over that."""
    a, _ = columns(LLAMA_3_8B)
    w = inference(batch=64.0, input_tokens=500.0, output_tokens=200.0)
    two = serving.continuous(a, w.with_(pp=2.0), machine())
    alone = serving.decode(a, w, machine(), np.full(1, 32.0), np.full(1, 600.0))
    sends = two.decode.seconds[0] - alone.seconds[0]
    assert 0 < sends < 0.1 * alone.seconds[0]
    assert two.output_rate[0] == pytest.approx(64 / two.tpot[0])
    assert two.output_rate[0] > serving.continuous(a, w.with_(batch=32.0), machine()).output_rate[0]


def test_what_decodes_apart_waits_for_no_prompts() -> None:
    a, _ = columns(LLAMA_3_8B)
    w = inference(batch=16.0, input_tokens=1000.0, output_tokens=200.0)
    apart = w.with_(apart=1.0, transfer=0.05)
    decoding, prefilling = serving.decoding(a, w, machine()), serving.prefilling(a, w, machine())
    mixed, own = (serving.together(decoding, prefilling, x) for x in (w, apart))
    assert own.tpot[0] == pytest.approx(decoding.step.seconds[0])
    assert mixed.tpot[0] > own.tpot[0]
    assert own.ttft[0] - mixed.ttft[0] == pytest.approx(0.05)
