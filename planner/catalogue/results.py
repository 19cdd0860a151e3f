"""Results that ``--format json`` wrote, read back."""

import json
from pathlib import Path
from typing import Any

from planner.catalogue.document import read_text
from planner.errors import InputError

MOST = 200_000_000
NEEDED = ("schema_version", "candidates", "verdict", "versions", "hashes")
OF_CANDIDATE = (
    "label", "provider", "offer", "term", "region", "cost", "throughput", "rejected", "cited", "precision", "layout", "instances",
)  # fmt: skip
HINT = "Write one with: planner report plan.yaml -o decision.json"


def read_result(path: Path, version: int) -> dict[str, Any]:
    """A result as decoded JSON; raises InputError where the file is none, or of a schema newer than ``version``."""
    try:
        found = json.loads(read_text(path, MOST))
    except (ValueError, RecursionError):
        raise InputError("is not JSON", where=str(path), hint=HINT) from None
    if not isinstance(found, dict) or any(name not in found for name in NEEDED):
        raise InputError("is no result of the planner", where=str(path), hint=HINT)
    if not isinstance(found["schema_version"], int) or found["schema_version"] > version:
        raise InputError(f"has schema_version {found['schema_version']}; this planner reads up to {version}", where=str(path))
    if not _shaped(found):
        raise InputError("has candidates or a verdict that no result has", where=str(path), hint=HINT)
    return found


def _shaped(found: dict[str, Any]) -> bool:
    candidates, verdict = found["candidates"], found["verdict"]
    records = isinstance(candidates, list) and isinstance(verdict, dict) and {"choice", "headline"} <= verdict.keys()
    return (
        records and all(isinstance(found[name], dict) for name in ("versions", "hashes")) and all(map(_is_candidate, candidates))
    )


def _is_candidate(c: Any) -> bool:
    if not isinstance(c, dict) or any(name not in c for name in OF_CANDIDATE) or not isinstance(c["cited"], list):
        return False
    figures = all(
        isinstance(c[n], dict) and isinstance(c[n].get("value", ""), int | float | None) for n in ("cost", "throughput")
    )
    return figures and all(isinstance(x, dict) and {str} == {type(x.get(n)) for n in ("what", "value")} for x in c["cited"])
