"""Electricity and carbon of the best options: a step, a unit of work, the period and a year, and what making devices emitted."""

import math

from planner.report.stacks import best
from planner.report.text import brief, plain
from planner.report.view import sort_key
from planner.search.candidate import Candidate
from planner.search.result import Result
from planner.units import kilowatt_hours, show

ORDER = 75
TITLE = "Energy and carbon"


def context(result: Result) -> dict[str, object]:
    """A table of the best options; empty where the energy of none is known."""
    seen = [c for c in best(result, feasible_only=True) or best(result) if c.energy and math.isfinite(c.energy)]
    if not seen:
        return {}
    spans = ["a step", f"a {brief(result.work_unit, 40)}", f"a {plain(result.cost_period)}", "a year"]
    kept = [i for i in range(len(spans)) if any(_joules(c)[i] for c in seen)]
    return {
        "spans": [spans[i] for i in kept],
        "rows": [_row(result, c, kept) for c in seen],
        "carbon": any(c.carbon is not None for c in seen),
        "embodied": any(c.embodied is not None for c in seen),
        "unknown": sum(c.carbon is None for c in seen),
        "period": plain(result.cost_period),
        "count": len(seen),
    }


def _joules(c: Candidate) -> list[float]:
    """Joules of a step, of a unit of work, of the period and of a year; 0 where there is no such thing."""
    step = sum(c.time.values()) * c.power * c.pue
    return [step if math.isfinite(step) else 0.0, c.energy_per_unit, c.energy or 0.0, c.year or 0.0]


def _row(result: Result, c: Candidate, kept: list[int]) -> dict[str, object]:
    joules = _joules(c)
    each = c.carbon / c.energy if c.carbon is not None and c.energy else None
    cells = []
    for i in kept:
        grams = show(joules[i] * each, "kilogram") + " CO2e" if each is not None and joules[i] else ""
        cells.append((kilowatt_hours(joules[i]) if joules[i] else "–", sort_key(joules[i]), grams))
    made = show(c.embodied, "kilogram") + " CO2e" if c.embodied is not None else "not published"
    return {"label": c.label, "place": c.region, "cells": cells, "made": made, "choice": c.label == result.verdict.choice}
