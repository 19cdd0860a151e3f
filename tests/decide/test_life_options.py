"""A lifetime over made-up hardware: what each model costs is what the two searches say, and more traffic wants smaller ones."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner import units
from planner.catalogue.tables import compression
from planner.decide.decision import decide
from planner.decide.life_options import FORWARD, Option, all_options, limit
from planner.decide.life_setup import setup, short, size
from planner.decide.life_words import pays
from planner.errors import InputError
from planner.model import scaling
from planner.schema.hardware import TERMS
from planner.schema.inputs import Inputs, Life
from planner.schema.money import Rent
from planner.schema.plan import Distil, Lifetime, Model
from planner.schema.workload import Architecture, Moe, Workload
from planner.search import phases
from planner.search.options import unheard
from planner.search.result import Result
from tests.search.records import LANGUAGE, SOURCES, fleet, inputs, offer, provider

ASKED = Lifetime(queries_per_day=2e6, months=24.0, input_tokens=500.0, output_tokens=100.0, tokens=1e11, global_batch=64.0)
STUDENT = Workload(
    "tiny-student", "Tiny student", SOURCES,
    Architecture(hidden_size=1024, num_layers=12, num_heads=8, num_kv_heads=8, head_dim=128, ffn_size=2816,
                 vocab_size=32000, max_context=8192),
)  # fmt: skip


def asked(
    life: Lifetime = ASKED,
    *,
    workload: Workload = LANGUAGE,
    precision: tuple[str, ...] = (),
    training: Inputs | None = None,
    **more: Any,
) -> Inputs:
    """A lifetime of the made-up language model on the made-up fleet."""
    made = inputs(workload=workload, **more)
    plan = replace(made.plan, serve=None, lifetime=life, workload=Model(workload.id, precision))  # type: ignore[arg-type]
    trained = replace(training or made, plan=replace((training or made).plan, serve=None, lifetime=life))
    return replace(made, plan=plan, life=Life(trained, compression(), {"tiny-student": STUDENT, "tiny-lm": LANGUAGE}))


@pytest.fixture(scope="module")
def result() -> Result:
    return decide(asked())


def models(question: Inputs) -> dict[str, Option]:
    k = setup(question, unheard)
    return {o.label: o for o in all_options(k)[0]}


def test_the_record_is_whole(result: Result) -> None:
    assert result.scenario == "lifetime" and result.life and result.goal.startswith("2 million queries a day of 500 tokens in")
    assert [c.label for c in result.candidates] == [row.label for row in result.life.rows]
    able = [c for c in result.candidates if c.feasible]
    assert result.verdict.choice == able[0].label and able == sorted(able, key=lambda c: c.cost.value)
    assert result.verdict.flips and result.verdict.cautions and result.assumptions and result.exclusions and result.accuracy
    known = [c for c in result.candidates if not np.isnan(c.cost.value)]
    assert all(c.rejected.startswith("serving: ") for c in result.candidates if c not in known)
    for c in known:
        assert sum(c.cost_parts.values()) == pytest.approx(c.cost.value) and c.cost.low <= c.cost.value <= c.cost.high


def test_energy_is_that_of_training_and_of_every_month() -> None:
    question = asked(precision=("bf16",), economics={"carbon_intensity": 1e-7})
    found = next(c for c in decide(question).candidates if c.label == "Tiny LM, 1.3 billion, bf16")
    k = setup(question, unheard)
    run, serve = phases.training(question, k.base, 1e11)[0], phases.serving(question, k.base, "bf16")[0]
    assert run.energy and serve.energy and serve.carbon and run.carbon
    assert found.energy == pytest.approx(run.energy + 24 * serve.energy)
    assert found.carbon == pytest.approx(run.carbon + 24 * serve.carbon)
    assert found.energy_per_unit == pytest.approx((run.energy + 24 * serve.energy) / (2 * 24 * 730 / 24))


def test_the_chart_s_base_costs_at_the_plan_s_traffic_what_the_table_says(result: Result) -> None:
    assert result.life
    at = int(np.argmin(np.abs(np.array(result.life.queries) / 2e6 - 1)))
    assert result.life.queries[at] == pytest.approx(2e6)
    for label, curve in result.life.curves.items():
        row = next(r for r in result.life.rows if r.label == label)
        assert curve[at] == pytest.approx(row.total)


def test_each_phase_costs_what_its_own_search_says() -> None:
    """Nothing of a phase is counted otherwise than by ``planner report`` of a plan for that phase alone."""
    question = asked(precision=("bf16",))
    base = next(o for o in models(question).values() if o.kind == "base")
    k = setup(question, unheard)
    run = phases.training(question, k.base, 1e11)[0]
    serve = phases.serving(question, k.base, "bf16")[0]
    assert base.making == {"training": run.cost.value} and run.feasible and run.throughput.value > 0
    assert base.served[0].cost.value == serve.cost.value
    total = float(base.cost(ASKED, limit(k))(np.array([ASKED.queries_per_day]))[0])
    assert total == pytest.approx(run.cost.value + 24 * serve.cost.value)


def test_every_size_reaches_the_loss_and_all_but_the_base_s_neighbours_pay_in_training() -> None:
    k = setup(asked(precision=("bf16",)), unheard)
    sizes = [o for o in all_options(k)[0] if o.kind == "size"]
    assert len(sizes) >= 6
    for o in sizes:
        assert scaling.loss(k.law, o.parameters, o.tokens) == pytest.approx(k.target)
    assert min(o.parameters for o in sizes) < size(k.base) < max(o.parameters for o in sizes)


@pytest.mark.parametrize("law", ["epoch", "chinchilla", "sardana"])
def test_more_traffic_wants_smaller_models(law: Any) -> None:
    """The result of Sardana et al., by the planner's own searches instead of FLOP."""
    chosen = []
    for queries in (1e4, 1e7, 1e9):
        life = replace(ASKED, queries_per_day=queries, law=law)
        found = decide(asked(life, precision=("bf16",), hardware={"max_devices": 10**6}))
        assert found.life
        best = next(row for row in found.life.rows if row.kind in ("base", "size") and not row.rejected)
        chosen.append(best.parameters)
    assert chosen == sorted(chosen, reverse=True) and chosen[-1] < chosen[0] / 2


def test_a_model_that_is_there_already_costs_no_training() -> None:
    found = models(asked(replace(ASKED, trained=True), precision=("bf16",)))
    base = next(o for o in found.values() if o.kind == "base")
    assert base.making == {} and base.run is None and base.tokens == 0
    assert all(o.making["training"] > 0 for o in found.values() if o.kind == "size")


def test_a_student_pays_for_its_teacher_s_answers_and_for_the_teacher() -> None:
    """The teacher's forward pass is a third of training it on the same tokens; its own training counts unless it is there."""
    own = replace(ASKED, distil=(Distil("tiny-student", 1e10),))
    there = replace(ASKED, distil=(Distil("tiny-student", 1e10, "tiny-lm", teacher_trained=True),))
    k = setup(asked(own, precision=("bf16",)), unheard)
    taught = next(o for o in all_options(k)[0] if o.kind == "distilled")
    again = k.trained(k.base, 1e10)[0].cost.value
    assert taught.making["teacher"] == pytest.approx(FORWARD * again)
    assert taught.making["training"] == pytest.approx(k.trained(k.base, 1e11)[0].cost.value)
    assert np.isnan(taught.kept) and "measure it before it is chosen" in taught.rejected
    other = next(o for o in models(asked(there, precision=("bf16",))).values() if o.kind == "distilled")
    assert "training" not in other.making and other.making["retraining"] == taught.making["retraining"]


def test_conversion_takes_gptq_s_hours_at_what_serving_hours_cost() -> None:
    """4 device-hours for 175e9 parameters (arXiv:2210.17323): 1.3e9 take 0.03 h at what an hour of a device costs."""
    k = setup(asked(precision=("bf16", "fp8")), unheard)
    coarse = next(o for o in all_options(k)[0] if o.kind == "quantised")
    hour = coarse.served[0].cost.value / coarse.served[0].devices / 730
    assert coarse.making["conversion"] == pytest.approx(4 / 175e9 * size(k.base) * hour)
    assert coarse.kept == pytest.approx(73.44 / 73.79)


def test_quality_decides_what_may_be_chosen() -> None:
    strict = decide(asked(replace(ASKED, quality=1.0), precision=("bf16", "fp8")))
    loose = decide(asked(replace(ASKED, quality=0.9), precision=("bf16", "fp8")))
    assert strict.life and loose.life
    rejected = {r.label: r.rejected for r in strict.life.rows}
    assert "keeps 99.5 %" in rejected["Tiny LM, 1.3 billion, fp8"]
    assert not next(r for r in loose.life.rows if r.label == "Tiny LM, 1.3 billion, fp8").rejected
    assert all("fp8" not in label for _, label in strict.life.ladder)


def test_the_phases_may_have_different_hardware() -> None:
    """Only birch trains, only alder serves."""
    devices, systems, _ = fleet()
    shop = provider(offer("birch.8", "birch-x8", on_demand=24.0))
    training = inputs(devices=devices[1:2], systems=systems[1:2], providers=(shop,))
    serving = provider(offer("alder.1", "alder-x8", devices=1, on_demand=2.0))
    found = decide(asked(training=training, devices=devices[:1], systems=systems[:1], providers=(serving,), precision=("bf16",)))
    assert found.life
    assert all("birch" in r.trained_on and "alder" in r.served_on for r in found.life.rows if r.kind in ("base", "size"))


def test_thinned_offers_lose_no_best_one() -> None:
    """Of two shops the dearer one's same instance is dropped, and the answer stays."""
    devices, systems, shop = fleet()
    dear = provider(offer("alder.1", "alder-x8", devices=1, on_demand=9.0, spot=0.5), id="dear")
    both = inputs(devices=devices, systems=systems, providers=(shop, dear), hardware={"terms": ("on_demand", "spot")})
    kept = {(p.id, o.id, t) for p in phases.thinned(both).providers for o in p.offers for t in TERMS if getattr(o.prices, t)}
    assert kept == {
        ("shop", "alder.1", "on_demand"), ("shop", "alder.8", "on_demand"), ("dear", "alder.1", "spot"),
        ("shop", "birch.1", "on_demand"), ("shop", "birch.8", "on_demand"), ("shop", "cedar.1", "on_demand"),
        ("shop", "cedar.8", "on_demand"),
    }  # fmt: skip
    wants = replace(both, plan=replace(both.plan, rent=Rent(egress=1e12)))
    assert {p.id for p in phases.thinned(wants).providers for o in p.offers if o.prices.on_demand} == {"shop", "dear"}


def test_a_budget_is_of_the_whole_life(result: Result) -> None:
    assert result.life
    poor = result.life.rows[0].total * 0.99
    found = decide(asked(economics={"budget": (poor, "USD")}))
    assert found.life and "the budget is" in found.life.rows[0].rejected and found.verdict.choice == ""


def test_what_cannot_be_trained_in_time_says_why() -> None:
    found = decide(asked(replace(ASKED, deadline=units.HOUR), precision=("bf16",)))
    assert not found.verdict.choice and found.verdict.headline.startswith("Nothing fits")
    assert all(c.rejected.startswith("training: ") for c in found.candidates)


@pytest.mark.parametrize(
    ("life", "says"),
    [
        (replace(ASKED, tokens=None, loss=1.8), "no model reaches a loss of 1.8: the law's floor is 1.8172"),
        (replace(ASKED, tokens=None, loss=1.85), "reaches no loss of 1.85 on any data: its bound is 2.1"),
    ],
)
def test_a_loss_out_of_reach_names_the_bound(life: Lifetime, says: str) -> None:
    with pytest.raises(InputError, match=says):
        decide(asked(life))


@pytest.mark.parametrize(
    ("change", "says"),
    [({"moe": Moe(8, 2, 5632)}, "is a mixture of experts"), ({"causal": False}, "is an encoder")],
)
def test_models_that_the_laws_are_not_of(change: dict[str, Any], says: str) -> None:
    assert LANGUAGE.architecture
    with pytest.raises(InputError, match=says):
        decide(asked(workload=replace(LANGUAGE, architecture=replace(LANGUAGE.architecture, **change))))


def test_pays_in_words(result: Result) -> None:
    assert result.life
    for row in result.life.rows:
        said = pays(row, result.life)
        assert (said == "") == (row.kind == "base") and said.split(" ")[0] in ("", "from", "up", "at")


def test_sizes_are_named_shortly() -> None:
    assert [short(x) for x in (8.03e9, 410e6, 1.2e12)] == ["8.03B", "410M", "1.2T"]
