"""Cost against throughput: every option, the front, and what the goal needs."""

import math

from planner.report.text import brief, plain
from planner.report.view import EVIDENCE, KINDS, LATENCY_HEADS, Chart, kind_class, latency_form, money_of, rate
from planner.search.candidate import Candidate
from planner.search.result import Result
from planner.units import money, significant

ORDER = 40
TITLE = "Cost and throughput"
NAMED = 7
PATHS = {
    "measured": "M7 1.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11Z",
    "calibrated": "M7 0.5L13.5 7L7 13.5L0.5 7Z",
    "family": "M7 1.5L13 12.5H1Z",
    "datasheet": "M2.5 2.5H11.5V11.5H2.5Z",
}


def context(result: Result) -> dict[str, object]:
    """The scatter of cost and throughput; empty where no candidate has both."""
    # every option of a capacity is as many devices as were asked for; models of a life all serve the same traffic
    if result.scenario == "capacity" or result.life:
        return {}
    seen = [c for c in result.candidates if c.cost.value > 0 and c.throughput.value > 0 and math.isfinite(c.cost.value)]
    if not seen:
        return {}
    near = _near(seen)
    far, seen = len(seen) - len(near), near
    data: dict[str, object] = {
        "points": [_point(result, c) for c in seen],
        "demand": result.demand if result.demand > 0 and math.isfinite(result.demand) else 0,
        "demandText": f"needed: {significant(result.demand)} {brief(result.throughput_unit, 40)}",
        "xname": f"Cost a {plain(result.cost_period)}, {brief(result.currency, 12)}",
        "yname": brief(result.throughput_unit, 40),
        "prefix": money(0.0, brief(result.currency, 12)).removesuffix("0.00"),
    }
    best = f" The choice is {brief(result.verdict.choice, 80)}." if result.verdict.choice else " No option fits."
    alt = f"Scatter of {len(seen)} options by cost and throughput.{best} The table All options has the same figures."
    caption = "Up and to the left is better; both scales are logarithmic. The line joins options no other beats in both."
    if far:
        one = far == 1
        caption += f" {far} rejected option{'' if one else 's'} far dearer than any that fits {'is' if one else 'are'} not drawn."
    return {"chart": (chart := Chart("pareto", "pareto", caption, alt, data, _legend(seen))), "charts": [chart]}


def _near(seen: list[Candidate]) -> list[Candidate]:
    """Without the rejected that cost more than three times the dearest that fits: they would squeeze the rest together."""
    dearest = max((c.cost.value for c in seen if c.feasible), default=math.inf)
    return [c for c in seen if c.feasible or c.cost.value <= 3 * dearest]


def _point(result: Result, c: Candidate) -> dict[str, object]:
    money_text = money_of(result)
    verdict = result.verdict
    named = c.label in (verdict.choice, verdict.runner_up, *result.front[:NAMED])
    latency = [[LATENCY_HEADS.get(k, brief(k, 24)), latency_form(k)(e.value)] for k, e in c.latency.items()]
    point = {
        "x": _seen(c.cost.value),
        "xl": _seen(c.cost.low),
        "xh": _seen(c.cost.high),
        "y": _seen(c.throughput.value),
        "yl": _seen(c.throughput.low),
        "yh": _seen(c.throughput.high),
        "kind": kind_class(c.kind),
        "evidence": c.throughput.evidence if c.throughput.evidence in EVIDENCE else "",
        "rejected": not c.feasible,
        "label": brief(c.label, 36),
        "named": named,
        "choice": c.label == verdict.choice,
        "front": c.label in result.front,
        "tip": [
            [brief(c.label, 80)],
            ["Cost", money_text(c.cost.value)],
            ["Throughput", rate(c.throughput.value)],
            *latency,
            *([["Rejected", brief(c.rejected, 160)]] if c.rejected else []),
        ],
    }
    return {name: value for name, value in point.items() if value is not False}  # a hundred of them: what is false is left out


def _seen(value: float) -> float:
    """To five digits: more cannot be seen in a chart."""
    return float(f"{value:.5g}")


def _legend(seen: list[Candidate]) -> list[dict[str, str]]:
    kinds = {kind_class(c.kind) for c in seen}
    levels = {c.throughput.evidence for c in seen}
    square = "M1 4a3 3 0 0 1 3-3H10a3 3 0 0 1 3 3V10a3 3 0 0 1-3 3H4a3 3 0 0 1-3-3Z"
    return [
        *({"class": f"k-{kind}", "path": square, "name": plain(kind)} for kind in (*KINDS, "other") if kind in kinds),
        *({"class": f"shape {level}", "path": PATHS[level], "name": level} for level in EVIDENCE if level in levels),
        *([{"class": "shape faint", "path": PATHS["measured"], "name": "rejected"}] if any(c.rejected for c in seen) else []),
    ]
