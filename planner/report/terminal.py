"""A Result for the terminal: the verdict, a table that fits the width with a small chart of the costs, what would change it.

Colours mean something and nothing is said by colour alone: green is the choice, yellow asks for care, red is out, dim is weak
evidence. Texts are made visible before they are coloured, so no name can colour or move anything.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from planner.report.odds import safer, share, worth_measuring
from planner.report.text import brief, plain, visible
from planner.report.view import WEAK, chosen, latency_form, money_of, rate
from planner.search.candidate import Candidate
from planner.search.result import Result

CODES = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "red": "31", "choice": "1;32"}
NARROWEST = 60
STRIP = 18
"""Characters of the chart of costs."""
LONGEST = {"offer": 44, "device": 36, "why": 72}
LEAST = {"offer": 22, "device": 12, "why": 18}
"""Characters that these columns may shrink to before others are left out."""
FIRST_OUT = ("device", "evidence", "unit", "devices", "chart", "latency")
"""Columns in the order in which they are left out where the terminal is narrow."""


@dataclass(frozen=True)
class Column:
    """One column of the table: its key, heading, cells, and whether it is set to the right."""

    key: str
    title: str
    cells: list[str]
    right: bool = False
    styles: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Characters of the widest cell."""
        return max(len(text) for text in (self.title, *self.cells))


def terminal(result: Result, shown: list[Candidate], width: int | None, colour: bool) -> str:
    """The decision as text; ``width`` None does not shorten anything."""
    paint = _painter(colour)
    verdict = result.verdict
    lines = [paint(visible(result.title), "bold"), visible(result.goal), ""]
    lines += _table(result, shown, width, paint)
    lines += ["", paint(visible(verdict.headline), "choice" if verdict.choice else "red"), *_wrapped(verdict.why, width)]
    choice = chosen(result)
    if choice and choice.odds:
        cheapest, keeps = share(choice.odds.cheapest), share(choice.odds.keeps)
        lines += _wrapped(f"The cheapest in {cheapest} of {result.draws:,} draws, within every limit in {keeps}.", width)
        lines += [paint(line, "yellow") for said in (safer(result), worth_measuring(result)) for line in _wrapped(said, width)]
    if verdict.runner_up:
        lines += _wrapped(f"Runner-up: {verdict.runner_up}, {verdict.gap}.", width)
    lines += [line for flip in verdict.flips for line in _wrapped(flip, width)]
    lines += [paint(line, "yellow") for caution in verdict.cautions for line in _wrapped(f"Mind: {caution}", width)]
    hidden = len(result.candidates) - len(shown)
    if hidden:
        out = sum(not c.feasible for c in result.candidates)
        more, are = "candidate" if hidden == 1 else "candidates", "is" if out == 1 else "are"
        lines.append(paint(f"{hidden} more {more} ({out} of all {are} out): --all shows them.", "dim"))
    return "\n".join(lines)


def _painter(colour: bool) -> Callable[[str, str], str]:
    return lambda text, style: f"\x1b[{CODES[style]}m{text}\x1b[0m" if colour and style in CODES and text else text


def _wrapped(text: str, width: int | None) -> list[str]:
    from textwrap import wrap

    plain_text = visible(text)
    return (wrap(plain_text, max(NARROWEST, width), subsequent_indent="  ") if width else [plain_text]) if plain_text else []


def _table(result: Result, shown: list[Candidate], width: int | None, paint: Callable[[str, str], str]) -> list[str]:
    if not shown:
        return ["There is no candidate at all."]
    columns = _fitted(_columns(result, shown), width)
    lines = ["  ".join(_set(c.title, c) for c in columns).rstrip(), "  ".join("─" * c.width for c in columns)]
    for i, candidate in enumerate(shown):
        style = "choice" if candidate.label == result.verdict.choice else "" if candidate.feasible else "dim"
        *cells, last = ((_set(c.cells[i], c), style or (c.styles[i] if c.styles else "")) for c in columns)
        lines.append("  ".join(paint(text, how) for text, how in (*cells, (last[0].rstrip(), last[1]))))
    return lines


def _set(text: str, column: Column) -> str:
    return text.rjust(column.width) if column.right else text.ljust(column.width)


def _columns(result: Result, shown: list[Candidate]) -> list[Column]:
    form = money_of(result)
    names = list(dict.fromkeys(name for c in shown for name in c.latency))
    weak = ["dim" if c.throughput.evidence in WEAK else "" for c in shown]
    reasons = ["red" if c.rejected else "" for c in shown]
    return [
        Column("offer", "offer", [brief(c.label, LONGEST["offer"]) for c in shown]),
        Column("device", "device", [brief(c.device_name, LONGEST["device"]) for c in shown]),
        Column("devices", "devices", [str(c.devices or "–") for c in shown], True),
        Column("cost", f"cost a {plain(result.cost_period)}", [form(c.cost.value) for c in shown], True),
        *_strips(shown),
        Column("unit", f"a {brief(result.work_unit, 30)}", [form(c.unit_cost.value) for c in shown], True),
        Column("rate", brief(result.throughput_unit, 24), [rate(c.throughput.value) for c in shown], True),
        *(
            Column("latency", brief(n, 12), [latency_form(n)(c.latency[n].value) if n in c.latency else "–" for c in shown], True)
            for n in names
        ),
        Column("evidence", "evidence", [brief(c.throughput.evidence, 12) for c in shown], False, weak),
        Column(
            "why",
            "bound by, or why not",
            [brief(c.rejected or plain(c.bottleneck), LONGEST["why"]) for c in shown],
            False,
            reasons,
        ),
    ]


def _why(c: Candidate) -> str:
    return brief(c.rejected or plain(c.bottleneck), LONGEST["why"])


def _strips(shown: list[Candidate]) -> list[Column]:
    """Cost as planned within the range of nine of ten draws, on one scale; no column where nothing was drawn."""
    drawn = [c for c in shown if c.odds is not None and math.isfinite(c.cost.value)]
    if not drawn:
        return []
    top = sorted(c.odds.high for c in drawn if c.odds)[-1 if len(drawn) < 4 else -max(1, len(drawn) // 4)]
    cells = [_strip(c, top) for c in shown]
    return [Column("chart", f"0 – {rate(top)}".ljust(STRIP), cells)]


def _strip(c: Candidate, top: float) -> str:
    if c.odds is None or not math.isfinite(c.cost.value):
        return ""
    at = [min(STRIP - 1, max(0, int(STRIP * x / top))) for x in (c.odds.low, c.cost.value, c.odds.high)]
    cells = ["━" if at[0] <= k <= at[2] else "·" for k in range(STRIP)]
    cells[at[1]] = "●"
    return "".join(cells[:-1]) + ("→" if c.odds.high > top else cells[-1])


def _fitted(columns: list[Column], width: int | None) -> list[Column]:
    """Columns that fit: long texts are cut first, then whole columns go in the order of FIRST_OUT."""
    if width is None:
        return columns
    for gone in range(len(FIRST_OUT) + 1):
        kept = [c for c in columns if c.key not in FIRST_OUT[:gone]]
        over = sum(c.width for c in kept) + 2 * (len(kept) - 1) - width
        if over <= 0:
            return kept
        room = {c.key: max(0, c.width - LEAST[c.key]) for c in kept if c.key in LEAST}
        if sum(room.values()) >= over or gone == len(FIRST_OUT):
            share_of = over / max(1, sum(room.values()))
            return [_cut(c, c.width - math.ceil(share_of * room[c.key])) if room.get(c.key) else c for c in kept]
    return columns


def _cut(c: Column, width: int) -> Column:
    least = max(width, LEAST[c.key])
    return Column(c.key, brief(c.title, least), [brief(cell, least) for cell in c.cells], c.right, c.styles)
