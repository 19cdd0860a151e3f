"""The interval an estimate should lie in nine times of ten, from how far such estimates were from published measurements.

An error is a ratio, so an interval is a pair of factors. The spreads are data: ``planner/data/intervals.yaml``, written by
``planner validate --write-intervals``; ``task`` is one of TASKS.
"""

from math import exp
from typing import Literal

from planner.schema.coefficients import Intervals
from planner.search.result import Estimate

Task = Literal["training", "serving", "first token", "network", "accelerator"]
WIDEST = 1.6  # |ln ratio| where nothing is known of the error: a factor of five either way


def factors(intervals: Intervals, task: Task, evidence: str) -> tuple[float, float]:
    """Factors for the low and the high end of an estimate."""
    spread = intervals.spread.get(task, {}).get(evidence, WIDEST)
    return exp(-spread), exp(spread)


def around(value: float, intervals: Intervals, task: Task, evidence: str) -> Estimate:
    """``value`` with its interval."""
    low, high = factors(intervals, task, evidence)
    return Estimate(value, value * low, value * high, evidence)


ACCELERATORS = ("fpga", "asic")
"""Kinds of devices whose compilers decide more about a network than its sizes do: their errors are counted apart."""


def task_of(scenario: str, figure: str = "", kind: str = "") -> Task:
    """The task whose errors bound a figure: ``scenario`` serve, train or infer; ``figure`` its name, ``kind`` the device's."""
    if scenario == "serve":
        return "first token" if figure.startswith("ttft") else "serving"
    if scenario == "train":
        return "training"
    return "accelerator" if kind in ACCELERATORS else "network"
