"""The interval an estimate should lie in nine times of ten, from how far such estimates were from published measurements.

An error is a ratio, so an interval is a pair of factors. The spreads are data: ``planner/data/intervals.yaml``.
"""

from math import exp

from planner.schema.coefficients import Intervals
from planner.search.result import Estimate

WIDEST = 1.6  # |ln ratio| where nothing is known of the error: a factor of five either way


def factors(intervals: Intervals, task: str, evidence: str) -> tuple[float, float]:
    """Factors for the low and the high end of an estimate of ``task`` (inference or training)."""
    spread = intervals.spread.get(task, {}).get(evidence, WIDEST)
    return exp(-spread), exp(spread)


def around(value: float, intervals: Intervals, task: str, evidence: str) -> Estimate:
    """``value`` with its interval."""
    low, high = factors(intervals, task, evidence)
    return Estimate(value, value * low, value * high, evidence)
