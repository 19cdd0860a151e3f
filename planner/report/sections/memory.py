"""Whether it fits: bytes on the fullest device against its capacity."""

import math

from planner.report.stacks import amount, base_row, best, legend, named, part_names, split, title
from planner.report.text import brief
from planner.report.view import Chart, headroom, used
from planner.search.candidate import Candidate
from planner.search.result import Result
from planner.units import show

ORDER = 60
TITLE = "Memory fit"
GB = 1e9


def context(result: Result) -> dict[str, object]:
    """Stacked bars of memory by use over a track as long as the device's memory."""
    seen = [c for c in best(result) if c.memory_capacity > 0 and amount(c.memory) > 0]
    names = part_names(c.memory for c in seen)
    if not names:
        return {}
    rows = [_row(result, c, names) for c in seen]
    data: dict[str, object] = {
        "rows": rows,
        "parts": named(names),
        "xname": "GB on the fullest device",
        "prefix": "",
        "suffix": "",
        "track": True,
    }
    alt = f"Stacked bars of memory use of {len(rows)} options against capacity. The table All options has the shares."
    caption = "Memory in use on the fullest device; the pale track is what the device has."
    chart = Chart("memory-fit", "stack", caption, alt, data, legend(names))
    return {"chart": chart, "charts": [chart]}


def _row(result: Result, c: Candidate, names: list[str]) -> dict[str, object]:
    values = split(c.memory, names)
    parts = [[title(name), _size(value)] for name, value in zip(names, values, strict=True) if value]
    fits = not headroom(c) < 0
    capacity = c.memory_capacity / GB if math.isfinite(c.memory_capacity) else 0.0
    return base_row(result, c) | {
        "parts": [value / GB for value in values],
        "capacity": capacity,
        "end": f"{used(c)} of {_size(c.memory_capacity)}",
        "reach": max(capacity, sum(values) / GB),
        "bad": not fits,
        "tip": [[brief(c.label, 80)], *parts, ["Capacity", _size(c.memory_capacity)]],
    }


def _size(size: float) -> str:
    return show(size, "byte").replace(".0 ", " ")
