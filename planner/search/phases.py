"""The two phases of a model's life by the search of each: what training a model costs, and what answering with it costs."""

from dataclasses import replace
from typing import Literal

from planner import units
from planner.schema.goals import Serve, Train
from planner.schema.hardware import Offer, Prices
from planner.schema.inputs import Inputs
from planner.schema.plan import Lifetime, Plan
from planner.schema.workload import Architecture
from planner.search.candidate import Candidate
from planner.search.find import candidates
from planner.search.listings import NOBODY, Listing, listings
from planner.search.money import AMOUNTS
from planner.search.options import Tick

MANY = 10**9
SEQUENCE = 4096.0


def training(inputs: Inputs, a: Architecture, tokens: float, tick: Tick | None = None) -> list[Candidate]:
    """Every training offer for a model of this shape on so many tokens, the cheapest that can do it first."""
    assert inputs.life is not None
    life, of = _life(inputs.plan), inputs.life.training
    sequence = life.sequence_length or min(SEQUENCE, float(a.max_context))
    goal = Train(life.global_batch, tokens, sequence, deadline=life.deadline)
    plan = replace(_asked(of.plan, life.training_precision), train=goal)
    return candidates(_about(of, plan, a), tick)


def serving(inputs: Inputs, a: Architecture, precision: str, sparsity: Literal["", "2:4"] = "") -> list[Candidate]:
    """Every serving offer for a model of this shape at the plan's traffic, the cheapest that can do it first.

    None is out for the number of its devices: at less traffic it would need fewer.
    """
    life = _life(inputs.plan)
    goal = Serve(life.input_tokens, life.output_tokens, life.queries_per_day / units.DAY, ttft=life.ttft, tpot=life.tpot)
    plan = _asked(inputs.plan, precision)
    plan = replace(plan, workload=replace(plan.workload, sparsity=sparsity))
    plan = replace(plan, serve=goal, hardware=replace(plan.hardware, max_devices=MANY))
    return candidates(_about(inputs, plan, a))


def thinned(inputs: Inputs) -> Inputs:
    """With only the cheapest of the offers that sell the same instance on the same term: no other can be the best for a model.

    A life asks about dozens of models, and each search looks at every offer it is given. Where the plan wants services too,
    each provider's cheapest stays: what they cost differs.
    """
    rent = inputs.plan.rent
    apart = rent.load_balancers or any(getattr(rent, name) for name in AMOUNTS)
    best: dict[tuple[object, ...], Listing] = {}
    for listing in sorted((x for x in listings(inputs)[0] if x.price.source != NOBODY), key=lambda x: x.amount):
        who = listing.provider.id if apart else ""
        best.setdefault((listing.place, listing.term, listing.offer.needs_host, who), listing)
    offers: dict[str, list[Offer]] = {}
    for x in best.values():
        offers.setdefault(x.provider.id, []).append(replace(x.offer, prices=Prices(**{x.term: x.price})))
    kept = (replace(p, offers=tuple(offers[p.id])) for p in inputs.providers if p.id in offers)
    return replace(inputs, providers=tuple(kept)) if offers else inputs


def _life(plan: Plan) -> Lifetime:
    assert plan.lifetime is not None
    return plan.lifetime


def _asked(plan: Plan, precision: str) -> Plan:
    """The plan of one phase in one precision; a budget is of the whole life, not of a phase."""
    model = replace(plan.workload, precision=(precision,))  # type: ignore[arg-type]
    return replace(plan, workload=model, lifetime=None, economics=replace(plan.economics, budget=None))


def _about(inputs: Inputs, plan: Plan, a: Architecture) -> Inputs:
    return replace(inputs, plan=plan, workload=replace(inputs.workload, architecture=a), life=None)
