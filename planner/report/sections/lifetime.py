"""A lifetime's models: their whole cost by traffic, and from what traffic each pays for its own making."""

import math
from collections.abc import Mapping, Sequence

from planner.decide.life_words import pays, rounded, steps
from planner.report.stacks import COLOURS, SQUARE
from planner.report.text import brief
from planner.report.view import Chart, Format, money_of
from planner.search.life import LifeTable, Lived
from planner.search.result import Result
from planner.units import money, plainly, words

ORDER = 25
TITLE = "Cost by traffic"
DRAWN = 2
TOLD = 4
"""Of so many points of a curve one is drawn, and of so many of those one tells its figures."""
KINDS = {"base": "the base", "size": "another size", "quantised": "coarser", "pruned": "pruned", "distilled": "distilled"}


def context(result: Result) -> dict[str, object]:
    """Lines of total cost over queries a day, as money and beside the base; the cheapest by traffic; the table."""
    life = result.life
    if life is None:
        return {}
    charts = [c for c in (_totals(result, life), _beside(result, life)) if c.data["lines"]]
    return {
        "charts": charts, "steps": steps(life) if len(life.ladder) > 1 else (),
        "rows": [_row(result, row) for row in life.rows], "months": plainly(life.months), "law": brief(life.law, 200),
        "loss": f"{life.loss:.4f}",
    }  # fmt: skip


def _totals(result: Result, life: LifeTable) -> Chart:
    form = money_of(result)
    data = _axes(life) | {
        "yname": f"Total of {plainly(life.months)} months, {brief(result.currency, 12)}",
        "prefix": money(0.0, brief(result.currency, 12)).removesuffix("0.00"),
        "lines": _lines(life, life.curves, form),
    }  # fmt: skip
    alt = f"Lines of the total cost of {len(life.curves)} models by queries a day; the table below has what each pays from."
    caption = (
        "Making and serving each model for the whole life, both scales logarithmic. Machines are bought whole: hence the steps. "
        "A line ends where the plan's devices serve no more."
    )
    return Chart("life", "lines", caption, alt, data, _legend(life))


def _beside(result: Result, life: LifeTable) -> Chart:
    base = life.curves[life.base]
    shares = {
        label: tuple(100 * y / b if b and math.isfinite(b) else math.inf for y, b in zip(curve, base, strict=True))
        for label, curve in life.curves.items()
    }
    data = _axes(life) | {
        "yname": f"Total, % of {brief(life.base, 40)}", "suffix": " %", "linear": True,
        "lines": _lines(life, shares, lambda share: f"{share:.0f} %"),
    }  # fmt: skip
    alt = f"Lines of the total cost of {len(shares)} models as a share of the base's, by queries a day."
    return Chart("life-share", "lines", f"The same beside {brief(life.base, 60)}: below 100 % a model pays for its making.", alt,
                 data, _legend(life))  # fmt: skip


def _axes(life: LifeTable) -> dict[str, object]:
    planned = f"planned: {words(life.queries_per_day)} a day"
    return {"xname": "Queries a day", "now": life.queries_per_day, "nowText": planned, "prefix": "", "suffix": ""}


def _lines(life: LifeTable, curves: Mapping[str, Sequence[float]], form: Format) -> list[dict[str, object]]:
    made = []
    for index, (label, curve) in enumerate(curves.items()):
        known = [(q, y) for q, y in zip(life.queries, curve, strict=True) if math.isfinite(y)][::DRAWN]
        if known:
            points = [[float(f"{q:.4g}"), float(f"{y:.5g}")] for q, y in known]
            said = [[rounded(q), form(y)] for q, y in known[::TOLD]]
            made.append({"name": brief(label, 80), "colour": index % COLOURS, "points": points, "said": said, "every": TOLD})
    return made


def _legend(life: LifeTable) -> list[dict[str, str]]:
    return [{"class": f"s{i % COLOURS}", "path": SQUARE, "name": brief(label, 60)} for i, label in enumerate(life.curves)]


def _row(result: Result, row: Lived) -> dict[str, object]:
    assert result.life is not None
    form = money_of(result)
    made = sum(row.making.values())
    parts = [f"{name} {form(value)}" for name, value in row.making.items() if value] if len(row.making) > 1 else []
    return {
        "label": row.label, "kind": KINDS.get(row.kind) or brief(row.kind, 40),
        "tokens": f"{words(row.tokens)} tokens" if row.tokens else "there already",
        "making": form(made), "parts": brief(", ".join(parts), 160), "trained_on": row.trained_on,
        "monthly": form(row.monthly), "served_on": row.served_on,
        "total": form(row.total), "pays": pays(row, result.life) or "what the others are held against",
        "quality": f"{100 * row.quality:.1f} %" if math.isfinite(row.quality) else "not known",
        "scores": [brief(s, 260) for s in row.scores[:1]],
        "rejected": row.rejected, "choice": row.label == result.verdict.choice,
    }  # fmt: skip
