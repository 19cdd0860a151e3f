"""The event loop against steps counted by hand, and the queueing law against the event loop."""

from dataclasses import replace

import numpy as np
import pytest

from planner.model.simulation import Engine, Requests, Served, Steady, queue, simulate
from planner.search.simulate import drawn

MS = 1e-3


def engine(*, decode: float = 10 * MS, each: float = 10 * MS, batch: int = 64, budget: int = 8192, cache: float = 1e9) -> Engine:
    """A step takes ``decode`` whatever its batch, and ``each`` more for every 1,000 tokens of prompts."""
    grid, tokens = np.array([1.0, 1000.0]), np.array([0.0, 100_000.0])
    prefill = np.repeat(tokens[:, None] / 1000 * each, 2, axis=1)
    return Engine(grid, tokens, np.full((2, 2), decode), tokens, tokens, prefill, batch, budget, cache)


def served(e: Engine, *requests: tuple[float, int, int], clients: int = 0) -> Served:
    arrival, tokens_in, tokens_out = np.array(requests, float).T
    return simulate(e, Requests(arrival, tokens_in, tokens_out), clients)


def test_a_lone_request_takes_its_prefill_and_a_step_for_each_further_token() -> None:
    one = served(engine(), (2.0, 1000, 5))
    assert (one.ttft[0], one.tpot[0], one.e2e[0]) == pytest.approx((10 * MS, 10 * MS, 50 * MS))
    assert (one.end, one.busy, one.steps) == pytest.approx((2.05, 50 * MS, 5))


def test_a_single_token_has_no_time_per_further_token() -> None:
    assert np.isnan(served(engine(), (0.0, 1000, 1)).tpot[0])


def test_prompts_that_fit_a_step_share_it_and_others_take_turns() -> None:
    both = served(engine(), (0.0, 1000, 2), (0.0, 1000, 2))
    assert both.ttft == pytest.approx([20 * MS, 20 * MS])
    apart = served(engine(budget=1000), (0.0, 1000, 9), (0.0, 999, 9))  # the second step also decodes the first request
    assert apart.ttft == pytest.approx([10 * MS, (10 + 10 + 9.99) * MS])


def test_a_long_prompt_goes_through_in_pieces() -> None:
    """4,000 tokens in pieces of 1,000, while one request decodes: 999 tokens a step, 10 ms of decoding each, five steps."""
    e = engine(budget=1000)
    assert served(e, (0.0, 1000, 50), (5 * MS, 4000, 2)).ttft[1] == pytest.approx((5 + 5 * 10 + 40) * MS)


def test_a_request_waits_until_the_cache_holds_all_it_may_need() -> None:
    first, second = served(engine(cache=1500), (0.0, 1000, 10), (0.0, 1000, 10)).ttft
    assert (first, second) == pytest.approx((10 * MS, (10 + 90 + 10) * MS))


def test_a_full_batch_admits_nobody() -> None:
    assert served(engine(batch=1), (0.0, 1000, 10), (0.0, 1000, 10)).ttft[1] == pytest.approx(110 * MS)


def test_clients_send_their_next_request_when_one_ends() -> None:
    """Two clients, four requests of 10 ms prefill and nine steps: twice 20 + 90 ms."""
    all_four = served(engine(), *[(0.0, 1000, 10)] * 4, clients=2)
    assert all_four.e2e == pytest.approx([110 * MS] * 4)
    assert all_four.end == pytest.approx(220 * MS)


def test_steps_taken_together_grow_with_the_context() -> None:
    """1 ms a step and 1 us a token in the cache: nine steps after 1,000 tokens, of 1,001 to 1,009 in the cache and one more."""
    tokens = np.array([0.0, 100_000.0])
    slow = Engine(
        np.array([1.0, 2.0]), tokens, np.array([[1 * MS, 101 * MS]] * 2), tokens, tokens, np.zeros((2, 2)), 8, 8192, 1e9
    )
    by_hand = sum(1 * MS + (1000 + k) * 1e-6 for k in range(1, 10))
    assert served(slow, (0.0, 1000, 10)).e2e[0] == pytest.approx(by_hand, rel=1e-3)


def poisson(n: int, rate: float, tokens_in: int, tokens_out: int) -> Requests:
    arrival = np.cumsum(np.random.default_rng(5).exponential(1 / rate, n))
    return Requests(arrival, np.full(n, tokens_in), np.full(n, tokens_out))


@pytest.mark.parametrize("load", [0.2, 0.5, 0.75])
@pytest.mark.parametrize(("tokens_in", "tokens_out"), [(128, 128), (1000, 300), (2048, 32), (6000, 500)])
def test_the_queueing_law_agrees_below_eight_tenths_of_the_load(load: float, tokens_in: int, tokens_out: int) -> None:
    e = engine(decode=8 * MS, each=15 * MS, batch=256)
    rate = load / queue(e, Steady(1e-9, tokens_in, tokens_out)).load * 1e-9
    found, law = simulate(e, poisson(8000, rate, tokens_in, tokens_out)), queue(e, Steady(rate, tokens_in, tokens_out))
    assert law.load == pytest.approx(load)
    assert law.ttft["mean"] == pytest.approx(found.ttft.mean(), rel=0.1)
    assert law.tpot["mean"] == pytest.approx(np.nanmean(found.tpot), rel=0.1)
    assert law.ttft["p90"] == pytest.approx(np.quantile(found.ttft, 0.9), rel=0.25)
    assert law.tpot["p90"] == pytest.approx(np.nanquantile(found.tpot, 0.9), rel=0.15)


@pytest.mark.parametrize(("burstiness", "input_cv", "output_cv"), [(4.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 0.5, 1.0)])
def test_bursts_and_lengths_that_vary_wait_longer_by_the_law_too(burstiness: float, input_cv: float, output_cv: float) -> None:
    e = engine(decode=8 * MS, each=15 * MS, batch=256)
    plain = Steady(0.5 / queue(e, Steady(1e-9, 1000, 300)).load * 1e-9, 1000, 300)
    t = replace(plain, burstiness=burstiness, input_cv=input_cv, output_cv=output_cv)
    found, law = simulate(e, drawn(8000, t, 131072, 5)), queue(e, t)
    assert law.ttft["mean"] > queue(e, plain).ttft["mean"] or not input_cv + burstiness > 1
    assert law.ttft["mean"] == pytest.approx(found.ttft.mean(), rel=0.15)
    assert law.tpot["mean"] == pytest.approx(np.nanmean(found.tpot), rel=0.15)
    assert law.ttft["p90"] == pytest.approx(np.quantile(found.ttft, 0.9), rel=0.25)


def test_more_than_it_can_do_has_no_first_token_time() -> None:
    law = queue(engine(), Steady(200.0, 1000, 100))
    assert law.ttft["mean"] == np.inf
    assert law.load > 1
