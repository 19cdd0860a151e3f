"""Figures of a Result as the sections show them: text, interval, evidence and the number to sort by."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from planner.report.text import brief, percent, plain
from planner.search.candidate import Candidate, Estimate
from planner.search.result import Result
from planner.units import duration, money, significant

EVIDENCE = ("measured", "calibrated", "family", "datasheet")
KINDS = ("gpu", "tpu", "cpu", "asic", "fpga")
WEAK = ("family", "datasheet")
LATENCY_HEADS = {"ttft": "TTFT", "tpot": "TPOT", "latency": "Latency", "duration": "Duration"}
LATENCY_NAMES = {
    "ttft": "Time to first token",
    "tpot": "Time per output token",
    "latency": "Latency",
    "duration": "Duration",
}

Format = Callable[[float], str]


@dataclass(frozen=True)
class Shown:
    """An estimate ready for a template; ``sort`` is empty where the value is not known."""

    text: str
    interval: str
    evidence: str
    sort: str


@dataclass(frozen=True)
class Chart:
    """One chart: ``build`` (a function of charts.js) turns ``data`` into what is drawn; ``alt`` says it in words."""

    id: str
    build: str
    caption: str
    alt: str
    data: dict[str, object]
    legend: list[dict[str, str]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    """The same figures as a table, where no other table of the page has them; the first column names the row."""
    variants: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    """Other data that a reader may choose, by name; the first is ``data`` itself."""


def shown(estimate: Estimate, form: Format) -> Shown:
    """``estimate`` as text; the interval is left out where it is not known or has no width."""
    known = math.isfinite(estimate.low) and math.isfinite(estimate.high) and estimate.low != estimate.high
    low, high = form(estimate.low), form(estimate.high)
    return Shown(
        form(estimate.value),
        f"{_shortened(low, high)} – {high}" if known and low != high else "",
        estimate.evidence if estimate.evidence in EVIDENCE else brief(estimate.evidence, 24),
        sort_key(estimate.value),
    )


def _shortened(low: str, high: str) -> str:
    """``low`` without the unit that ``high`` repeats: ``7.1 – 9 ms``."""
    number, _, unit = low.rpartition(" ")
    return number if number and high.endswith(f" {unit}") else low


def sort_key(value: float) -> str:
    """``value`` as a number a script can sort by; empty where it is not known."""
    return f"{value:.6g}" if math.isfinite(value) else ""


def money_of(result: Result) -> Format:
    """How this result writes an amount of money."""
    return lambda amount: money(amount, result.currency)


def latency_form(name: str) -> Format:
    """How a latency is written: a training run in days, the rest in milliseconds and seconds."""
    return duration if name == "duration" else lambda seconds: duration(seconds) if math.isfinite(seconds) else "–"


def latency_keys(result: Result) -> list[str]:
    """Every latency any candidate has, in the order they come first."""
    return list(dict.fromkeys(name for candidate in result.candidates for name in candidate.latency))


def candidate_of(result: Result, label: str) -> Candidate | None:
    """The candidate called ``label``, or None."""
    return next((c for c in result.candidates if c.label == label), None) if label else None


def chosen(result: Result) -> Candidate | None:
    """The candidate the verdict names, or None where nothing fits."""
    return candidate_of(result, result.verdict.choice)


def kind_class(kind: str) -> str:
    """The colour class of a device kind."""
    return kind if kind in KINDS else "other"


def headroom(candidate: Candidate) -> float:
    """Share of the fullest device's memory that stays free; negative where it does not fit."""
    if not candidate.memory_capacity > 0:
        return math.nan
    return 1 - sum(candidate.memory.values()) / candidate.memory_capacity


def used(candidate: Candidate) -> str:
    """Share of the fullest device's memory in use."""
    return percent(1 - headroom(candidate))


def layout_text(candidate: Candidate) -> str:
    """``tp 8 · batch 64``: what is split or chosen; a degree of 1 and a ``none`` are left out."""
    return " · ".join(f"{plain(name)} {brief(str(value), 40)}" for name, value in candidate.layout.items() if said(name, value))


def said(name: str, value: int | str) -> bool:
    """Whether a layout entry tells more than its absence would."""
    return "batch" in name or str(value) not in ("1", "0", "none", "")


def rate(value: float) -> str:
    """A throughput without its unit, which stands once in the heading."""
    return significant(value)
