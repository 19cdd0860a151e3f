"""What if: sliders and switches that recompute every cost and the ranking in the page, by ``static/whatif.js``."""

import math

from planner.report.text import brief, plain
from planner.search.result import Result
from planner.units import YEAR

ORDER = 28
TITLE = "What if"
TERMS = ("on_demand", "spot", "reserved_1y", "reserved_3y", "owned")
PRICES = {
    "on_demand": "Price on demand", "spot": "Price on spot", "reserved_1y": "Price for 1 year",
    "reserved_3y": "Price for 3 years", "owned": "Purchase price",
}  # fmt: skip


def context(result: Result) -> dict[str, object]:
    """Sliders, terms and regions; empty where there is nothing to choose."""
    seen = [c for c in result.candidates if math.isfinite(c.cost.value) and c.instances > 0]
    if not seen or not result.verdict.choice or not result.basis.moves:
        return {}
    terms = [term for term in TERMS if any(c.term == term for c in seen)]
    return {
        "sliders": _sliders(result, terms),
        "terms": [(term, plain(term)) for term in terms],
        "regions": [brief(r, 60) for r in regions(result)],
        "currency": brief(result.currency, 12),
        "period": plain(result.cost_period),
    }


def regions(result: Result) -> list[str]:
    """Every region in which any option has a price."""
    return sorted({region for c in result.candidates for region in c.drivers.regions if region})


def _sliders(result: Result, terms: list[str]) -> list[dict[str, object]]:
    b = result.basis
    traffic = (
        (result.demand, brief(result.throughput_unit, 40)) if not b.ends and result.demand > 0 else (100.0, "% of the plan's")
    )
    made = [("traffic", "Work to do" if b.ends else "Traffic", 0.1, 10.0, *traffic)]
    made += [("efficiency", "Throughput, all devices", 0.4, 2.5, 100.0, "% of the estimates")]
    made += [("context", "Context length", 0.5, 2.0, b.context, "tokens")] if b.context > 0 else []
    made += [(f"price_{term}", PRICES[term], 0.3, 3.0, 100.0, "%") for term in terms]
    if "owned" in terms:
        made += (
            [("electricity", "Electricity", 0.2, 5.0, b.electricity, f"{brief(result.currency, 12)}/kWh")]
            if b.electricity > 0
            else []
        )
        made += [("horizon", "Lifetime of what is bought", 0.25, 3.0, b.horizon / YEAR, "years")] if b.horizon > 0 else []
    keys = ("name", "label", "low", "high", "scale", "unit")
    sliders: list[dict[str, object]] = [dict(zip(keys, one, strict=True)) | {"planned": 1, "linear": False} for one in made]
    if not b.ends:
        load = {"name": "utilisation", "label": "Utilisation planned for", "low": 0.1, "high": 0.95, "scale": 100, "unit": "%"}
        sliders.insert(1, load | {"planned": b.utilisation, "linear": True})
    return sliders
