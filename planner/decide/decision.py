"""A plan's inputs to a whole result: candidates, the front, the verdict, and what all of it leaves out."""

from dataclasses import replace
from typing import get_args

import numpy as np

from planner import units
from planner.decide.verdict import verdict
from planner.schema.hardware import Kind
from planner.schema.inputs import Inputs
from planner.schema.plan import Train
from planner.search.find import candidates, demand
from planner.search.intervals import task_of
from planner.search.options import Tick
from planner.search.result import SCHEMA_VERSION, Candidate, Result

UNITS = {
    "serve": ("output tokens/s", "million output tokens"),
    "train": ("tokens/s", "million tokens"),
    "infer": ("samples/s", "million samples"),
}


def decide(inputs: Inputs, tick: Tick | None = None) -> Result:
    """Search, rank and explain; ``tick(done, of)`` is called as a long search goes on.

    Raises InputError where the plan asks what its workload cannot do.
    """
    plan = inputs.plan
    found = candidates(inputs, tick)
    throughput_unit, work_unit = UNITS[plan.scenario]
    return Result(
        schema_version=SCHEMA_VERSION, title=plan.title, scenario=plan.scenario, goal=goal(inputs), workload=inputs.workload.name,
        currency=plan.economics.currency, cost_period="run" if plan.ends else "month", throughput_unit=throughput_unit,
        work_unit=work_unit, demand=demand(inputs), candidates=tuple(found), front=front(found), verdict=verdict(inputs, found),
        assumptions=assumptions(inputs), exclusions=EXCLUSIONS[plan.scenario], accuracy=accuracy(inputs),
        oldest_price=oldest(found), versions=dict(inputs.versions), hashes=dict(inputs.hashes), plan_text=inputs.plan_text,
        owner=plan.owner, date=plan.date.isoformat() if plan.date else "", status=plan.status,
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
        return f"{many}{n(plan.infer.samples_per_second)} samples/s{limit}"
    assert plan.train is not None
    t = plan.train
    within = f" within {units.duration(t.deadline)}" if t.deadline else ""
    step = f"{t.global_batch:,.0f} sequences a step"
    return f"train on {units.words(t.tokens)} tokens of {t.sequence_length:,.0f} a sequence, {step}{within}"


def assumptions(inputs: Inputs) -> tuple[str, ...]:
    """What the figures take for granted, from the plan and the model."""
    e, plan = inputs.plan.economics, inputs.plan
    said = [
        f"Owned hardware is written off to nothing over {units.duration(e.horizon)} in equal parts; "
        f"electricity costs {e.electricity[0]:g} {e.electricity[1]}/kWh at a PUE of {e.pue:g}.",
        "Power is between idle and board power in proportion to load, and board power where idle power is not published.",
    ]
    if not plan.ends:
        said.insert(
            0,
            f"Machines run day and night, loaded to at most {100 * e.utilisation:.0f} % of their estimated throughput; "
            "the rest is headroom.",
        )
    if plan.serve and plan.serve.prefix_hit:
        said.append(
            f"{100 * plan.serve.prefix_hit:.0f} % of each prompt is found in the cache; its memory is counted once a request."
        )
    if plan.serve and plan.serve.spare:
        said.append(f"{plan.serve.spare} of the instances may fail: they are beyond what the load needs.")
    if plan.serve:
        said.append("Software is vLLM, or the next serving stack whose runs on the device's family were published.")
        arrive = "are all there at the start" if plan.ends else "arrive at random (Poisson)"
        said.append(f"Requests of equal length {arrive}; finished ones are replaced at once; one replica keeps to one instance.")
    if plan.infer:
        said.append("Samples arrive evenly; latency includes the mean wait until a batch has come together.")
    if plan.train:
        said.append("Software is Megatron, or the next training stack whose runs on the device's family were published.")
        said.append(f"{plan.train.optimizer.replace('_', ' ')} in mixed precision, FlashAttention, fused elementwise work.")
        said.append(_reliability(plan.train))
    return tuple(said)


def _reliability(train: Train) -> str:
    r = train.reliability
    spot = f", and a spot instance is taken away every {units.duration(r.instance_mtbf)}" if r.instance_mtbf else ""
    return (
        f"A device's failure stops the run once in {units.duration(r.device_mtbf)} of its time{spot}; a restart takes "
        f"{units.duration(r.restart)}; checkpoints are written at {units.show(r.checkpoint_bandwidth, 'byte/s')} a device, "
        "as often as loses least (Daly 2006). The defaults are those of Llama 3 405B (arXiv:2407.21783)."
    )


EXCLUSIONS = {
    "serve": (
        "Staff, storage, data transfer, support, tax and the hosts of cards that are sold alone.",
        "Redundancy beyond the headroom.",
    ),
    "infer": (
        "Staff, storage, data transfer, support, tax and the hosts of cards that are sold alone.",
        "Reading, decoding and resizing of inputs.",
    ),
    "train": ("Staff, storage, data transfer, support and tax.", "Failed experiments, and the storage of checkpoints."),
}


def accuracy(inputs: Inputs) -> tuple[str, ...]:
    """How wide the intervals are, and why."""
    tasks = dict.fromkeys(task_of(inputs.plan.scenario, kind=place) for place in get_args(Kind))
    said = [
        f"{evidence}: nine of ten published {task} measurements lay within "
        f"{np.exp(-s):.2f} to {np.exp(s):.2f} times the estimate."
        for task in tasks
        for evidence, s in inputs.intervals.spread.get(task, {}).items()
    ]
    return (*said, f"Source: {inputs.intervals.source}")


def oldest(found: list[Candidate]) -> str:
    """The date of the oldest price behind the choice and its runner-up: the two that the verdict compares."""
    return min((c.cited[0].date for c in found[:2] if c.cited and c.cited[0].date), default="")
