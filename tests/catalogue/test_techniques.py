"""A plan asked again with each technique."""

from pathlib import Path

import pytest

from planner.catalogue.document import read
from planner.catalogue.plan import gather, read_plan
from planner.catalogue.profiles import PACKAGE, Profiles, user_folders
from planner.catalogue.techniques import BASE, variants
from planner.decide.techniques import compare
from planner.errors import InputError
from planner.schema.inputs import Inputs
from planner.schema.technique import Techniques, Variant

PLAN = """
title: t
workload: {model: llama-3.1-8b}
serve: {requests_per_second: 5, input_tokens: 1000, output_tokens: 200, tpot: 60 ms}
hardware: {systems: [nvidia-h100-sxm-x8, nvidia-l4-x8], terms: [on_demand]}
"""
WHERE = Path("plan.yaml")


def asked(text: str = PLAN) -> tuple[Inputs, Profiles]:
    catalogue = Profiles(user_folders(None))
    plan, _ = read_plan(WHERE, text)
    return gather(plan, text, WHERE, catalogue), catalogue


def of(*names: str, text: str = PLAN) -> dict[str, Variant]:
    inputs, catalogue = asked(text)
    return {v.id: v for v in variants(inputs, WHERE, catalogue, names)}


def test_every_technique_is_a_plan_and_says_what_it_costs_in_quality() -> None:
    found = of("all")
    known = read(PACKAGE / "data" / "techniques.yaml", Techniques)
    assert set(known.techniques) < set(found)
    assert all(v.caution for id, v in found.items() if id != "base")
    assert {"smaller-llama-3.2-3b", "together"} < set(found)


def test_alone_changes_nothing_else() -> None:
    found = of("kv-fp8", "prefix")
    base, cached = found["base"].inputs.plan, found["kv-fp8"].inputs.plan
    assert cached.serve and base.serve
    assert (base.serve.kv_cache, cached.serve.kv_cache) == ("bf16", "fp8")
    assert cached.serve.prefix_hit == 0 and base.workload.precision == ("bf16", "fp16")


def test_together_is_all_of_them_that_keep_what_is_said() -> None:
    together = of("all")["together"].inputs.plan
    assert together.serve and together.serve.kv_cache == "fp8" and together.serve.speculation and not together.workload.sparsity
    assert together.workload.precision[0] == "fp8"


def test_what_the_plan_knows_is_taken() -> None:
    plan = of("prefix", text=PLAN.replace("tpot: 60 ms", "prefix_hit: 80 %"))["prefix"].inputs.plan
    assert plan.serve and plan.serve.prefix_hit == 0.8


def test_names_that_are_none() -> None:
    with pytest.raises(InputError, match="fp8"):
        of("fp9")
    with pytest.raises(InputError, match="for serving"):
        of("all", text="title: t\nworkload: {model: resnet-50}\ninfer: {samples_per_second: 5}\n")


def test_savings_are_of_the_bases_cost_on_the_same_device() -> None:
    found = compare(list(of("fp8", "one-by-one").values()), lambda done, of: None)
    by = {row.id: dict(zip(found.devices, row.cells, strict=True)) for row in found.rows}
    for device in found.devices:
        base, fp8, alone = (by[row][device] for row in ("base", "fp8", "one-by-one"))
        if fp8.cost == fp8.cost and base.cost == base.cost:
            assert fp8.saves == pytest.approx(1 - fp8.cost / base.cost)
        if alone.cost == alone.cost:
            assert alone.saves == pytest.approx(1 - base.cost / alone.cost)
    assert BASE["serve"]["prefix_hit"] == 0
