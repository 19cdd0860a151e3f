"""Where every figure comes from."""

from planner.report.text import brief
from planner.search.result import Cited, Result

ORDER = 100
TITLE = "Sources"


def context(result: Result) -> dict[str, object]:
    """Every input figure once, with its source and how many options use it; empty where none is cited."""
    users: dict[Cited, int] = {}
    for candidate in result.candidates:
        for cited in dict.fromkeys(candidate.cited):
            users[cited] = users.get(cited, 0) + 1
    rows = [
        {
            "what": brief(cited.what, 160),
            "value": brief(cited.value, 80),
            "source": brief(cited.source, 300),
            "url": cited.source if _is_address(cited.source) else "",
            "date": brief(cited.date, 40),
            "note": brief(cited.note, 300),
            "used": count,
        }
        for cited, count in users.items()
    ]
    return {"rows": rows, "count": len(result.candidates)} if rows else {}


def _is_address(source: str) -> bool:
    return source.startswith(("https://", "http://")) and len(source) <= 500 and source.isascii() and " " not in source
