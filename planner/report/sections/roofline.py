"""The roofline of the choice and of the next device, with the operators of one step under it."""

from planner.report.stacks import SQUARE
from planner.report.text import brief, percent, plain
from planner.report.view import Chart
from planner.search.candidate import Candidate, Operation
from planner.search.result import Result
from planner.units import duration, show, significant

ORDER = 72
TITLE = "Roofline"
DEVICES = 2


def context(result: Result) -> dict[str, object]:
    """Operators by FLOP a byte and FLOP/s; empty where no step was taken apart."""
    seen = [c for c in result.candidates if _shown(c) and all(peak > 0 for peak in c.peaks)][:DEVICES]
    if not seen:
        return {}
    data: dict[str, object] = {"devices": [_device(c, i) for i, c in enumerate(seen)]}
    legend = [{"class": f"s{2 * i}", "path": SQUARE, "name": _title(c)} for i, c in enumerate(seen)]
    alt = f"Roofline of {len(seen)} devices with the operators of one step. The table below has the figures."
    what = {"train": "one micro-batch ahead", "infer": "one pass"}.get(result.scenario, "one decoding step")
    caption = (
        f"Operators of {what} under the datasheet's roofs; a point's area is its share of the step. Left of the ridge a device "
        "waits for memory, right of it for arithmetic. What moves no data through memory (sums over devices) has no place here."
    )
    heads = ["Device", "Operator", "Work", "Moved", "FLOP a byte", "Reached", "Time", "Share of the step"]
    rows = [_row(c, o) for c in seen for o in c.operations]
    return {"chart": (chart := Chart("roofline", "roofline", caption, alt, data, legend, heads, rows)), "charts": [chart]}


def _title(c: Candidate) -> str:
    return brief(f"{c.device_name or c.device}, {c.precision}", 60)


def _shown(c: Candidate) -> list[Operation]:
    return [o for o in c.operations if o.flop > 0 and o.moved > 0 and o.seconds > 0]


def _share(c: Candidate, o: Operation) -> float:
    return o.seconds / max(sum(c.time.values()), sum(x.seconds for x in c.operations))


def _device(c: Candidate, index: int) -> dict[str, object]:
    points = [_point(c, o) for o in _shown(c)]
    return {"peak": c.peaks[0], "bandwidth": c.peaks[1], "colour": 2 * index, "points": points}


def _point(c: Candidate, o: Operation) -> dict[str, object]:
    tip = [
        [brief(o.name, 60)], ["Device", _title(c)], ["FLOP a byte", significant(o.flop / o.moved)],
        ["Reached", show(o.flop / o.seconds, "flop/s")], ["Time", duration(o.seconds)],
        ["Share of the step", percent(_share(c, o))],
    ]  # fmt: skip
    return {"x": o.flop / o.moved, "y": o.flop / o.seconds, "share": _share(c, o), "name": brief(o.name, 24), "tip": tip}


def _row(c: Candidate, o: Operation) -> list[str]:
    known = o.flop > 0 and o.moved > 0
    return [
        _title(c), plain(o.name), show(o.flop, "flop"), show(o.moved, "byte"), significant(o.flop / o.moved) if known else "–",
        show(o.flop / o.seconds, "flop/s") if o.flop > 0 else "–", duration(o.seconds), percent(_share(c, o)),
    ]  # fmt: skip
