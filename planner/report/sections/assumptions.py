"""What the figures take for granted, and what they leave out."""

from planner.report.text import brief
from planner.search.result import Result

ORDER = 90
TITLE = "Assumptions"


def context(result: Result) -> dict[str, object]:
    """Three lists of sentences: assumptions, exclusions and how accurate such estimates were; empty without any."""
    lists = [
        ("Taken for granted", result.assumptions),
        ("Left out", result.exclusions),
        ("How far such estimates were from published measurements", result.accuracy),
    ]
    kept = [(title, [brief(item, 800) for item in items]) for title, items in lists if items]
    return {"lists": kept, "workload": brief(result.workload, 200), "scenario": brief(result.scenario, 60)} if kept else {}
