"""Errors of a table's estimates: how many rows, how far off, and why the rest were skipped."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.schema.coefficients import Intervals
from planner.search.intervals import factors
from planner.search.machines import LADDER


def score(name: str, t: pd.DataFrame) -> dict[str, Any]:
    """The figures of one file, as ``--format json`` gives them; errors are fractions of the published value.

    ``median_ape_unseen`` leaves out the rows that fed a fit.
    """
    done = t[t["estimate"].notna()]
    signed = (done["estimate"] / done["value"] - 1).to_numpy()
    skipped = t.loc[t["estimate"].isna(), "skip"].value_counts().sort_index()
    unseen = ~(done["in_fit"].to_numpy(bool))
    inside = (done["low"] <= done["value"]) & (done["value"] <= done["high"])
    return {
        "file": name,
        "cases": len(t),
        "estimated": len(done),
        "skipped": {str(reason): int(count) for reason, count in skipped.items()},
        "median_ape": _quantile(np.abs(signed), 0.5),
        "p90_ape": _quantile(np.abs(signed), 0.9),
        "median_signed_error": _quantile(signed, 0.5),
        "median_ape_unseen": _quantile(np.abs(signed[unseen]), 0.5),
        "inside_interval": float(inside.mean()) if len(done) else None,
    }


def errors_of(t: pd.DataFrame) -> dict[str, Any]:
    """How many rows have an estimate, and how far off those are (fractions of the published value)."""
    off = np.abs((t["estimate"] / t["value"] - 1).dropna().to_numpy(float))
    mean = float(off.mean()) if len(off) else None
    return {"rows": len(off), "median_ape": _quantile(off, 0.5), "mean_ape": mean, "p90_ape": _quantile(off, 0.9)}


def rows(t: pd.DataFrame) -> list[dict[str, Any]]:
    """Each row's case, value, estimate, interval, evidence and reason to skip; None where there is none."""
    names = ["case", "value", "estimate", "low", "high", "evidence", "skip"]
    renamed = t[names].rename(columns={"skip": "skipped"}).astype(object)
    return renamed.where(renamed.notna(), None).to_dict(orient="records")  # type: ignore[return-value]


def with_intervals(t: pd.DataFrame, intervals: Intervals) -> pd.DataFrame:
    """Adds ``low`` and ``high`` by the row's task and evidence."""
    pairs = list(zip(t["kind"], t["evidence"], strict=True))
    width = {pair: factors(intervals, *pair) if pair[1] else (np.nan, np.nan) for pair in set(pairs)}
    low, high = np.array([width[pair] for pair in pairs]).reshape(-1, 2).T
    return t.assign(low=t["estimate"] * low, high=t["estimate"] * high)


def spreads(tables: Sequence[pd.DataFrame], source: str) -> Intervals:
    """By task and evidence, the 90th percentile of |ln(published / estimated)| over rows that fed no fit."""
    all_rows = pd.concat(tables)
    done = all_rows[all_rows["estimate"].notna() & ~all_rows["in_fit"].astype(bool)]
    error = pd.Series(np.abs(np.log((done["value"] / done["estimate"]).to_numpy(float))), index=done.index)
    found: dict[str, dict[str, float]] = {}
    for (kind, evidence), errors in error.groupby([done["kind"], done["evidence"]]):
        if len(errors) >= LEAST:
            found.setdefault(str(kind), {})[str(evidence)] = round(float(errors.quantile(0.9)), 3)
    return Intervals(source, {kind: _widening(by_evidence) for kind, by_evidence in found.items()})


def _widening(by_evidence: dict[str, float]) -> dict[str, float]:
    """Weaker evidence never gives the narrower interval: that its few measured devices did well is no promise."""
    widest, ordered = 0.0, {}
    for evidence in (e for e in LADDER if e in by_evidence):
        widest = max(widest, by_evidence[evidence])
        ordered[str(evidence)] = widest
    return ordered


LEAST = 20  # rows below which a percentile says nothing


def _quantile(values: Any, q: float) -> float | None:
    return float(np.quantile(values, q)) if len(values) else None
