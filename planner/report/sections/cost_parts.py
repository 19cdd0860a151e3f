"""What the cost is made of, for the best options."""

import math

from planner.report.stacks import amount, base_row, best, legend, named, part_names, split, title
from planner.report.text import brief, plain
from planner.report.view import Chart, money_of
from planner.search.candidate import Candidate
from planner.search.result import Result
from planner.units import money

ORDER = 50
TITLE = "Cost breakdown"


def context(result: Result) -> dict[str, object]:
    """Stacked bars of the cost parts; empty where no option fits or none has parts."""
    seen = [c for c in best(result, feasible_only=True) or best(result) if amount(c.cost_parts) > 0]
    names = part_names(c.cost_parts for c in seen)
    if not names:
        return {}
    rows = [_row(result, c, names) for c in seen]
    data: dict[str, object] = {
        "rows": rows,
        "parts": named(names),
        "xname": f"Cost a {plain(result.cost_period)}, {brief(result.currency, 12)}",
        "prefix": money(0.0, brief(result.currency, 12)).removesuffix("0.00"),
        "suffix": "",
    }
    alt = f"Stacked bars of the cost of {len(rows)} options by part. The same sums stand in the table All options."
    chart = Chart("cost-parts", "stack", f"The {len(rows)} best options, cheapest first.", alt, data, legend(names))
    return {"chart": chart, "charts": [chart]}


def _row(result: Result, c: Candidate, names: list[str]) -> dict[str, object]:
    form = money_of(result)
    values = split(c.cost_parts, names)
    total = c.cost.value if math.isfinite(c.cost.value) else sum(values)
    parts = [[title(name), form(value)] for name, value in zip(names, values, strict=True) if value]
    return base_row(result, c) | {
        "parts": values,
        "reach": sum(values),
        "end": form(total),
        "tip": [[brief(c.label, 80)], *parts, ["Sum", form(total)]],
    }
