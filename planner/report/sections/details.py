"""Everything known about each candidate, one fold each."""

import math

from planner.report.text import brief, percent, plain
from planner.report.view import LATENCY_NAMES, headroom, latency_form, money_of, rate, shown
from planner.search.candidate import Candidate
from planner.search.result import Result
from planner.units import addends, duration, show

ORDER = 80
TITLE = "Details"

MANY = 20
"""Options with a fold each; the table has all of them, and CSV and JSON every figure."""
PRINTED = 12
"""Of these, paper gets the first so many."""

Pair = tuple[str, str]


def context(result: Result) -> dict[str, object]:
    """Groups of named values a candidate; empty where there is no candidate."""
    if not result.candidates:
        return {}
    count = len(result.candidates)
    kept = count if count <= PRINTED else PRINTED
    options = [_option(result, c, rank <= kept) for rank, c in enumerate(result.candidates[:MANY], 1)]
    return {"options": options, "kept": kept, "shown": len(options), "count": count}


def _option(result: Result, c: Candidate, printed: bool) -> dict[str, object]:
    return {
        "label": c.label,
        "printed": printed or c.label == result.verdict.choice,
        "rejected": c.rejected,
        "choice": c.label == result.verdict.choice,
        "bottleneck": plain(c.bottleneck),
        "groups": [
            ("What it is", _identity(c)),
            ("What it gives", _yields(result, c)),
            ("Layout", [(plain(name), brief(str(value), 60)) for name, value in c.layout.items()]),
            ("Memory on the fullest device", _memory(c)),
            ("Time of one step", [(plain(name), duration(value)) for name, value in c.time.items()]),
            ("Cost", _cost(result, c)),
        ],
    }


def _cost(result: Result, c: Candidate) -> list[Pair]:
    if not c.cost_parts:
        return []
    amounts, total = addends([value for value in c.cost_parts.values() if math.isfinite(value)], brief(result.currency, 12))
    names = [plain(name) for name, value in c.cost_parts.items() if math.isfinite(value)]
    return [*zip(names, amounts, strict=True), (f"sum a {plain(result.cost_period)}", total)]


def _identity(c: Candidate) -> list[Pair]:
    pairs = [
        ("Offer", " · ".join(part for part in (c.provider, c.region, c.offer) if part)),
        ("Term", plain(c.term)),
        ("System", f"{c.instances} × {c.system_name or c.system}"),
        ("Devices", f"{c.devices} × {c.device_name or c.device} ({plain(c.kind)})"),
        ("Precision", c.precision),
    ]
    return [(name, brief(value, 120)) for name, value in pairs if value]


def _yields(result: Result, c: Candidate) -> list[Pair]:
    figures = [(f"Throughput, {brief(result.throughput_unit, 40)}", shown(c.throughput, rate))]
    figures += [(LATENCY_NAMES.get(k, plain(k)), shown(e, latency_form(k))) for k, e in c.latency.items()]
    figures.append((f"Per {brief(result.work_unit, 40)}", shown(c.unit_cost, money_of(result))))
    pairs = [(name, f"{f.text} ({f.interval})" if f.interval else f.text) for name, f in figures]
    pairs.append(("Limited by", plain(c.bottleneck)))
    pairs += [("MFU", percent(c.mfu)), ("MBU", percent(c.mbu)), ("Power", show(c.power, "watt"))]
    per = brief(result.work_unit, 40)
    pairs.append((f"Energy per {per}", show(c.energy_per_unit, "joule")))
    if c.carbon is not None:
        pairs.append(("Carbon dioxide", show(c.carbon, "kilogram")))
    if c.goodput < 1:
        pairs.append(("Goodput, share of the time", percent(c.goodput)))
    return pairs


def _memory(c: Candidate) -> list[Pair]:
    pairs = [(plain(name), show(value, "byte")) for name, value in c.memory.items()]
    pairs.append(("capacity", show(c.memory_capacity, "byte")))
    free = headroom(c)
    if math.isfinite(free):
        pairs.append(("free" if free >= 0 else "missing", percent(abs(free))))
    return pairs
