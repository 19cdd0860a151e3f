"""Why a candidate is out, in words with figures; and which filter left nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner.errors import InputError
from planner.schema.goals import Infer, Serve, Train
from planner.schema.hardware import Memory
from planner.schema.workload import Architecture, Workload
from planner.search import train
from planner.search.candidate import Candidate
from planner.search.find import _settings, candidates
from planner.search.listings import listings
from tests.search.records import (
    GOALS,
    INFER,
    LANGUAGE,
    SERVE,
    SOURCES,
    TRAIN,
    VISION,
    device,
    figure,
    inputs,
    offer,
    provider,
    system,
)  # fmt: skip

HUGE = Workload(
    "huge-lm", "Huge LM", SOURCES, Architecture(
        hidden_size=16384, num_layers=96, num_heads=128, num_kv_heads=8, head_dim=128, ffn_size=53248, vocab_size=128256,
        max_context=8192,
    ),
)  # fmt: skip


def one(
    goal: Serve | Train | Infer, *, devices: int = 8, joined: bool = True, needs_host: bool = False, **more: Any
) -> Candidate:
    """The only candidate: a node of eight at 16 an hour."""
    shop = provider(offer("node", f"alder-x{devices}", needs_host=needs_host, on_demand=16.0))
    records = {"devices": [device()], "systems": [system(devices=devices, joined=joined)], "providers": (shop,)}
    (found,) = candidates(inputs(goal, **records, **more))
    return found


@pytest.mark.parametrize("scenario", GOALS)
def test_what_can_do_it_has_no_reason(scenario: str) -> None:
    assert one(GOALS[scenario]).rejected == ""


@pytest.mark.parametrize("goal", [SERVE, TRAIN])
def test_memory(goal: Serve | Train) -> None:
    found = one(goal, workload=HUGE, precision=("bf16",), hardware={"max_devices": 8})
    assert found.rejected.startswith("does not fit: needs ")
    assert "GB on each device (" in found.rejected and "which has 48 GB" in found.rejected
    assert ("; it would from 256 devices on" in found.rejected) == (goal is TRAIN)


def test_memory_of_a_network_s_activations() -> None:
    small = [replace(device(), memory=(Memory("main", "DDR", figure(1e6), figure(1e12)),))]
    shop = provider(offer("node", "alder-x8", on_demand=16.0))
    (found,) = candidates(inputs(INFER, devices=small, systems=[system()], providers=(shop,)))
    assert found.rejected.startswith("does not fit: needs 36 MB on each device (25 MB of it weights), which has 1 MB")


def test_time_to_first_token() -> None:
    found = one(replace(SERVE, ttft=1e-6))
    assert found.rejected.startswith("time to first token is ") and found.rejected.endswith("; the plan allows 1 µs")


def test_time_per_output_token() -> None:
    assert "time per output token is" in one(replace(SERVE, tpot=1e-6)).rejected


def test_latency() -> None:
    assert one(replace(INFER, latency=1e-6)).rejected.startswith("latency is ")


def test_deadline() -> None:
    found = one(replace(TRAIN, tokens=1e15, deadline=3600.0))
    assert found.rejected.startswith("takes ") and "devices; the deadline is 60 min" in found.rejected


@pytest.mark.parametrize("scenario", ["serve", "infer"])
def test_devices(scenario: str) -> None:
    found = one(GOALS[scenario], hardware={"max_devices": 4})
    assert found.rejected == f"needs {found.devices} devices; the plan allows 4"


@pytest.mark.parametrize("scenario", GOALS)
def test_budget(scenario: str) -> None:
    found = one(GOALS[scenario], economics={"budget": (2.5, "USD")})
    assert found.rejected.startswith("costs $") and found.rejected.endswith("; the budget is $2.50")


def test_precision() -> None:
    found = _without("bf16", "fp16", precision=("nvfp4",))
    assert found.rejected == "Alder has no published peak in fp4" and found.instances == 0


def _without(*dtypes: str, precision: tuple[str, ...]) -> Candidate:
    shop = provider(offer("node", "alder-x8", on_demand=16.0))
    (found,) = candidates(
        inputs(SERVE, devices=[device(dtypes=dtypes)], systems=[system()], providers=(shop,), precision=precision)
    )
    return found


def test_a_language_model_needs_a_format_of_16_bits() -> None:
    assert "16-bit" in _without("int8", precision=("int8",)).rejected


def test_a_part_sold_alone_needs_a_host() -> None:
    assert "sold without a host" in one(SERVE, needs_host=True).rejected
    with_host = one(SERVE, needs_host=True, economics={"host_price": (5000.0, "USD")})
    assert with_host.feasible


def test_hosts_are_paid_by_the_node() -> None:
    """Cards of a node of eight are bought one by one; each node has one host of 3,600, written off over 36 months."""
    shop = provider(offer("card", "alder-x8", devices=1, needs_host=True, owned=7200.0))
    (found,) = candidates(
        inputs(
            replace(SERVE, requests_per_second=300.0), devices=[device()], systems=[system()], providers=(shop,),
            economics={"host_price": (3600.0, "USD")},
        )
    )  # fmt: skip
    assert found.cost_parts["hosts"] == pytest.approx(-(-found.instances // 8) * 100)
    assert found.cost_parts["hardware"] == pytest.approx(found.instances * 200)


def test_no_layout_divides() -> None:
    """One sequence a step cannot be split over five devices, and neither can 16 heads or 24 layers."""
    found = one(replace(TRAIN, global_batch=1.0), devices=5)
    assert "no layout divides" in found.rejected


def test_training_on_devices_that_nothing_joins_has_a_reason() -> None:
    found = one(replace(TRAIN, global_batch=64.0), joined=False)
    assert not found.feasible and "–" not in found.rejected


def test_data_parallel_degrees_are_whole() -> None:
    """Six devices with tp = 4 would leave one and a half ranks."""
    shop = provider(offer("node", "alder-x6", on_demand=16.0))
    asked = inputs(replace(TRAIN, global_batch=48.0), devices=[device()], systems=[system(devices=6)], providers=(shop,))
    _, places = listings(asked)
    _, settings, _, machines = _settings(asked, places)
    assert asked.plan.train is not None
    dp = train.options(asked, asked.plan.train, places, settings, machines).rows.dp
    assert np.array_equal(dp, np.floor(dp))


def test_a_question_the_workload_cannot_be_asked() -> None:
    with pytest.raises(InputError, match="not a language model"):
        one(SERVE, workload=VISION)
    with pytest.raises(InputError, match="neither operations nor a network summary"):
        one(INFER, workload=LANGUAGE)
    with pytest.raises(InputError, match="longer than tiny-lm allows: 8,192"):
        one(replace(SERVE, input_tokens=8000.0, output_tokens=500.0))


def test_training_on_longer_sequences_than_the_model_has() -> None:
    with pytest.raises(InputError, match="longer than"):
        one(replace(TRAIN, sequence_length=100_000.0))


def emptied(**hardware: Any) -> str:
    economics = {"currency": hardware.pop("currency", "USD")}
    with pytest.raises(InputError, match="leave no offer at all") as caught:
        candidates(inputs(SERVE, hardware=hardware, economics=economics))
    return caught.value.hint


def test_an_empty_filter_says_which_one_emptied_it() -> None:
    assert "regions" in emptied(regions=("nowhere",)) and "here" in emptied(regions=("nowhere",))
    assert "the plan allows reserved_3y" in emptied(terms=("reserved_3y",))
    assert "EUR" in emptied(currency="EUR")


def test_an_empty_filter_of_kinds_says_so() -> None:
    assert "kind" in emptied(kinds=("fpga",))
