"""Where every figure comes from: sources, and under each what was taken from it."""

from planner.report.text import brief
from planner.search.candidate import Cited
from planner.search.result import Result

ORDER = 100
TITLE = "Sources"
BEST = 25
"""Options whose sources the page holds; JSON has those of all."""
MANY = 40
"""With more figures than this, paper gets only those of the choice and the runner-up."""


def context(result: Result) -> dict[str, object]:
    """Every input figure once, under its source, the choice's first; empty where none is cited."""
    users: dict[Cited, int] = {}
    first: set[Cited] = set()
    for candidate in result.candidates[:BEST]:
        for cited in dict.fromkeys(candidate.cited):
            users[cited] = users.get(cited, 0) + 1
        if candidate.label in (result.verdict.choice, result.verdict.runner_up):
            first.update(candidate.cited)
    groups: dict[tuple[str, str], list[Cited]] = {}
    for cited in sorted(users, key=lambda cited: cited not in first):
        groups.setdefault((cited.source, cited.date), []).append(cited)
    many = bool(first) and len(users) > MANY
    return (
        {
            "groups": [
                {
                    "source": brief(source, 300),
                    "url": source if _is_address(source) else "",
                    "date": brief(date, 40),
                    "screen_only": many and first.isdisjoint(figures),
                    "figures": [_figure(cited, users[cited]) for cited in figures],
                }
                for (source, date), figures in groups.items()
            ],
            "many": many,
            "count": len(users),
            "best": BEST if len(result.candidates) > BEST else 0,
        }
        if users
        else {}
    )


def _figure(cited: Cited, used: int) -> dict[str, object]:
    return {"what": brief(cited.what, 160), "value": brief(cited.value, 80), "note": brief(cited.note, 300), "used": used}


def _is_address(source: str) -> bool:
    return source.startswith(("https://", "http://")) and len(source) <= 500 and source.isascii() and " " not in source
