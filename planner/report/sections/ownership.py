"""Renting against owning over the horizon: money spent month by month, and what a month costs by how much of it is used."""

from planner.report.stacks import COLOURS, SQUARE
from planner.report.text import brief, percent, plain
from planner.report.view import Chart, money_of, sort_key
from planner.search.result import Ownership, Result, Way
from planner.units import addends, money

ORDER = 55
TITLE = "Own or rent"
POINTS = 12
"""About how many points of a line are drawn, which a pointer finds."""
TITLES = ("Over time", "By how much there is to do")


def context(result: Result) -> dict[str, object]:
    """Two charts of lines and a table of every way; empty where the plan allows one way only."""
    own = result.ownership
    if own is None:
        return {}
    drawn = list(enumerate(own.ways))[:COLOURS]
    legend = [{"class": f"s{i}", "path": SQUARE, "name": brief(_name(way), 60)} for i, way in drawn]
    currency = brief(result.currency, 12)
    shared = {"prefix": money(0.0, currency).removesuffix("0.00"), "yname": currency}
    spent: dict[str, object] = {
        **shared, "xname": "Months from the order", "suffix": "", "step": max(1, 6 * round(own.months / 36)),
        "lines": [_line(result, i, way, way.cumulative, 1.0, "Spent by month") for i, way in drawn],
    }  # fmt: skip
    caption = f"Money spent by the end of each month, discounted at {percent(own.rate)} a year, before owned machines are sold."
    charts = [Chart("own-spent", "course", caption, _alt(own, "money spent month by month"), spent, legend)]
    if all(way.by_use for _, way in drawn):
        use: dict[str, object] = {
            **shared, "xname": "Share of the time with work", "suffix": " %", "step": 20,
            "lines": [_line(result, i, w, w.by_use, 100 / (len(w.by_use) - 1), "A month with work for, %") for i, w in drawn],
        }  # fmt: skip
        caption = (
            "What a month costs, purchase included, by how much of the time there is work: where lines cross, the order turns."
        )
        charts.append(Chart("own-use", "course", caption, _alt(own, "the cost of a month by its use"), use, legend))
    rows = [_row(result, own, way) for way in own.ways]
    return {
        "charts": charts,
        "rows": rows,
        "said": [brief(s, 400) for s in own.said],
        "months": own.months,
        "titles": TITLES,
        "made": _made(result, own),
    }


def _made(result: Result, own: Ownership) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the owned way takes at once and each month, by part, with the sums."""
    way = next((w for w in own.ways if w.label == own.owned), None)
    groups = []
    for title, parts in (("At the order", way.once), ("Each month", way.each)) if way else ():
        amounts, total = addends(list(parts.values()), brief(result.currency, 12))
        rows = [*zip(map(plain, parts), amounts, strict=True), ("sum", total)]
        groups += [(title, rows)] if parts else []
    return groups


def _name(way: Way) -> str:
    return f"{way.label} ({way.provider})"


def _alt(own: Ownership, what: str) -> str:
    return f"Lines of {what} for {min(len(own.ways), COLOURS)} ways. Below, the table of every way has their sums."


def _line(result: Result, index: int, way: Way, values: tuple[float, ...], step: float, what: str) -> dict[str, object]:
    form, last = money_of(result), len(values) - 1
    kept = sorted({*range(0, last, max(1, last // POINTS)), last})
    points = [
        {"x": step * i, "y": values[i], "tip": [[brief(_name(way), 80)], [what, f"{step * i:.0f}"], ["Money", form(values[i])]]}
        for i in kept
    ]
    return {"colour": index, "strong": way.term == "owned", "points": points}


def _row(result: Result, own: Ownership, way: Way) -> dict[str, object]:
    form, rented = money_of(result), way.term != "owned"
    month, use = way.break_even_month, way.break_even_use
    paid = "never" if month is None else f"month {month}"
    share = "at no use" if use is None else "always" if use == 0 else f"above {percent(use)}"
    figures = [(form(x), sort_key(x)) for x in (way.upfront, way.monthly, way.npv, way.per_hour)]
    return {
        "label": way.label, "place": " · ".join(brief(x, 40) for x in (way.provider, plain(way.term), way.device_name) if x),
        "figures": figures, "owned": way.label == own.owned, "best": way is own.ways[0],
        "when": paid if rented and own.owned else "", "use": share if rented and own.owned else "",
    }  # fmt: skip
