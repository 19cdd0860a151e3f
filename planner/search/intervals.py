"""The interval an estimate should lie in nine times of ten, from how far such estimates were from published measurements.

Split-conformal: an error is a ratio, so an interval is a pair of factors, and the factor is the 90 % quantile of the
errors on published rows that fed no fit (Vovk et al., Algorithmic Learning in a Random World, 2005; by class as in Mondrian
conformal prediction). The quantiles are data: ``planner/data/intervals.yaml``, written by ``planner validate
--write-intervals``. The narrowest class that has enough rows is taken; ``levels`` says in which order classes are widened.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp
from typing import Literal

from planner.schema.coefficients import Intervals
from planner.schema.workload import Architecture, Workload
from planner.search.candidate import Cited, Estimate
from planner.search.machines import Found

Task = Literal["training", "serving", "first token", "network", "accelerator", "graph"]
Family = Literal["dense", "experts", "network", "graph", ""]
Scenario = Literal["load", "batch", "prefill", "apart", "step", ""]
"""How the work is asked for: under load, a batch that starts and ends together, prompts alone, prefill and decode on separate
workers, a training step."""
WIDEST = 1.6  # |ln ratio| where nothing is known of the error: a factor of five either way
POOLED = "*"


@dataclass(frozen=True, order=True)
class About:
    """What an estimate is about, as far as errors depend on it; what is empty is not known."""

    kind: str = ""
    """cpu, gpu, tpu, fpga, asic."""
    family: Family = ""
    stack: str = ""
    """The software whose measured share the estimate takes."""
    scenario: Scenario = ""


ANY = About()


def family_of(architecture: Architecture | None) -> Family:
    """The workload family whose errors bound an estimate: dense or with experts; a network summary has no architecture."""
    return "network" if architecture is None else "experts" if architecture.moe else "dense"


def about(scenario: str, kind: str, workload: Workload, laws: Mapping[str, Found]) -> About:
    """What a search's estimate is about: ``scenario`` serve, train or infer, on a device of ``kind`` by these laws."""
    asked: dict[str, Scenario] = {"serve": "load", "train": "step", "infer": "batch"}
    of = None if scenario == "infer" else workload.architecture
    return About(kind, family_of(of), "" if scenario == "infer" else laws["engine"].variant, asked[scenario])


def levels(task: str, evidence: str, about: About) -> Iterator[str]:
    """Names of the classes an estimate belongs to, the narrowest first."""
    scenario, kind, family, stack = (part or POOLED for part in (about.scenario, about.kind, about.family, about.stack))
    for parts in (
        (scenario, kind, evidence, family, stack),
        (scenario, kind, evidence, family, POOLED),
        (scenario, kind, evidence, POOLED, POOLED),
        (POOLED, kind, evidence, POOLED, POOLED),
    ):
        yield "/".join((task, *parts))


def cited(intervals: Intervals, task: Task, evidence: str, about: About) -> Cited:
    """Which class of errors bounds an estimate, how far off that class was, and on how many published rows that rests."""
    spread = spread_of(intervals, task, evidence, about)
    name = next((name for name in levels(task, evidence, about) if name in intervals.cells), "")
    if name:
        of = ", ".join(part for part in name.split("/")[1:] if part != POOLED)
        devices = intervals.cells[name].devices
        rest = f"{intervals.cells[name].rows:,} rows on {devices} device{'' if devices == 1 else 's'}"
    else:
        known = evidence in intervals.spread.get(task, {})
        of, rest = evidence, "all kinds of devices together" if known else "no published rows: taken to be a factor of five"
    what, value = f"interval of {task} estimates ({of})", f"{exp(-spread):.2f} to {exp(spread):.2f} times"
    return Cited(what, value, intervals.source, note=rest)


def spread_of(intervals: Intervals, task: Task, evidence: str, about: About = ANY) -> float:
    """|ln(truth / estimate)| that nine of ten such estimates stay within."""
    cell = next((intervals.cells[name] for name in levels(task, evidence, about) if name in intervals.cells), None)
    return cell.spread if cell else intervals.spread.get(task, {}).get(evidence, WIDEST)


def factors(intervals: Intervals, task: Task, evidence: str, about: About = ANY) -> tuple[float, float]:
    """Factors for the low and the high end of an estimate."""
    spread = spread_of(intervals, task, evidence, about)
    return exp(-spread), exp(spread)


def around(value: float, intervals: Intervals, task: Task, evidence: str, about: About = ANY) -> Estimate:
    """``value`` with its interval."""
    low, high = factors(intervals, task, evidence, about)
    return Estimate(value, value * low, value * high, evidence)


ACCELERATORS = ("fpga", "asic")
"""Kinds of devices whose compilers decide more about a network than its sizes do: their errors are counted apart."""


def task_of(scenario: str, figure: str = "", *, graph: bool = False, kind: str = "") -> Task:
    """The task whose errors bound a figure: ``scenario`` serve, train or infer; ``figure`` its name; ``graph``: of operations;
    ``kind`` the device's."""
    if graph:
        return "graph"
    if scenario == "serve":
        return "first token" if figure.startswith("ttft") else "serving"
    if scenario == "train":
        return "training"
    return "accelerator" if kind in ACCELERATORS else "network"


def spreads(intervals: Intervals, task: Task) -> list[str]:
    """How far published measurements of a task were from its estimates, in words."""
    return [
        f"{evidence}: nine of ten published {task} measurements lay within {exp(-s):.2f} to {exp(s):.2f} times the estimate."
        for evidence, s in intervals.spread.get(task, {}).items()
    ]
