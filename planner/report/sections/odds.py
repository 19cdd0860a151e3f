"""The price of being wrong: how likely each option is the cheapest, what choosing it would be regretted by, and where."""

import math

from planner.report.odds import safer, share, worth_measuring
from planner.report.text import brief, percent, plain
from planner.report.view import Chart, Format, chosen, money_of
from planner.search.candidate import Candidate, Odds
from planner.search.result import Regret, Result
from planner.units import money

ORDER = 26
TITLE = "Price of being wrong"
ROWS = 8
LITTLE = 0.005
"""Share of draws below which an option is listed only for its cost."""


def context(result: Result) -> dict[str, object]:
    """The odds of the likeliest, their bands, and the regrets of a few choices; empty where nothing was drawn."""
    seen = _seen(result)
    if not seen or not result.verdict.choice:
        return {}
    form = money_of(result)
    chart = _bands(result, seen)
    return {
        "period": plain(result.cost_period),
        "draws": f"{result.draws:,}",
        "rows": [_row(result, c, odds, form) for c, odds in seen],
        "safest": _safest(result, form),
        "worth": worth_measuring(result),
        "choices": [brief(label, 60) for label in result.regrets[0].costs] if result.regrets else [],
        "states": [_state(r, form) for r in result.regrets],
        "margins": _margins(result),
        "chart": chart,
        "charts": [chart],
    }


def _seen(result: Result) -> list[tuple[Candidate, Odds]]:
    """The choice and the runner-up, then the likeliest, in ranked order."""
    drawn = [(c, c.odds) for c in result.candidates if c.odds is not None]
    first = [pair for pair in drawn if pair[0].label in (result.verdict.choice, result.verdict.runner_up)]
    likely = sorted(
        (pair for pair in drawn if pair not in first and pair[1].cheapest > LITTLE), key=lambda pair: -pair[1].cheapest
    )
    near = [pair for pair in drawn if pair not in first and pair not in likely and pair[0].feasible]
    kept = [*first, *likely, *near][:ROWS]
    return [pair for pair in drawn if pair in kept]


def _row(result: Result, c: Candidate, odds: Odds, form: Format) -> dict[str, object]:
    return {
        "label": c.label,
        "choice": c.label == result.verdict.choice,
        "cells": [
            form(c.cost.value),
            f"{form(odds.low)} – {form(odds.high)}",
            share(odds.cheapest),
            percent(odds.keeps),
            form(odds.regret),
        ],
        "share": round(100 * odds.cheapest, 1),
    }


def _safest(result: Result, form: Format) -> str:
    """What would be regretted least, whether that is the choice or another."""
    choice = chosen(result)
    said = safer(result)
    if said or choice is None or choice.odds is None:
        return said
    return f"No option would be regretted less than the choice: {form(choice.odds.regret)} on average over all draws."


def _state(r: Regret, form: Format) -> dict[str, object]:
    cells = [("breaks a limit" if math.isnan(cost) else form(cost) if cost else "–") for cost in r.costs.values()]
    kinds = ["bad" if math.isnan(cost) else "best" if not cost else "" for cost in r.costs.values()]
    return {"state": brief(r.state, 120), "best": brief(r.best, 80) or "none", "cells": list(zip(cells, kinds, strict=True))}


def _margins(result: Result) -> str:
    """What was drawn, in one sentence."""
    wide = {name: math.exp(spread) - 1 for name, spread in result.basis.uncertainty.items() if spread > 0}
    terms = {c.term for c in result.candidates}
    known = ("on_demand", "spot", "reserved_1y", "reserved_3y", "owned")
    said = [f"{plain(name)} {percent(x)}" for name, x in wide.items() if name not in known or name in terms]
    return ", ".join(said)


def _bands(result: Result, seen: list[tuple[Candidate, Odds]]) -> Chart:
    form = money_of(result)
    rows = [_band(result, c, odds, form) for c, odds in seen]
    data: dict[str, object] = {
        "rows": rows,
        "xname": f"Cost a {plain(result.cost_period)}, {brief(result.currency, 12)}",
        "prefix": money(0.0, brief(result.currency, 12)).removesuffix("0.00"),
    }
    alt = f"Bands of the cost of {len(rows)} options under uncertainty. The table above has the same figures."
    caption = (
        "The mark is the cost as planned; nine of ten draws lie in the band. At its end: how often the option is the cheapest."
    )
    return Chart("odds-bands", "bands", caption, alt, data)


def _band(result: Result, c: Candidate, odds: Odds, form: Format) -> dict[str, object]:
    tip = [
        [brief(c.label, 80)], ["As planned", form(c.cost.value)], ["Nine of ten draws", f"{form(odds.low)} – {form(odds.high)}"],
        ["Cheapest in", share(odds.cheapest)], ["Keeps the limits in", percent(odds.keeps)], ["Mean regret", form(odds.regret)],
    ]  # fmt: skip
    choice, end = c.label == result.verdict.choice, f"{share(odds.cheapest)} cheapest"
    drawn = {"low": odds.low, "high": odds.high, "value": c.cost.value}
    return {"label": brief(c.label, 40), "choice": choice, **drawn, "end": end, "tip": tip}
