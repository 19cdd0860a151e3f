"""Where the time of one step goes, and what limits it."""

from planner.report.stacks import amount, base_row, best, legend, named, part_names, split, title
from planner.report.text import brief, percent, plain
from planner.report.view import Chart
from planner.search.candidate import Candidate
from planner.search.result import Result
from planner.units import duration

ORDER = 70
TITLE = "Where the time goes"


def context(result: Result) -> dict[str, object]:
    """Bars of shares of one step, each with its bottleneck in words."""
    seen = [c for c in best(result) if amount(c.time) > 0]
    names = part_names(c.time for c in seen)
    if not names:
        return {}
    rows = [_row(result, c, names) for c in seen]
    data: dict[str, object] = {
        "rows": rows,
        "parts": named(names),
        "xname": "Share of one step",
        "prefix": "",
        "suffix": " %",
        "max": 100,
    }
    alt = f"Bars of the share of time by kind of work for {len(rows)} options. The table All options names what limits each."
    caption = "Shares of one step or pass; at the end of each bar stands what limits it."
    chart = Chart("time-shares", "stack", caption, alt, data, legend(names))
    return {"chart": chart, "charts": [chart]}


def _row(result: Result, c: Candidate, names: list[str]) -> dict[str, object]:
    values = split(c.time, names)
    total = sum(values)
    parts = [
        [title(name), f"{duration(value)} ({percent(value / total)})"] for name, value in zip(names, values, strict=True) if value
    ]
    return base_row(result, c) | {
        "parts": [100 * value / total for value in values],
        "reach": 100,
        "end": brief(plain(c.bottleneck), 22),
        "tip": [[brief(c.label, 80)], *parts, ["One step", duration(total)]],
    }
