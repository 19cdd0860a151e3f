"""Latency against throughput: what another batch would do on each of the best devices."""

from planner.report.stacks import SQUARE
from planner.report.text import brief
from planner.report.view import Chart, rate
from planner.search.candidate import Candidate
from planner.search.result import Result
from planner.units import duration

ORDER = 46
TITLE = "Latency and throughput"
LINES = 6
LISTED = 3
"""Devices whose points stand in a table too."""


def context(result: Result) -> dict[str, object]:
    """One line a device over its batches; empty where a batch trades nothing."""
    seen = [c for c in result.candidates if len(c.curve) > 1][:LINES]
    if not seen:
        return {}
    name = "Time per output token" if "tpot" in seen[0].latency else "Latency"
    limit = result.basis.limits.get("tpot", result.basis.limits.get("latency"))
    data: dict[str, object] = {
        "lines": [_line(result, c, i) for i, c in enumerate(seen)],
        "xname": f"{brief(result.throughput_unit, 40)} of one instance",
        "yname": f"{name}, s",
        **({"level": {"value": limit, "text": "the limit"}} if limit else {}),
    }
    legend = [{"class": f"s{i}", "path": SQUARE, "name": _title(c)} for i, c in enumerate(seen)]
    alt = f"Lines of {name.lower()} over throughput for {len(seen)} devices, one point a batch. The table below has the figures."
    caption = "One point a batch, in the layout that was chosen; a hollow one breaks a limit. Down and to the right is better."
    heads = ["Device", "Batch", brief(result.throughput_unit, 40).capitalize(), name, "Keeps the limits"]
    rows = [
        [_title(c), str(p.batch), rate(p.throughput), duration(p.latency), "yes" if p.allowed else "no"]
        for c in seen[:LISTED]
        for p in c.curve
    ]
    return {"chart": (chart := Chart("latency-curve", "curves", caption, alt, data, legend, heads, rows)), "charts": [chart]}


def _title(c: Candidate) -> str:
    return brief(f"{c.devices // max(1, c.instances)} × {c.device_name or c.device}", 44)


def _line(result: Result, c: Candidate, index: int) -> dict[str, object]:
    points = [[float(f"{p.throughput:.5g}"), float(f"{p.latency:.5g}"), p.batch, p.allowed] for p in c.curve]
    more = {"colour": index, "dots": True, "choice": c.label == result.verdict.choice, "dash": (index // 3) % 3}
    return {"label": _title(c), "points": points, **more}
