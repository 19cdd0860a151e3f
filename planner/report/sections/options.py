"""The table of all candidates: the accessible equal of every chart."""

from planner.report.text import brief, percent, plain
from planner.report.view import (
    LATENCY_HEADS,
    Shown,
    headroom,
    kind_class,
    latency_form,
    latency_keys,
    layout_text,
    money_of,
    rate,
    shown,
    sort_key,
)
from planner.search.candidate import Candidate, Estimate
from planner.search.result import Result

ORDER = 76
TITLE = "All options"


def context(result: Result) -> dict[str, object]:
    """Columns and one row a candidate, in ranked order; empty where there is no candidate."""
    if not result.candidates:
        return {}
    keys = latency_keys(result)
    columns = [
        ("Rank", "number"),
        ("Option", "text"),
        ("Hardware", "text"),
        (f"Cost a {plain(result.cost_period)}", "number"),
        (f"Per {brief(result.work_unit, 40)}", "number"),
        (brief(result.throughput_unit, 40).capitalize(), "number"),
        *((LATENCY_HEADS.get(key, brief(plain(key), 24).capitalize()), "number") for key in keys),
        ("Memory used", "number"),
        ("Limited by", "text"),
    ]
    return {
        "columns": columns,
        "rows": [_row(result, rank, c, keys) for rank, c in enumerate(result.candidates, 1)],
        "count": len(result.candidates),
        "unit": brief(result.throughput_unit, 40),
        "demand": rate(result.demand),
    }


def _row(result: Result, rank: int, c: Candidate, keys: list[str]) -> dict[str, object]:
    money = money_of(result)
    nothing = Shown("–", "", "", "")
    figures = [
        shown(c.cost, money),
        shown(c.unit_cost, money),
        shown(c.throughput, rate),
        *(shown(c.latency[key], latency_form(key)) if key in c.latency else nothing for key in keys),
    ]
    free = headroom(c)
    return {
        "rank": rank,
        "label": c.label,
        "place": " · ".join(brief(part, 40) for part in (c.provider, c.region, plain(c.term)) if part),
        "hardware": f"{c.devices} × {brief(c.device_name, 60)}",
        "layout": brief(layout_text(c), 120),
        "kind": kind_class(c.kind),
        "precision": c.precision,
        "evidence": _levels([c.throughput, *c.latency.values()]),
        "figures": figures,
        "memory": percent(1 - free),
        "memory_sort": sort_key(1 - free),
        "bottleneck": plain(c.bottleneck),
        "rejected": c.rejected,
        "choice": c.label == result.verdict.choice,
        "runner_up": c.label == result.verdict.runner_up,
        "front": c.label in result.front,
    }


def _levels(estimates: list[Estimate]) -> list[str]:
    return list(dict.fromkeys(brief(estimate.evidence, 24) for estimate in estimates if estimate.evidence))
