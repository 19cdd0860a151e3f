"""The four figures of the choice, each with its interval."""

import math

from planner.report.text import brief, percent, plain
from planner.report.view import LATENCY_NAMES, chosen, headroom, latency_form, money_of, rate, shown, used
from planner.search.candidate import Candidate, Estimate
from planner.search.result import Result
from planner.units import money, show, significant

ORDER = 20
TITLE = "Key figures"


def context(result: Result) -> dict[str, object]:
    """Cost, throughput against demand, latencies and memory of the choice; empty where nothing fits."""
    choice = chosen(result)
    if choice is None:
        return {}
    speed = [] if result.scenario == "capacity" else [_throughput(result, choice), _latency(choice), _memory(choice)]
    return {"cards": [_cost(result, choice), *speed]}


def _cost(result: Result, c: Candidate) -> dict[str, object]:
    form = money_of(result)
    unit = f"{money(c.unit_cost.value, result.currency)} for a {brief(result.work_unit, 40)}"
    return {
        "title": f"Cost a {plain(result.cost_period)}",
        "rows": [{"label": "", "figure": shown(c.cost, form), "unit": "", "range": interval_bar(c.cost)}],
        "note": unit if math.isfinite(c.unit_cost.value) else "",
    }


def _throughput(result: Result, c: Candidate) -> dict[str, object]:
    figure = shown(c.throughput, rate)
    note = ""
    if result.demand > 0 and 0 < c.throughput.value < math.inf:
        note = f"{significant(result.demand)} needed: {percent(result.demand / c.throughput.value)} of what it can do"
    bar = interval_bar(c.throughput, result.demand)
    return {
        "title": "Throughput against demand",
        "rows": [{"label": "", "figure": figure, "unit": result.throughput_unit, "range": bar}],
        "note": note,
    }


def _latency(c: Candidate) -> dict[str, object]:
    rows: list[dict[str, object]] = [
        {
            "label": LATENCY_NAMES.get(name, plain(name)),
            "figure": shown(estimate, latency_form(name)),
            "unit": "",
            "range": interval_bar(estimate),
        }
        for name, estimate in c.latency.items()
    ]
    title = "Latency"
    if len(rows) == 1:
        title, rows[0]["label"] = str(rows[0]["label"]), ""
    return {"title": title, "rows": rows, "note": "" if rows else "not estimated"}


def _memory(c: Candidate) -> dict[str, object]:
    total, free = sum(c.memory.values()), headroom(c)
    known = math.isfinite(free)
    return {
        "title": "Memory headroom",
        "plain": percent(free),
        "note": f"{show(total, 'byte')} of {show(c.memory_capacity, 'byte')} in use on the fullest device ({used(c)})"
        if known
        else "not estimated",
        "fill": round(100 * min(1.0, max(0.0, 1 - free)), 1) if known else None,
        "rows": [],
    }


def interval_bar(estimate: Estimate, demand: float = math.nan) -> dict[str, float] | None:
    """Where value, interval and demand lie on a line from 0 to 100; None where the interval is not known."""
    marks = [estimate.low, estimate.value, estimate.high]
    if not all(math.isfinite(mark) and mark >= 0 for mark in marks) or estimate.high <= estimate.low:
        return None
    wanted = demand if math.isfinite(demand) and demand > 0 else 0.0
    scale = 96 / max(*marks, wanted)
    low, value, high = (round(scale * mark, 2) for mark in marks)
    return {"low": low, "value": value, "width": round(high - low, 2), "demand": round(scale * wanted, 2)}
