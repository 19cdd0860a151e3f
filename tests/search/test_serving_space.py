"""Which shapes a serving system may have, and what searching them finds."""

from dataclasses import replace

import numpy as np
import pytest

from planner.errors import InputError
from planner.model.columns import Columns
from planner.schema.goals import Adapters, Speculation
from planner.schema.workload import Architecture, Moe
from planner.search import deployments, find
from planner.search.serve import Asked
from planner.search.serving_space import space, workers
from tests.model.rows import LLAMA_3_8B
from tests.search.records import LANGUAGE, SERVE, inputs, subject

MIXTURE = Architecture(**{**{f: getattr(LLAMA_3_8B, f) for f in LLAMA_3_8B.__dataclass_fields__}, "moe": Moe(64, 4, 1024)})


def shapes(a: Architecture, node: float = 8.0, reach: float = 8.0) -> Columns:
    one = Columns(place=np.zeros(1, int), precision=np.zeros(1, int))
    return workers(a, SERVE, one, np.array([node]), np.array([8.0]), np.array([reach]))


def test_dense_models_have_no_experts_to_deal_out() -> None:
    of = shapes(LLAMA_3_8B)
    assert set(of.ep) == set(of.adp) == {1.0}
    assert {(tp, pp) for tp, pp in zip(of.tp, of.pp, strict=True)} == {
        (1, 1), (2, 1), (4, 1), (8, 1), (1, 2), (2, 2), (4, 2), (1, 4), (2, 4),
    }  # fmt: skip


def test_ranks_that_attend_apart_split_the_experts() -> None:
    of = shapes(MIXTURE)
    assert np.all((of.adp == 1) | (of.ep == of.tp * of.adp))
    assert (of.adp == 8).any() and np.all(of.size <= 8)


def test_a_pipeline_over_instances_fills_each() -> None:
    of = shapes(LLAMA_3_8B, reach=1024.0)
    beyond = of.take(np.flatnonzero(of.size > 8))
    assert len(beyond) == 2 and set(beyond.tp) == {8.0} and set(beyond.pp) == {2.0, 4.0}


def test_pairs_are_of_one_worker_or_of_one_setting() -> None:
    of = shapes(LLAMA_3_8B, reach=16.0)
    both = space(of, SERVE, mixed=True, apart=(of.setting, of.setting), batches=(1, 2), budgets=(512.0,))
    decoder, prefiller = both.decoders.worker[both.decoder], both.prefillers.worker[both.prefiller]
    assert np.all(decoder[~both.apart] == prefiller[~both.apart])
    assert both.apart.sum() == len(of) ** 2 * 3  # batches 1, 2 and the plan's own limit


def test_keys_below_nothing_are_never_paired() -> None:
    of = shapes(LLAMA_3_8B)
    assert len(space(of, SERVE, mixed=False, apart=(np.full(len(of), -1), np.full(len(of), -1)))) == 0


def cheapest(**changes: object) -> find.Candidate:
    return find.candidates(inputs(replace(SERVE, **changes)))[0]  # type: ignore[arg-type]


def test_guesses_that_hold_make_serving_cheaper_or_faster() -> None:
    goal = replace(SERVE, tpot=0.01, requests_per_second=400.0)
    plain = find.candidates(inputs(goal))[0]
    guessed = find.candidates(inputs(replace(goal, speculation=Speculation(0.8))))[0]
    assert guessed.cost.value < plain.cost.value or guessed.latency["tpot"].value < plain.latency["tpot"].value
    assert guessed.memory["draft"] > 0


def test_adapters_take_memory_and_time() -> None:
    plain, adapted = cheapest(), cheapest(adapters=Adapters(200, 64))
    assert adapted.memory["adapters"] > 0
    assert adapted.throughput.value / adapted.devices <= plain.throughput.value / plain.devices


def test_a_share_of_requests_that_must_keep_a_limit_is_stricter_than_their_mean() -> None:
    mean, most = (cheapest(ttft=5.0, tpot=5.0, percentile=p) for p in (None, 0.99))
    assert most.latency["ttft"].value > mean.latency["ttft"].value
    assert most.latency["tpot"].value >= mean.latency["tpot"].value


def test_prompts_on_instances_of_their_own() -> None:
    found = cheapest(disaggregated=True)
    assert found.layout["prefill_instances"] >= 1 and found.instances > found.layout["prefill_instances"]


def test_zeros_need_a_device_that_skips_them() -> None:
    plain = inputs(SERVE)
    sparse = replace(plain, plan=replace(plain.plan, workload=replace(plain.plan.workload, sparsity="2:4")))
    assert all("2:4 sparse" in c.rejected for c in find.candidates(sparse))


ASKED = Asked(LANGUAGE.architecture, replace(SERVE, ttft=5.0, tpot=0.1), 0.7)  # type: ignore[arg-type]


def test_no_point_of_the_front_is_beaten() -> None:
    found = deployments.best(ASKED, subject("serve"), ("fp16",), 64, {}.get)
    rates = [(d.user, d.device) for d in found.front]
    assert rates == sorted(rates, key=lambda r: (-r[0], r[1]))
    assert found.seen > 1000 and found.smallest and found.smallest.devices <= 64


def test_what_nothing_can_keep_names_the_nearest_and_its_bound() -> None:
    found = deployments.best(replace(ASKED, serve=replace(SERVE, tpot=1e-6)), subject("serve"), (), 64, {}.get)
    assert found.nearest and not found.front and "bound by" in found.why


def test_unlike_devices_take_prompts_in_and_decode() -> None:
    found = deployments.best(ASKED, subject("serve"), ("fp16",), 64, {}.get, subject("serve"))
    assert found.front and all(d.layout["prompts"] == "apart" for d in found.front)


def test_a_precision_that_a_device_lacks() -> None:
    with pytest.raises(InputError, match="no published peak"):
        deployments.best(ASKED, subject("serve"), ("nvfp4",), 64, {}.get)


def test_kernels_one_after_another_are_slower() -> None:
    plain, eager = cheapest(tpot=1.0), cheapest(tpot=1.0, eager=True)
    assert eager.throughput.value / eager.devices < plain.throughput.value / plain.devices
