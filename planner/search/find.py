"""A plan's candidates: every listing with the option that serves the goal best on it, and why others are out."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from planner import units
from planner.errors import InputError
from planner.model.columns import Array, Columns
from planner.model.operation import Machine
from planner.schema.inputs import Inputs
from planner.schema.precision import RECIPES, SPARSE
from planner.search import capacity, drivers, estimate, infer, layout_space, networks, serve, train, train_networks
from planner.search import intervals as bounds
from planner.search.bills import bills
from planner.search.blank import blank
from planner.search.candidate import Candidate, Estimate
from planner.search.cite import cited
from planner.search.intervals import about, around, task_of
from planner.search.listings import Listing, Place, listings
from planner.search.machines import USUAL_STACKS, Found, Setting, arithmetic, in_fp8_blocks, machine, used, weakest
from planner.search.options import Explained, Options, Tick
from planner.search.reasons import bottleneck, from_where, hostless, impossible, reason, unpriced

EXPLORED = 8
"""Devices whose best candidate gets the figures that only charts of a few show."""
USUAL = {"serve": ("fp8", "bf16"), "train": ("bf16",), "infer": ("int8", "fp16")}


def candidates(inputs: Inputs, tick: Tick | None = None) -> list[Candidate]:
    """One candidate a listing: those that can do it by cost, then those that cannot by how near they come."""
    listed, places = listings(inputs)
    if inputs.plan.capacity:
        return _distinctly(sorted(capacity.candidates(inputs, inputs.plan.capacity, listed, places), key=_rank))
    goal: Any = getattr(inputs.plan, inputs.plan.scenario)
    learns = train if inputs.workload.architecture else train_networks
    module: Any = {"serve": serve, "train": learns, "infer": infer}[inputs.plan.scenario]
    _suits(inputs)
    settings, table, found, machines = _settings(inputs, places)
    if not settings:
        return [_impossible(inputs, listing, places[listing.place]) for listing in listed]
    with np.errstate(all="ignore"):
        more = {"tick": tick} if module is train and tick else {}  # the one search that may take its time
        options: Options = module.options(inputs, goal, places, table, machines, **more)
        best = options.best()
        explained: Explained = module.explain(inputs, goal, options.rows.take(best), machines)
        of_place = {int(p): i for i, p in enumerate(options.rows.place[best])}
        able = [listing for listing in listed if listing.place in of_place]
        index = [of_place[listing.place] for listing in able]
        rows = _working(inputs, able, explained.rows.take(index))
        bill = bills(inputs, able, places, rows, machines.device.take(rows.setting))
    made: list[tuple[Candidate, int | None]] = [
        (_impossible(inputs, listing, places[listing.place]), None) for listing in listed if listing.place not in of_place
    ]
    for at, (listing, i) in enumerate(zip(able, index, strict=True)):
        excess = {name: float(values[best[i]]) for name, values in options.excess.items()}
        start = replace(blank(inputs, listing, places[listing.place], int(rows.instances[at])), **bill.fields(at))
        power = (float(bill.idle[at]), float(bill.full[at]))
        one = _Row(listing, places[listing.place], i, float(rows.lost[at]), excess, power)
        made.append((_candidate(inputs, start, one, explained, machines, found), i))
    return _distinctly(_explored(sorted(made, key=lambda pair: _rank(pair[0])), options, explained))


def _explored(ranked: list[tuple[Candidate, int | None]], options: Options, explained: Explained) -> list[Candidate]:
    """The best on each device, up to EXPLORED devices, with their operators and what other batches would do."""
    seen: set[str] = set()
    found = []
    for c, i in ranked:
        if i is not None and c.device not in seen and len(seen) < EXPLORED:
            seen.add(c.device)
            row = explained.rows.take([i])
            c = replace(c, operations=drivers.operations(explained, i), curve=drivers.curve(options, row))  # noqa: PLW2901
        found.append(c)
    return found


def _working(inputs: Inputs, listed: Sequence[Listing], rows: Columns) -> Columns:
    """Rows of the chosen options by listing, with how hard they work and what spot makes them lose."""
    rate, day = rows.rate, inputs.plan.daily
    peak = np.full(len(rows), 1.0) if inputs.plan.ends else np.minimum(1.0, demand(inputs) / rate)
    kept = rows.instances - inputs.plan.spare
    each = rate / rows.instances * inputs.plan.fullness
    needed = kept if inputs.plan.ends else np.minimum(demand(inputs) / each, kept)
    return rows.with_(load=peak * (float(np.mean(day)) if day else 1.0), needed=needed, lost=_interrupted(inputs, listed, rows))


def _rank(c: Candidate) -> tuple[float, float, str]:
    """Feasible ones by cost; then the rejected by how many times over the worst limit they are."""
    cost = c.cost.value if math.isfinite(c.cost.value) else math.inf
    return (0.0, cost, c.label) if c.feasible else (c.excess, cost, c.label)


def _distinctly(found: list[Candidate]) -> list[Candidate]:
    """Labels made unique: sellers that use the same name for an offer are told apart by theirs."""
    often = Counter(c.label for c in found)
    named = [replace(c, label=f"{c.label}, {c.provider}") if often[c.label] > 1 else c for c in found]
    seen: Counter[str] = Counter()
    for i, c in enumerate(named):
        seen[c.label] += 1
        if seen[c.label] > 1:
            named[i] = replace(c, label=f"{c.label} ({seen[c.label]})")
    return named


def _suits(inputs: Inputs) -> None:
    """A model that cannot be asked this is an error of the plan, not of the hardware."""
    scenario, workload = inputs.plan.scenario, inputs.workload
    train_networks.suits(inputs)
    if scenario == "serve" and workload.architecture is None:
        what = f"'{workload.id}' is not a language model, so it cannot be asked to '{scenario}'"
        raise InputError(what, hint="Use 'infer:' or 'train:'.")
    if scenario == "infer" and workload.network is None and workload.graph is None:
        what = f"'{workload.id}' has neither operations nor a network summary, so it cannot be asked to 'infer'"
        raise InputError(what, hint="Use 'serve:' or 'train:'.")
    longest = workload.architecture.max_context if workload.architecture else 0
    plan = inputs.plan
    asked = (
        plan.serve.input_tokens + plan.serve.output_tokens if plan.serve else plan.train.sequence_length if plan.train else 0.0
    )
    if longest and asked > longest:
        raise InputError(f"a context of {asked:,.0f} tokens is longer than {workload.id} allows: {longest:,}")


def _settings(inputs: Inputs, places: Sequence[Place]) -> tuple[list[Setting], Columns, list[dict[str, Found]], Machine]:
    """Every place in every precision that the plan accepts and the device computes in."""
    precisions = inputs.plan.workload.precision or USUAL[inputs.plan.scenario]
    settings, place, code = [], [], []
    for index, p in enumerate(places):
        for precision in precisions:
            if arithmetic(p.device, precision) and not networks.unsuited(inputs.workload, p.device):
                whole = inputs.plan.train and not inputs.workload.architecture  # no training program was measured on networks
                stacks, serve = () if whole else USUAL_STACKS[inputs.plan.scenario], inputs.plan.serve
                cache, sparse = serve.kv_cache if serve else "", bool(inputs.plan.workload.sparsity)
                if sparse and RECIPES[precision].weight not in SPARSE:
                    continue
                blocks = serve is not None and in_fp8_blocks(inputs.workload.architecture)
                settings.append(Setting(p.device, p.system, precision, stacks, serve is not None, cache, sparse, blocks))
                place.append(index)
                code.append(estimate.PRECISIONS.index(precision))
    if not settings:
        return [], Columns(length=0), [], Machine(Columns(length=0), {})
    machines, found = machine(settings, inputs.calibrations.get)
    known = np.isfinite(machines.device.peak) & networks.timed(inputs.workload, machines)
    if not inputs.workload.architecture and "attention" in networks.laws(inputs.workload):
        known &= np.isfinite(machines.device.peak_half)
    if inputs.workload.architecture:
        known &= np.isfinite(machines.device.peak_half) & np.isfinite(machines.device.capacity)
    keep = np.flatnonzero(known)
    table = Columns(place=np.array(place), precision=np.array(code)).take(keep)
    return [settings[i] for i in keep], table, [found[i] for i in keep], machines.take(keep)


@dataclass(frozen=True)
class _Row:
    """A listing, its place, its row among the explained, how much longer spot makes it take, and how far over each limit."""

    listing: Listing
    place: Place
    index: int
    lost: float
    excess: dict[str, float]
    power: tuple[float, float]
    """Watts of all its instances without load and fully loaded."""


def _candidate(
    inputs: Inputs, made: Candidate, one: _Row, e: Explained, machines: Machine, found: Sequence[dict[str, Found]]
) -> Candidate:
    """``made`` with what it does, how sure that is, and why it is out, if it is."""
    listing, place, i, lost = one.listing, one.place, one.index, one.lost
    row = e.rows.take([i])
    setting, precision = int(row.setting[0]), estimate.PRECISIONS[int(row.precision[0])]
    device = machines.device.take([setting])
    laws = found[setting]
    evidence = weakest(laws, *(("matmul",) if inputs.workload.architecture else networks.laws(inputs.workload)))
    graph = inputs.workload.graph is not None
    inside = bool(networks.inside(inputs.workload, machines)[setting])
    task = task_of(inputs.plan.scenario, graph=graph, kind=place.device.kind)
    total = sum(made.cost_parts.values())
    millions = work(inputs, float(row.hours[0]) * lost) / 1e6
    near = about(inputs.plan.scenario, place.device.kind, inputs.workload, laws)
    spread = around(total, inputs.intervals, task, evidence, near)
    over = {**one.excess, **_budget(inputs, total)}
    why = hostless(inputs, listing) or reason(over, inputs, place, e, i, device) or unpriced(listing)
    why += from_where(inputs, place, machines, setting) if why and not over.get("memory", 0) <= 1 else ""
    worst = max((math.inf if math.isnan(x) else x for x in over.values()), default=math.inf)
    return replace(
        made, devices=int(row.devices[0]), precision=precision, layout=_layout(inputs, row),
        throughput=around(float(row.rate[0]) / lost, inputs.intervals, task, evidence, near),
        latency={
            k: around(
                float(v[i]) * lost, inputs.intervals, task_of(inputs.plan.scenario, k, graph=graph, kind=place.device.kind),
                evidence, near,
            )
            for k, v in e.latency.items()
        },
        cost=spread, unit_cost=Estimate(total / millions, spread.low / millions, spread.high / millions, evidence),
        memory={k: float(v[i]) for k, v in e.memory.items()}, memory_capacity=float(e.capacity[i]),
        time={k: float(v[i]) for k, v in e.one.parts.items() if v[i] > 0},
        bottleneck=bottleneck(e.one, i, device), energy_per_unit=(made.energy or 0.0) / millions,
        mfu=float(e.model_flop[i] / e.one.seconds[i] / device.peak[0]),
        mbu=math.nan if inside else float(e.one.moved[i] / e.one.seconds[i] / device.bandwidth[0]),
        rejected=why, goodput=float(row.goodput[0]) / lost if "goodput" in row else 1.0, excess=max(worst, 1.0) if why else 0.0,
        cited=(*cited(listing, place, precision, used(laws, inputs.workload)),
               bounds.cited(inputs.intervals, task, evidence, near)),
        drivers=drivers.drivers(listing, place, e, i, one.power, inputs.plan.spare),
        peaks=(float(device.peak[0]), float(device.bandwidth[0])),
    )  # fmt: skip


def demand(inputs: Inputs) -> float:
    """What the goal needs at its peak, in work a second; 0 for training without a deadline; devices where they are the goal."""
    plan = inputs.plan
    if plan.serve:
        return plan.serve.rate * plan.serve.output_tokens * plan.sites
    if plan.infer:
        return plan.infer.rate * plan.sites
    if plan.capacity:
        return float(plan.capacity.devices)
    assert plan.train is not None
    return plan.train.amount / plan.train.deadline if plan.train.deadline else 0.0


def work(inputs: Inputs, hours: float) -> float:
    """Tokens or samples that the costs are for: those of so many hours, or all of what ends."""
    plan = inputs.plan
    if plan.serve and plan.serve.requests:
        return plan.serve.requests * plan.serve.output_tokens * plan.sites
    busy = float(np.mean(plan.daily)) if plan.daily else 1.0
    return plan.train.amount if plan.train else demand(inputs) * busy * hours * units.HOUR


def _interrupted(inputs: Inputs, listed: Sequence[Listing], rows: Columns) -> Array:
    """How many times longer a training run takes on instances that are taken away now and then (L,)."""
    goal, spot = inputs.plan.train, np.array([listing.term == "spot" for listing in listed])
    if goal is None or not spot.any():
        return np.ones(len(rows))
    return np.where(spot, train.goodput(inputs, goal, rows) / train.goodput(inputs, goal, rows, spot=True), 1.0)


def _budget(inputs: Inputs, total: float) -> dict[str, float]:
    budget = inputs.plan.economics.budget
    return {"budget": total / budget[0]} if budget else {}


LAYOUTS = {
    "serve": ("tp", "pp", "adp", "ep", "batch"),
    "infer": ("batch",),
    "train": ("tp", "cp", "pp", "dp", "ep", "zero_stage", "micro_batch"),
}
"""What a layout says of a row, by scenario."""


def _layout(inputs: Inputs, row: Columns) -> dict[str, int | str]:
    scenario = inputs.plan.scenario
    if scenario == "train" and inputs.workload.architecture is None:
        return {n: int(row[n][0]) for n in ("dp", "batch", "micro_steps") if row[n][0] > 1}
    names = [*LAYOUTS[scenario], *(("prefill_tp", "prefill_instances") if "apart" in row and row.apart[0] else ())]
    layout: dict[str, int | str] = {n: int(row[n][0]) for n in names}
    return layout | (layout_space.named(row) if scenario == "train" else {})


def _impossible(inputs: Inputs, listing: Listing, place: Place) -> Candidate:
    """A listing that no option could even be formed for."""
    wanted = inputs.plan.workload.precision or USUAL[inputs.plan.scenario]
    return replace(blank(inputs, listing, place), rejected=impossible(inputs, place, wanted))
