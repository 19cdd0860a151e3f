"""A plan's candidates: every listing with the option that serves the goal best on it, and why others are out."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from planner import units
from planner.errors import InputError
from planner.model import cost
from planner.model.columns import Columns
from planner.model.operation import Machine
from planner.schema.inputs import Inputs
from planner.schema.precision import RECIPES
from planner.search import estimate, infer, layout_space, serve, train
from planner.search.cite import cited
from planner.search.intervals import around, task_of
from planner.search.listings import NOBODY, Listing, Place, listings
from planner.search.machines import USUAL_STACKS, Found, Setting, arithmetic, machine, used, weakest
from planner.search.options import Explained, Options, Tick
from planner.search.reasons import bottleneck, reason
from planner.search.result import Candidate, Estimate

USUAL = {"serve": ("fp8", "bf16"), "train": ("bf16",), "infer": ("int8", "fp16")}
NOTHING = Estimate(float("nan"), float("nan"), float("nan"), "datasheet")


def candidates(inputs: Inputs, tick: Tick | None = None) -> list[Candidate]:
    """One candidate a listing: those that can do it by cost, then those that cannot by how near they come."""
    goal: Any = getattr(inputs.plan, inputs.plan.scenario)
    module: Any = {"serve": serve, "train": train, "infer": infer}[inputs.plan.scenario]
    _suits(inputs)
    listed, places = listings(inputs)
    settings, table, found, machines = _settings(inputs, places)
    if not settings:
        return [_impossible(inputs, listing, places[listing.place]) for listing in listed]
    with np.errstate(all="ignore"):
        more = {"tick": tick} if inputs.plan.train and tick else {}  # the one search that may take its time
        options: Options = module.options(inputs, goal, places, table, machines, **more)
        best = options.best()
        explained: Explained = module.explain(inputs, goal, options.rows.take(best), machines)
    of_place = {int(p): i for i, p in enumerate(options.rows.place[best])}
    made = []
    for listing in listed:
        i = of_place.get(listing.place)
        if i is None:
            made.append(_impossible(inputs, listing, places[listing.place]))
            continue
        excess = {name: float(values[best[i]]) for name, values in options.excess.items()}
        made.append(_candidate(inputs, listing, places[listing.place], explained, i, excess, machines, found))
    return _distinctly(sorted(made, key=_rank))


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
    if scenario in ("serve", "train") and workload.architecture is None:
        raise InputError(f"'{workload.id}' is not a language model, so it cannot be asked to '{scenario}'", hint="Use 'infer:'.")
    if scenario == "infer" and workload.network is None:
        raise InputError(
            f"'{workload.id}' has no network summary, so it cannot be asked to 'infer'", hint="Use 'serve:' or 'train:'."
        )
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
            if arithmetic(p.device, precision):
                stacks, served = USUAL_STACKS[inputs.plan.scenario], inputs.plan.scenario == "serve"
                settings.append(Setting(p.device, p.system, precision, stacks, quantised_cache=served))
                place.append(index)
                code.append(estimate.PRECISIONS.index(precision))
    if not settings:
        return [], Columns(length=0), [], Machine(Columns(length=0), {})
    machines, found = machine(settings, inputs.calibrations.get)
    known = np.isfinite(machines.device.peak) & np.isfinite(machines.device.bandwidth)
    if inputs.workload.architecture:
        known &= np.isfinite(machines.device.peak_half) & np.isfinite(machines.device.capacity)
    keep = np.flatnonzero(known)
    table = Columns(place=np.array(place), precision=np.array(code)).take(keep)
    return [settings[i] for i in keep], table, [found[i] for i in keep], machines.take(keep)


def _candidate(
    inputs: Inputs, listing: Listing, place: Place, e: Explained, i: int, excess: dict[str, float], machines: Machine,
    found: Sequence[dict[str, Found]],
) -> Candidate:  # fmt: skip
    row = e.rows.take([i])
    setting, precision = int(row.setting[0]), estimate.PRECISIONS[int(row.precision[0])]
    device = machines.device.take([setting])
    laws = found[setting]
    evidence = weakest(laws, "network" if inputs.workload.network and inputs.plan.scenario == "infer" else "matmul")
    task = task_of(inputs.plan.scenario, kind=place.device.kind)
    instances = int(row.instances[0])
    load = 1.0 if inputs.plan.ends else min(1.0, demand(inputs) / float(row.rate[0]))
    power = cost.power(device, row.devices, np.array([load]))[0]
    lost = _interrupted(inputs, listing, row)
    hours = float(row.hours[0]) * lost
    parts = _money(inputs, listing, place, instances, hours, float(power))
    total = sum(parts.values())
    millions = work(inputs, hours) / 1e6
    spread = around(total, inputs.intervals, task, evidence)
    over = {**excess, **_budget(inputs, total)}
    why = _hostless(inputs, listing) or reason(over, inputs, place, e, i) or _unpriced(inputs, listing)
    why += _from_where(inputs, place, machines, setting) if why and not over.get("memory", 0) <= 1 else ""
    worst = max((math.inf if math.isnan(x) else x for x in over.values()), default=math.inf)
    carbon = inputs.plan.economics.carbon_intensity
    joules = float(power) * inputs.plan.economics.pue * hours * units.HOUR
    return Candidate(
        label=f"{instances} × {listing.offer.id}, {_priced(listing)}" + _where(inputs, listing),
        provider=listing.provider.id, region=listing.offer.region, offer=listing.offer.id, term=listing.term,
        system=place.system.id, system_name=place.system.name, device=place.device.id, device_name=place.device.name,
        kind=place.device.kind, instances=instances, devices=int(row.devices[0]),
        precision=precision, layout=_layout(inputs, row),
        throughput=around(float(row.rate[0]) / lost, inputs.intervals, task, evidence),
        latency={
            k: around(float(v[i]) * lost, inputs.intervals, task_of(inputs.plan.scenario, k, place.device.kind), evidence)
            for k, v in e.latency.items()
        },
        cost=spread, cost_parts=parts,
        unit_cost=Estimate(total / millions, spread.low / millions, spread.high / millions, evidence),
        memory={k: float(v[i]) for k, v in e.memory.items()}, memory_capacity=float(e.capacity[i]),
        time={k: float(v[i]) for k, v in e.one.parts.items() if v[i] > 0},
        bottleneck=bottleneck(e.one, i, device), power=float(power),
        energy_per_unit=joules / millions, carbon=None if carbon is None else joules * carbon,
        mfu=float(e.model_flop[i] / e.one.seconds[i] / device.peak[0]),
        mbu=float(e.one.moved[i] / e.one.seconds[i] / device.bandwidth[0]),
        rejected=why, goodput=float(row.goodput[0]) / lost if "goodput" in row else 1.0, excess=max(worst, 1.0) if why else 0.0,
        cited=cited(listing, place, precision, used(inputs.plan.scenario, laws, inputs.workload.architecture)),
    )  # fmt: skip


def demand(inputs: Inputs) -> float:
    """What the goal needs, in work a second; 0 for training without a deadline."""
    plan = inputs.plan
    if plan.serve:
        return plan.serve.rate * plan.serve.output_tokens
    if plan.infer:
        return plan.infer.rate
    assert plan.train is not None
    return plan.train.tokens / plan.train.deadline if plan.train.deadline else 0.0


def work(inputs: Inputs, hours: float) -> float:
    """Tokens or samples that the costs are for: those of so many hours, or all of what ends."""
    plan = inputs.plan
    if plan.serve and plan.serve.requests:
        return plan.serve.requests * plan.serve.output_tokens
    return plan.train.tokens if plan.train else demand(inputs) * hours * units.HOUR


def _money(inputs: Inputs, listing: Listing, place: Place, instances: int, hours: float, watts: float) -> dict[str, float]:
    """What the period costs by part; rent includes power and hosting, an owned machine pays its own."""
    economics = inputs.plan.economics
    if listing.term != "owned":
        return {"rent": cost.rent(listing.price.amount, instances, hours)}
    parts = {"hardware": cost.written_off(listing.price.amount, instances, hours, economics.horizon)}
    if listing.offer.needs_host and economics.host_price:
        nodes = math.ceil(instances * place.devices / place.system.devices)
        parts["hosts"] = cost.written_off(economics.host_price[0], nodes, hours, economics.horizon)
    return parts | {"electricity": cost.energy(watts, hours, economics.pue, economics.electricity[0])}


def _interrupted(inputs: Inputs, listing: Listing, row: Columns) -> float:
    """How many times longer a training run takes on instances that are taken away now and then."""
    goal = inputs.plan.train
    if goal is None or listing.term != "spot":
        return 1.0
    return float(train.goodput(inputs, goal, row)[0] / train.goodput(inputs, goal, row, spot=True)[0])


def _hostless(inputs: Inputs, listing: Listing) -> str:
    alone = listing.offer.needs_host and inputs.plan.economics.host_price is None
    return "is sold without a host; economics.host_price would include one" if alone else ""


def _unpriced(inputs: Inputs, listing: Listing) -> str:
    unpriced = listing.price.source == NOBODY
    return "has no price in the catalogue: an offer of your own (--profiles DIR) would give it one" if unpriced else ""


def _from_where(inputs: Inputs, place: Place, machines: Machine, setting: int) -> str:
    """From how many devices on a training run would fit, where that is more than the plan allows."""
    if inputs.plan.train is None:
        return ""
    devices = train.fits_from(inputs, inputs.plan.train, place, machines.take(np.array([setting])))
    return f"; it would from {devices:,} devices on" if devices else ""


def _budget(inputs: Inputs, total: float) -> dict[str, float]:
    budget = inputs.plan.economics.budget
    return {"budget": total / budget[0]} if budget else {}


def _layout(inputs: Inputs, row: Columns) -> dict[str, int | str]:
    names = {"serve": ("tp", "batch"), "infer": ("batch",), "train": ("tp", "cp", "pp", "dp", "ep", "zero_stage", "micro_batch")}
    layout: dict[str, int | str] = {n: int(row[n][0]) for n in names[inputs.plan.scenario]}
    return layout | (layout_space.named(row) if inputs.plan.scenario == "train" else {})


def _priced(listing: Listing) -> str:
    return "without a price" if listing.price.source == NOBODY else _term(listing.term)


def _term(term: str) -> str:
    return {"on_demand": "on demand", "reserved_1y": "1 year", "reserved_3y": "3 years"}.get(term, term)


def _where(inputs: Inputs, listing: Listing) -> str:
    return f", {listing.offer.region}" if inputs.plan.hardware.regions and listing.offer.region else ""


def _impossible(inputs: Inputs, listing: Listing, place: Place) -> Candidate:
    """A listing that no option could even be formed for."""
    wanted = inputs.plan.workload.precision or USUAL[inputs.plan.scenario]
    able = [p for p in wanted if arithmetic(place.device, p)]
    memory = place.device.level("main")
    if not able:
        dtypes = " or ".join(dict.fromkeys(d for p in wanted for d in RECIPES[p].arithmetic))
        why = f"{place.device.name} has no published peak in {dtypes}"
    elif not place.device.links and (memory is None or memory.bandwidth is None):
        why = f"the memory bandwidth of {place.device.name} is not published"
    elif inputs.workload.architecture and not arithmetic(place.device, "bf16"):
        why = f"{place.device.name} computes in no 16-bit format, which attention needs"
    elif (
        inputs.workload.architecture
        and (memory is None or memory.capacity is None)
        and not (place.system.host and place.system.host.memory)
    ):
        why = f"the memory of {place.system.name} is not published"
    else:
        why = "no layout divides the model over it within the plan's number of devices"
    return Candidate(
        label=f"{listing.offer.id}, {_priced(listing)}" + _where(inputs, listing), provider=listing.provider.id,
        region=listing.offer.region, offer=listing.offer.id, term=listing.term, system=place.system.id,
        system_name=place.system.name, device=place.device.id, device_name=place.device.name, kind=place.device.kind,
        instances=0, devices=0, precision="", layout={}, throughput=NOTHING, latency={}, cost=NOTHING, cost_parts={},
        unit_cost=NOTHING, memory={}, memory_capacity=float("nan"), time={}, bottleneck="", power=float("nan"),
        energy_per_unit=float("nan"), mfu=float("nan"), mbu=float("nan"), rejected=why, excess=math.inf,
    )  # fmt: skip
