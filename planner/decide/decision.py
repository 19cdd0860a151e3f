"""A plan's inputs to a whole result: candidates, the front, the verdict, and what all of it leaves out."""

import math
from dataclasses import fields, replace

import numpy as np

from planner import units
from planner.decide.ledger import exclusions, money_assumptions
from planner.decide.ownership import ownership
from planner.decide.sensitivity import with_sensitivity
from planner.decide.uncertainty import with_odds
from planner.decide.verdict import units_of, verdict
from planner.schema.goals import Serve, Train
from planner.schema.inputs import Inputs
from planner.search import networks
from planner.search.candidate import Candidate
from planner.search.find import candidates, demand
from planner.search.options import Tick
from planner.search.result import SCHEMA_VERSION, Basis, Result


def decide(inputs: Inputs, tick: Tick | None = None) -> Result:
    """Search, rank and explain; ``tick(done, of)`` is called as a long search goes on.

    Raises InputError where the plan asks what its workload cannot do.
    """
    if inputs.life is not None:
        from planner.decide.life_result import decide_life  # which few plans need

        return decide_life(inputs, tick)
    plan = inputs.plan
    found = candidates(inputs, tick)
    throughput_unit, work_unit = units_of(plan)
    made = Result(
        schema_version=SCHEMA_VERSION, title=plan.title, scenario=plan.scenario, goal=goal(inputs), workload=inputs.workload.name,
        currency=plan.economics.currency, cost_period="run" if plan.ends else "month", throughput_unit=throughput_unit,
        work_unit=work_unit, demand=demand(inputs), candidates=tuple(found), front=front(found), verdict=verdict(inputs, found),
        assumptions=assumptions(inputs), exclusions=exclusions(inputs, found), accuracy=accuracy(inputs, found),
        oldest_price=oldest(found), versions=dict(inputs.versions), hashes=dict(inputs.hashes), plan_text=inputs.plan_text,
        owner=plan.owner, date=plan.date.isoformat() if plan.date else "", status=plan.status,
        ownership=ownership(inputs, found), basis=basis(inputs),
    )  # fmt: skip
    return with_sensitivity(with_odds(made))


def basis(inputs: Inputs) -> Basis:
    """What the plan takes for granted and limits, as the levers need it."""
    plan, e = inputs.plan, inputs.plan.economics
    limits = {"devices": float(plan.hardware.max_devices * plan.sites)} | ({"budget": e.budget[0]} if e.budget else {})
    goal = plan.serve or plan.infer
    for name in ("ttft", "tpot", "latency"):
        limit = getattr(goal, name, None)
        limits |= {name: limit} if limit else {}
    tokens = plan.serve.input_tokens if plan.serve else plan.train.sequence_length if plan.train else 0.0
    margins = {f.name: math.log1p(getattr(plan.uncertainty, f.name)) for f in fields(plan.uncertainty)}
    shared = {str(name): share for name, share in inputs.intervals.shared.items()}
    return Basis(
        plan.capacity is None, plan.ends, plan.train is None, plan.fullness, plan.sites, e.electricity[0], e.horizon, tokens,
        limits, margins, shared,
    )  # fmt: skip


def shortened(result: Result, most: int) -> Result:
    """``result`` with its best ``most`` candidates; what was left out is said among the exclusions."""
    hidden = len(result.candidates) - most
    if hidden <= 0:
        return result
    said = f"{hidden} candidates that rank below these {most}: --format json or csv lists them all."
    kept = result.candidates[:most]
    labels = {c.label for c in kept}
    front = tuple(label for label in result.front if label in labels)
    return replace(result, candidates=kept, front=front, exclusions=(*result.exclusions, said))


def front(found: list[Candidate]) -> tuple[str, ...]:
    """Labels of the feasible candidates that none beats in both cost and throughput, cheapest first."""
    best, labels = -np.inf, []
    able = sorted((c for c in found if c.feasible), key=lambda c: (c.cost.value, -c.throughput.value))
    for c in able:
        if c.throughput.value > best:
            best = c.throughput.value
            labels.append(c.label)
    return tuple(labels)


def goal(inputs: Inputs) -> str:
    """What is asked, in one line."""
    plan, n = inputs.plan, units.plainly
    if plan.serve:
        s = plan.serve
        limits = [f"{name.upper()} under {units.duration(v)}" for name, v in (("ttft", s.ttft), ("tpot", s.tpot)) if v]
        many = f"{n(s.rate)} requests/s" if s.within is None else f"{units.words(s.requests or 0)} requests"
        asked = f"{many} of {s.input_tokens:,.0f} tokens in and {s.output_tokens:,.0f} out"
        return ", ".join([asked, *limits]) + (f" within {units.duration(s.within)}" if s.within else "")
    if plan.infer:
        limit = f", latency under {units.duration(plan.infer.latency)}" if plan.infer.latency else ""
        many = f"{n(plan.infer.streams)} streams of " if plan.infer.streams > 1 else ""
        sites = f" at each of {plan.sites:,} sites" if plan.fleet else ""
        return f"{many}{n(plan.infer.samples_per_second)} samples/s{sites}{limit}"
    if plan.capacity:
        used = f"used {100 * plan.economics.busy:.0f} % of the time" if plan.economics.busy < 1 else "used all the time"
        return f"{plan.capacity.devices:,} devices for {units.duration(plan.economics.horizon)}, {used}"
    assert plan.train is not None
    t = plan.train
    within = f" within {units.duration(t.deadline)}" if t.deadline else ""
    if t.samples:
        return f"train on {units.words(t.samples)} samples, {t.global_batch:,.0f} a step{within}"
    step = f"{t.global_batch:,.0f} sequences a step"
    return f"train on {units.words(t.tokens)} tokens of {t.sequence_length:,.0f} a sequence, {step}{within}"


def assumptions(inputs: Inputs) -> tuple[str, ...]:
    """What the figures take for granted, from the plan and the model."""
    plan = inputs.plan
    said = [*money_assumptions(inputs)]
    if not plan.capacity:
        said.append(
            "How far traffic, utilisation and prices may be off is the plan's word (uncertainty:), or an assumption where it "
            "says nothing; throughput may be off as far as its interval says."
        )
    if not plan.ends and not plan.capacity:
        said.insert(
            0,
            f"Machines run day and night, loaded to at most {100 * plan.economics.utilisation:.0f} % of their estimated "
            "throughput; the rest is headroom.",
        )
    if plan.serve and plan.serve.prefix_hit:
        said.append(
            f"{100 * plan.serve.prefix_hit:.0f} % of each prompt is found in the cache; its memory is counted once a request."
        )
    if plan.serve:
        said += _served(plan.serve)
    if plan.serve and plan.serve.spare:
        said.append(f"{plan.serve.spare} of the instances may fail: they are beyond what the load needs.")
    if plan.serve:
        said.append("Software is vLLM, or the next serving stack whose runs on the device's family were published.")
        arrive = "are all there at the start" if plan.ends else "arrive at random (Poisson)"
        varied = plan.serve.input_cv or plan.serve.output_cv
        said.append(f"Requests of {'varying' if varied else 'equal'} length {arrive}; finished ones are replaced at once.")
    if plan.infer:
        said.append("Samples arrive evenly; latency includes the mean wait until a batch has come together.")
    if plan.train and plan.train.samples:
        said += _learnt(inputs, plan.train)
    elif plan.train:
        said.append("Software is Megatron, or the next training stack whose runs on the device's family were published.")
        said.append(f"{plan.train.optimizer.replace('_', ' ')} in mixed precision, FlashAttention, fused elementwise work.")
    if plan.train:
        said.append(_reliability(plan.train))
    return tuple(said)


def _served(serve: Serve) -> list[str]:
    """How requests differ from equal ones that come at random, and what is done to serve them."""
    s, said = serve, []
    if s.percentile:
        said.append(f"{100 * s.percentile:g} % of requests keep the latency limits, and latencies shown are of that share.")
    if s.burstiness != 1:
        said.append(f"Requests come in bursts: the gaps between them vary {s.burstiness:.3g} times as much as at random.")
    if s.input_cv or s.output_cv:
        said.append(f"Lengths are spread by {100 * s.input_cv:.0f} % in and {100 * s.output_cv:.0f} % out of their means.")
    if s.kv_cache:
        said.append(f"Keys and values are kept in {s.kv_cache}.")
    if s.eager:
        said.append("Kernels are started one after another: elementwise work is not fused.")
    if s.disaggregated:
        said.append("Prompts are processed on instances of their own; each request's cache is sent over before it decodes.")
    if s.speculation:
        who = s.speculation.draft or "one further layer of the model"
        held = f"of which {100 * s.speculation.acceptance:.0f} % hold, each alone"
        said.append(f"{who} guesses {s.speculation.tokens} tokens a step, {held}: that share must be measured.")
    if s.adapters:
        said.append(f"Requests choose alike among {s.adapters.count:,} adapters of rank {s.adapters.rank}.")
    return said


def _learnt(inputs: Inputs, train: Train) -> list[str]:
    """How a network is trained, and what its samples cost to read."""
    how = f"{train.optimizer.replace('_', ' ')}, elementwise work fused by a compiler"
    said = [f"Data parallel: every device has a copy of the network, and gradients are summed among all of them; {how}."]
    if inputs.workload.graph and networks.updated(inputs.workload) < networks.parameters(inputs.workload):
        said.append(
            "Embedding tables are shared evenly among the devices, rows going to their samples by an all-to-all; rows that were "
            "looked up are updated by row-wise Adagrad. Lookups fall evenly on all of them."
        )
    if train.loading and train.sample_size:
        speed = f"{units.show(train.loading, 'byte/s')} a node at {units.show(train.sample_size, 'byte')} a sample"
        said.append(f"Samples are read and prepared at {speed}, while the step before them runs.")
    return said


def _reliability(train: Train) -> str:
    r = train.reliability
    return (
        f"A device's failure stops the run once in {units.duration(r.device_mtbf)} of its time; a restart takes "
        f"{units.duration(r.restart)}; checkpoints are written at {units.show(r.checkpoint_bandwidth, 'byte/s')} a device, "
        "as often as loses least (Daly 2006). The defaults are those of Llama 3 405B (arXiv:2407.21783)."
    )


def accuracy(inputs: Inputs, found: list[Candidate]) -> tuple[str, ...]:
    """How wide the intervals are, and why: one sentence a class of estimates, in the order of the ranking."""
    if inputs.plan.capacity:
        return ()
    bounded = dict.fromkeys(c.cited[-1] for c in found if c.cited)
    said = [f"{b.what[:1].upper()}{b.what[1:]}: nine of ten lay within {b.value} the estimate; {b.note}." for b in bounded]
    return (*said, f"Source: {inputs.intervals.source}")


def oldest(found: list[Candidate]) -> str:
    """The date of the oldest price behind the choice and its runner-up: the two that the verdict compares."""
    return min((c.cited[0].date for c in found[:2] if c.cited and c.cited[0].date), default="")
