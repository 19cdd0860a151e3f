"""What the three stacked-bar sections share: which candidates, which parts, which colours."""

import math
from collections.abc import Iterable, Mapping, Sequence

from planner.report.text import brief, plain
from planner.search.candidate import Candidate
from planner.search.result import Result

BARS = 10
COLOURS = 8
SQUARE = "M1 4a3 3 0 0 1 3-3H10a3 3 0 0 1 3 3V10a3 3 0 0 1-3 3H4a3 3 0 0 1-3-3Z"


def best(result: Result, feasible_only: bool = False) -> list[Candidate]:
    """The first candidates in ranked order, as many as a bar chart can show."""
    return [c for c in result.candidates if c.feasible or not feasible_only][:BARS]


def part_names(parts: Iterable[Mapping[str, float]]) -> list[str]:
    """Names of the parts in the order they come first; those beyond the colours are summed as ``other``."""
    names = list(dict.fromkeys(name for part in parts for name, value in part.items() if 0 < value < math.inf))
    return names if len(names) <= COLOURS else [*names[: COLOURS - 1], ""]


def amount(parts: Mapping[str, float]) -> float:
    """The sum of those parts that can be drawn: finite and above zero."""
    return sum(value for value in parts.values() if math.isfinite(value) and value > 0)


def split(parts: Mapping[str, float], names: Sequence[str]) -> list[float]:
    """Values of ``parts`` by ``names``; the name ``""`` takes what no other name takes."""
    known = {name: value for name, value in parts.items() if math.isfinite(value) and value > 0}
    rest = sum(value for name, value in known.items() if name not in names)
    return [known.get(name, 0.0) if name else rest for name in names]


def named(names: Sequence[str]) -> list[dict[str, object]]:
    """The parts as charts.js wants them."""
    return [{"name": title(name), "colour": index} for index, name in enumerate(names)]


def legend(names: Sequence[str]) -> list[dict[str, str]]:
    """A key for each part."""
    return [{"class": f"s{index}", "path": SQUARE, "name": title(name)} for index, name in enumerate(names)]


def base_row(result: Result, c: Candidate) -> dict[str, object]:
    """What every bar has: its label and how it stands out."""
    return {"label": brief(c.label, 48), "choice": c.label == result.verdict.choice, "faded": not c.feasible}


def title(name: str) -> str:
    """A part's name as words."""
    return brief(plain(name), 32) if name else "other"
