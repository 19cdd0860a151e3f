"""What moves the answer: a tornado, and the cost of the best options over one input at a time with their break-evens."""

import math

from planner.report.stacks import SQUARE
from planner.report.text import brief, plain
from planner.report.view import Chart, Format, money_of
from planner.search.result import Break, Result, Swing
from planner.units import money, plainly

ORDER = 42
TITLE = "What moves the answer"
SWINGS = 10
BREAKS = 30


def context(result: Result) -> dict[str, object]:
    """Tornado of the choice's cost and break-even curves; empty where nothing was moved."""
    charts = [chart for chart in (_tornado(result), _breaks(result)) if chart]
    return {"charts": charts} if charts else {}


def _prefix(result: Result) -> str:
    return money(0.0, brief(result.currency, 12)).removesuffix("0.00")


def _tornado(result: Result) -> Chart | None:
    swings = result.swings[:SWINGS]
    base = next((c.cost.value for c in result.candidates if c.label == result.verdict.choice), math.nan)
    if not swings or not math.isfinite(base):
        return None
    form = money_of(result)
    data: dict[str, object] = {
        "rows": [_swing(result, s, form) for s in swings],
        "base": base,
        "xname": f"Cost of the choice a {plain(result.cost_period)}, {brief(result.currency, 12)}",
        "prefix": _prefix(result),
    }
    legend = [
        {"class": "s0", "path": SQUARE, "name": "at its low end"},
        {"class": "s1", "path": SQUARE, "name": "at its high end"},
    ]
    alt = f"Tornado of {len(swings)} inputs by how far each moves the cost of the choice. The table below has the figures."
    caption = "Cost of the choice with one input at the ends of its range, all else as planned. The largest swing comes first."
    heads = ["Input", "Low end", "Cost there", "Cheapest there", "High end", "Cost there", "Cheapest there"]
    rows = [
        [
            _upper(s.label),
            s.low,
            _cost(s.costs[0], form),
            s.winners[0] or "none",
            s.high,
            _cost(s.costs[1], form),
            s.winners[1] or "none",
        ]
        for s in swings
    ]
    return Chart("tornado", "tornado", caption, alt, data, legend, heads, [[brief(cell, 120) for cell in row] for row in rows])


def _cost(cost: float, form: Format) -> str:
    return "breaks a limit" if math.isnan(cost) else form(cost)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _swing(result: Result, s: Swing, form: Format) -> dict[str, object]:
    ends = [(s.low, s.costs[0], s.winners[0]), (s.high, s.costs[1], s.winners[1])]
    tip = [[_upper(brief(s.label, 80))]]
    for words, cost, winner in ends:
        tip.append([brief(words, 60), _cost(cost, form)])
        if winner != result.verdict.choice:
            tip.append(["cheapest there", brief(winner, 80) or "none"])
    return {
        "label": brief(_upper(s.label), 36), "choice": False, "low": s.costs[0], "high": s.costs[1],
        "lowText": brief(s.low, 26), "highText": brief(s.high, 26), "tip": tip,
    }  # fmt: skip


def _breaks(result: Result) -> Chart | None:
    """The inputs whose change makes another option the cheapest, nearest first; the others after them."""
    ranked = sorted(result.breaks, key=_distance)
    if not ranked:
        return None
    variants = [(_upper(brief(b.label, 60)), _lines(result, b)) for b in ranked]
    labels = list(dict.fromkeys(label for b in ranked for label in b.costs))
    legend = [{"class": f"s{i % 8}", "path": SQUARE, "name": brief(label, 40)} for i, label in enumerate(labels[:8])]
    alt = f"Cost of the best options over {brief(ranked[0].label, 60)}. The table below has every break-even."
    caption = (
        "Cost over one input, all else as planned; a line ends where its option breaks a limit. Dotted: another option becomes "
        "the cheapest."
    )
    rows = [
        [_upper(b.label), f"{plainly(value)} {b.unit}", below or "none", above or "none"]
        for b in ranked
        for value, below, above in b.crossings
    ]
    heads = ["Input", "Break-even at", "Cheapest below", "Cheapest above"]
    return Chart(
        "break-evens", "curves", caption, alt, variants[0][1], legend, heads,
        [[brief(cell, 120) for cell in row] for row in rows[:BREAKS]], variants,
    )  # fmt: skip


def _distance(b: Break) -> float:
    near = [abs(math.log(value / b.base)) for value, below, above in b.crossings if value > 0 and b.base > 0]
    return min(near, default=math.inf)


def _short(value: float) -> float:
    """To five digits: more cannot be seen in a chart."""
    return float(f"{value:.5g}")


Pair = list[float | None]


def _thinned(points: list[Pair]) -> list[Pair]:
    """Without those points of a level stretch that are not at its ends: a cost that goes in steps has few others."""
    last = len(points) - 1
    return [p for k, p in enumerate(points) if k in (0, last) or not points[k - 1][1] == p[1] == points[k + 1][1]]


def _lines(result: Result, b: Break) -> dict[str, object]:
    labels = list(dict.fromkeys(label for one in sorted(result.breaks, key=_distance) for label in one.costs))
    lines = []
    for label, costs in b.costs.items():
        points = _thinned(
            [[_short(x), _short(cost) if math.isfinite(cost) else None] for x, cost in zip(b.values, costs, strict=True)]
        )
        index, choice = labels.index(label), label == result.verdict.choice
        lines.append(
            {"label": brief(label, 80), "points": points, "colour": index % 8, "choice": choice, "dash": (index // 3) % 3}
        )
    return {
        "lines": lines,
        "xname": f"{_upper(brief(b.label, 40))}, {brief(b.unit, 30)}",
        "yname": f"Cost a {plain(result.cost_period)}, {brief(result.currency, 12)}",
        "yprefix": _prefix(result),
        "mark": {"value": b.base, "text": "planned"},
        "crossings": [value for value, _, _ in b.crossings],
    }
