"""The inputs of a decision that can be moved, one line each: how far, in which unit, and what moving them means."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner import units
from planner.decide.levers import Levers, Settings
from planner.model.columns import Array
from planner.schema.hardware import own_id
from planner.search.candidate import Candidate
from planner.search.result import Result

FULLEST = 0.97
"""Share of their throughput that machines may be planned to be loaded to, at most."""


@dataclass(frozen=True)
class Input:
    """``at(result, levers, factors)`` are the settings in which it is ``factors`` (D,) times the plan's."""

    name: str
    label: str
    at: Callable[[Result, Levers, Array], Settings]
    scale: Callable[[Result], float]
    """Its value in the plan, in ``unit``."""
    unit: Callable[[Result], str]
    reach: tuple[float, float] = (0.25, 4.0)
    """How far, in times of the plan's, its break-evens are looked for."""
    applies: Callable[[Result, Levers], bool] = lambda result, lv: True
    margin: Callable[[Result], float] | None = None
    """|ln factor| that nine of ten values lie within; else that of ``basis.uncertainty`` under its name."""

    def spoken(self, result: Result, factor: float) -> str:
        """The input at a factor, in words."""
        return f"{units.plainly(self.scale(result) * factor)} {self.unit(result)}"

    def width(self, result: Result) -> float:
        """|ln factor| that nine of ten values lie within; 0 where it is taken to be known."""
        return self.margin(result) if self.margin else result.basis.uncertainty.get(self.name, 0.0)


def named(result: Result, label: str) -> Candidate:
    """The candidate of that label."""
    return next(c for c in result.candidates if c.label == label)


def _error(result: Result) -> float:
    choice = named(result, result.verdict.choice)
    wide = choice.throughput.high > choice.throughput.value > 0
    return math.log(choice.throughput.high / choice.throughput.value) if wide else 0.0


def _of_choice(result: Result, lv: Levers, factors: Array) -> Settings:
    """The speed of the choice's device alone."""
    device = {c.label: own_id(c.device) for c in result.candidates}
    same = np.array([device[label] == device.get(result.verdict.choice) for label in lv.labels])
    return Settings(efficiency=np.where(same[:, None], factors, 1.0))


def _price(term: str, words: str) -> Input:
    return Input(
        term, f"the price {words}", lambda r, lv, x: Settings(prices={term: x}), lambda r: 100.0, lambda r: "% of today's",
        applies=lambda r, lv: term in lv.terms,
    )  # fmt: skip


INPUTS = (
    Input(
        "traffic", "traffic", lambda r, lv, x: Settings(traffic=x), lambda r: r.demand, lambda r: r.throughput_unit, (0.1, 10.0),
        applies=lambda r, lv: not r.basis.ends,
    ),
    Input(
        "traffic", "the work to do", lambda r, lv, x: Settings(traffic=x), lambda r: 100.0, lambda r: "% of the plan's",
        (0.1, 10.0), applies=lambda r, lv: r.basis.ends,
    ),
    Input(
        "utilisation", "utilisation planned for",
        lambda r, lv, x: Settings(utilisation=np.minimum(FULLEST, r.basis.utilisation * x)),
        lambda r: 100 * r.basis.utilisation, lambda r: "%", (0.3, 1.4), applies=lambda r, lv: not r.basis.ends,
    ),
    Input(
        "efficiency", "throughput of the choice's device", _of_choice, lambda r: 100.0, lambda r: "% of the estimate", (0.3, 3.0),
        margin=_error,
    ),
    Input(
        "all", "throughput of every device", lambda r, lv, x: Settings(efficiency=x), lambda r: 100.0,
        lambda r: "% of the estimate", (0.3, 3.0), margin=_error,
    ),
    _price("on_demand", "on demand"), _price("spot", "on spot"), _price("reserved_1y", "for a year"),
    _price("reserved_3y", "for three years"), _price("owned", "of what is bought"),
    Input(
        "electricity", "electricity", lambda r, lv, x: Settings(electricity=x), lambda r: r.basis.electricity,
        lambda r: f"{r.currency}/kWh", (0.1, 10.0), applies=lambda r, lv: r.basis.electricity > 0 and "owned" in lv.terms,
    ),
    Input(
        "horizon", "lifetime of what is bought", lambda r, lv, x: Settings(horizon=x), lambda r: r.basis.horizon / units.YEAR,
        lambda r: "years", (0.2, 3.0), applies=lambda r, lv: r.basis.horizon > 0 and "owned" in lv.terms,
        margin=lambda r: math.log(1.5),
    ),
)  # fmt: skip
