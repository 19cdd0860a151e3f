"""A lifetime's options to a Result: each model is a candidate whose cost is that of its life."""

import math
from dataclasses import replace

import numpy as np

from planner import units
from planner.decide.life_options import Option, all_options, limit, together
from planner.decide.life_setup import Setup, setup
from planner.decide.life_words import assumptions, exclusions, goal, scores, verdict
from planner.decide.lifetime import BreakEven, break_even, ladder, monthly, traffic, units_of
from planner.model import scaling
from planner.schema.inputs import Inputs
from planner.search.candidate import Candidate, Cited, Estimate
from planner.search.intervals import spreads
from planner.search.life import LifeTable, Lived, Plain
from planner.search.machines import LADDER
from planner.search.options import Tick, unheard
from planner.search.result import SCHEMA_VERSION, Result

DRAWN = 7
NOWHERE = "–"


def decide_life(inputs: Inputs, tick: Tick | None = None) -> Result:
    """Every model, ranked by what its life costs. Raises InputError where the plan asks what its model or the law cannot do."""
    k = setup(inputs, tick or unheard)
    found, every = all_options(k)
    found = sorted(found, key=lambda o: (bool(_rejected(k, o)), _total(k, o), o.label))
    candidates = tuple(_candidate(k, o) for o in found)
    table = _table(k, found, every)
    plan, life = inputs.plan, k.life
    assert inputs.life is not None
    dates = (c.cited[0].date for o in found[:1] for c in (o.run, o.nearest) if c and c.cited)
    said = [*spreads(inputs.intervals, "training"), *spreads(inputs.intervals, "serving"), f"Source: {inputs.intervals.source}"]
    return Result(
        schema_version=SCHEMA_VERSION, title=plan.title, scenario="lifetime", goal=goal(k), workload=inputs.workload.name,
        currency=plan.economics.currency, cost_period="lifetime", throughput_unit="output tokens/s", work_unit="million queries",
        demand=life.queries_per_day / units.DAY * life.output_tokens, candidates=candidates, front=(),
        verdict=verdict(k, table), assumptions=assumptions(k), exclusions=exclusions(), accuracy=tuple(said),
        oldest_price=min((d for d in dates if d), default=""), versions=dict(inputs.versions), hashes=dict(inputs.hashes),
        plan_text=inputs.plan_text, owner=plan.owner, date=plan.date.isoformat() if plan.date else "", status=plan.status,
        life=table,
    )  # fmt: skip


def _at(k: Setup) -> np.ndarray:
    return np.array([k.life.queries_per_day])


def _month(k: Setup, o: Option) -> float:
    return float(monthly(o.fleet, _at(k), limit(k))[0][0])


def _total(k: Setup, o: Option) -> float:
    return sum(o.making.values()) + k.life.months * _month(k, o)


def _rejected(k: Setup, o: Option) -> str:
    budget, total = k.inputs.plan.economics.budget, _total(k, o)
    over = budget is not None and total > budget[0]
    dear = f"costs {units.money(total, budget[1])}; the budget is {units.money(*budget)}" if budget and over else ""
    return o.rejected or dear


def _serving(k: Setup, o: Option) -> Candidate:
    """The offer that serves the plan's traffic for the least, in as many instances as that takes."""
    if not o.served:
        return o.nearest
    which = int(monthly(o.fleet, _at(k), limit(k))[1][0])
    c = o.served[which]
    count = int(units_of(o.fleet, _at(k))[0][which]) * together(c)
    scale = count / c.instances
    label = c.label.replace(f"{c.instances} × ", f"{count} × ", 1)
    return replace(
        c, label=label, instances=count, devices=int(c.devices * scale), cost=_times(c.cost, scale), power=c.power * scale,
        throughput=_times(c.throughput, scale), energy=_scaled(c.energy, scale), carbon=_scaled(c.carbon, scale),
        embodied=_scaled(c.embodied, scale), year=_scaled(c.year, scale),
    )  # fmt: skip


def _times(e: Estimate, factor: float) -> Estimate:
    return Estimate(e.value * factor, e.low * factor, e.high * factor, e.evidence)


def _candidate(k: Setup, o: Option) -> Candidate:
    """The serving candidate under the model's name, at the cost of its whole life."""
    c, months, run = _serving(k, o), k.life.months, o.run
    asked = k.life.queries_per_day * units.MONTH / units.DAY * months / 1e6
    made, month = sum(o.making.values()), _month(k, o)
    low, high = (run.cost.low / run.cost.value, run.cost.high / run.cost.value) if run else (1.0, 1.0)
    evidence = max((e.cost.evidence for e in (c, run) if e), key=LADDER.index)
    serving = _times(c.cost, month * months / c.cost.value if c.cost.value else 0.0)
    cost = Estimate(made + serving.value, made * low + serving.low, made * high + serving.high, evidence)
    known = math.isfinite(cost.value)
    cost = cost if known else Estimate(math.nan, math.nan, math.nan, evidence)
    parts = {**{n: v for n, v in o.making.items() if v}, "serving": serving.value} if known else {}
    energy = _plus(_scaled(c.energy, months), run.energy if run else None)
    unpriced = tuple(dict.fromkeys((*c.unpriced, *(run.unpriced if run else ()))))
    why = _rejected(k, o)
    ran = {"trained_on": f"{run.label}, {units.duration(run.latency['duration'].value)}"} if run and run.latency else {}
    return replace(
        c, label=o.label, cost=cost, cost_parts=parts, unit_cost=_times(cost, 1 / asked), precision=o.precision,
        layout={"served_on": c.label, **ran, **c.layout}, energy=energy, energy_per_unit=(energy or 0.0) / asked,
        carbon=_plus(_scaled(c.carbon, months), run.carbon if run else None), rejected=why, unpriced=unpriced,
        embodied=_plus(_scaled(c.embodied, months), run.embodied if run else None), upfront={}, monthly={}, resale=0.0, by_use=(),
        excess=1.0 if why else 0.0, cited=tuple(dict.fromkeys((*(c.cited), *(run.cited if run else ()), *_sources(k, o)))),
    )  # fmt: skip


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _plus(serving: float | None, run: float | None) -> float | None:
    """Of both phases; None where that of serving is not known."""
    return None if serving is None else serving + (run or 0.0)


def _sources(k: Setup, o: Option) -> tuple[Cited, ...]:
    assert k.inputs.life is not None
    sources, law, m = k.inputs.life.compression.sources, k.law, o.method
    value = f"E {law.e:g}, A {law.a:g}, B {law.b:g}, alpha {law.alpha:g}, beta {law.beta:g}"
    cited = [Cited("law of loss by parameters and tokens", value, law.source)]
    if m is None:
        return tuple(cited)
    for s in m.scores:
        cited.append(Cited(f"{m.name}: {s.benchmark}", f"{s.before:g}, then {s.after:g}", sources[s.source], note=s.note))
    if c := m.conversion:
        took = f"{c.device_hours:g} device-hours for {units.words(c.parameters)} parameters"
        cited.append(Cited(f"{m.name}: conversion", took, sources[c.source]))
    if r := m.retraining:
        took = f"{units.words(r.tokens)} tokens for {units.words(r.parameters)} parameters"
        cited.append(Cited(f"{m.name}: retraining", took, sources[r.source]))
    return tuple(cited)


def _table(k: Setup, found: list[Option], every: list[Option]) -> LifeTable:
    first = next(o for o in found if o.kind == "base")
    queries, most = traffic(k.life.queries_per_day), limit(k)
    base = first.cost(k.life, most)
    rows = tuple(_lived(k, o, None if o is first else break_even(o.cost(k.life, most), base, queries)) for o in found)
    choosable = [o for o in {o.label: o for o in (*every, *found)}.values() if not o.rejected]
    steps = ladder(queries, [o.cost(k.life, most)(queries) for o in choosable], _at(k)[0]) if choosable else []
    drawn = _drawn(first, found)
    return LifeTable(
        first.label, k.life.months, k.life.queries_per_day, k.target, k.law.source, rows, tuple(queries.tolist()),
        {o.label: tuple(o.cost(k.life, most)(queries).tolist()) for o in drawn},
        tuple((q, choosable[i].label) for q, i in steps), _plain(k),
    )  # fmt: skip


def _drawn(first: Option, found: list[Option]) -> list[Option]:
    """The base, the best of each kind, then the best of all, as many as a chart can tell apart."""
    kinds = [next((o for o in found if o.kind == kind), None) for kind in ("size", "quantised", "pruned", "distilled")]
    ranked = {o.label: o for o in (first, *(o for o in kinds if o), *found)}
    return [o for o in ranked.values() if np.isfinite(sum(o.making.values())) and o.served][:DRAWN]


def _lived(k: Setup, o: Option, pays: BreakEven | None) -> Lived:
    return Lived(
        o.label, o.kind, o.parameters, o.tokens, o.precision, o.making, o.run.label if o.run else NOWHERE,
        _serving(k, o).label if o.served else NOWHERE, _month(k, o), _total(k, o), pays.kind if pays else "",
        pays.queries if pays else math.nan, o.kept, scores(k, o), _rejected(k, o),
    )  # fmt: skip


def _plain(k: Setup) -> Plain:
    served = k.life.queries_per_day * units.MONTH / units.DAY * k.life.months * (k.life.input_tokens + k.life.output_tokens)
    best, once = scaling.of_life(k.law, k.target, served), scaling.of_loss(k.law, k.target)
    flop = [b.flop + 2 * b.parameters * served for b in (best, once)]
    return Plain(best.parameters, best.tokens, once.parameters, once.tokens, 1 - flop[0] / flop[1])
