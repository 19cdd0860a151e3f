"""The data behind the what-if of the page: the levers of ``planner.decide.levers`` as whatif.js reads them."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from planner.report.sections.whatif import regions
from planner.report.text import brief
from planner.search.candidate import CONTEXTS, LOADS
from planner.search.result import Result

if TYPE_CHECKING:
    from planner.decide.levers import Levers


def whatif_data(result: Result) -> dict[str, object]:
    """Basis, limits and one record an option; empty where no option has a cost. Floats are rounded where the page is written."""
    from planner.decide.levers import levers  # which takes NumPy along

    lv = levers(result)
    if not len(lv):
        return {}
    keys, sold = list(lv.amounts), regions(result)
    index = {region: k for k, region in enumerate(sold)}
    return {
        "basis": {name: value for name, value in asdict(lv.basis).items() if name not in ("uncertainty", "shared")},
        "demand": lv.demand,
        "loads": LOADS,
        "contexts": CONTEXTS,
        "parts": keys,
        "currency": brief(result.currency, 12),
        "period": result.cost_period,
        "choice": brief(result.verdict.choice, 80),
        "terms": list(dict.fromkeys(lv.terms)),
        "regions": [brief(region, 60) for region in sold],
        "usual": USUAL,
        "options": [_option(lv, keys, index, i) for i in range(len(lv))],
    }


USUAL: dict[str, object] = {
    "idle": 0.0, "busy": 0.0, "per_node": 1.0, "group": 1, "spare": 0, "waits": [], "longer": {}, "regions": {}, "stuck": False,
}  # fmt: skip
"""What an option is unless its record says otherwise: kept short, as a page holds a hundred of them."""
DIGITS = 5  # of what only decides whether a limit is kept


def _option(lv: "Levers", keys: list[tuple[str, ...]], index: dict[str, int], i: int) -> dict[str, object]:
    power = any("energy" in key and lv.amounts[key][i] for key in keys)
    rate, ttft = lv.longer["rate"][i], lv.longer["ttft"][i]
    longer = {"rate": [*map(float, rate)], "ttft": [*map(_short, ttft)]} if any(rate != 1) else {}
    named: dict[str, list[int]] = {}  # regions by price: most offers cost the same in many
    for region, price in lv.regions[i].items():
        if region:
            named.setdefault(f"{price:.9g}", []).append(index[region])
    option: dict[str, object] = {
        "label": brief(lv.labels[i], 80), "term": lv.terms[i], "instances": int(lv.instances[i]), "each": float(lv.each[i]),
        "rate": float(lv.rate[i]), "amounts": [float(lv.amounts[key][i]) for key in keys],
        "latency": {name: float(values[i]) for name, values in lv.latency.items()}, "regions": named, "longer": longer,
        "idle": float(lv.idle[i]) if power else 0.0, "busy": float(lv.busy[i]) if power else 0.0,
        "per_node": float(lv.per_node[i]), "group": int(lv.group[i]), "spare": int(lv.spare[i]),
        "waits": [] if lv.waits[i, 0] != lv.waits[i, 0] else [*map(_short, lv.waits[i])], "stuck": bool(lv.stuck[i]),
    }  # fmt: skip
    return {name: value for name, value in option.items() if name not in USUAL or value != USUAL[name]}


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
