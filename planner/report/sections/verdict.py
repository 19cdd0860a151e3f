"""The answer: what to choose, why, how sure, and when it changes."""

from collections import Counter

from planner.report.odds import safer, share
from planner.report.text import brief
from planner.report.view import EVIDENCE, LATENCY_HEADS, WEAK, chosen
from planner.search.candidate import Candidate
from planner.search.result import Result

ORDER = 10
TITLE = "Verdict"
REASONS = 8


def context(result: Result) -> dict[str, object]:
    """The verdict, the evidence under its figures, and, where nothing fits, why each candidate does not."""
    choice = chosen(result)
    figures = _figures(choice) if choice else []
    levels = Counter(c.throughput.evidence for c in result.candidates)
    return {
        "verdict": result.verdict,
        "choice": choice,
        "evidence": figures,
        "odds": _odds(choice),
        "safer": safer(result),
        "all_evidence": [f"{levels[level]} {level}" for level in EVIDENCE if levels[level]],
        "weak": bool(figures) and all(level in WEAK for _, level in figures),
        "weakest": "datasheet figures" if ("throughput", "datasheet") in figures else "a related device's measurements",
        "reasons": [(c.label, c.rejected) for c in result.candidates[:REASONS]] if not choice else [],
        "more": max(0, len(result.candidates) - REASONS),
        "count": len(result.candidates),
        "fitting": sum(c.feasible for c in result.candidates),
    }


def _odds(choice: Candidate | None) -> str:
    if choice is None or choice.odds is None:
        return ""
    return f"The cheapest in {share(choice.odds.cheapest)} of the draws, within every limit in {share(choice.odds.keeps)}."


def _figures(choice: Candidate) -> list[tuple[str, str]]:
    latencies = [(LATENCY_HEADS.get(name, brief(name, 24)), e.evidence) for name, e in choice.latency.items()]
    return [
        ("throughput", brief(choice.throughput.evidence, 24)),
        *((name, brief(level, 24)) for name, level in latencies),
    ]
