"""Errors of a table's estimates: how many rows, how far off, and why the rest were skipped."""

from typing import Any

import numpy as np
import pandas as pd

from planner.schema.coefficients import Intervals
from planner.search.intervals import factors


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


def rows(t: pd.DataFrame) -> list[dict[str, Any]]:
    """Each row's case, value, estimate, interval, evidence and reason to skip; None where there is none."""
    names = ["case", "value", "estimate", "low", "high", "evidence", "skip"]
    renamed = t[names].rename(columns={"skip": "skipped"}).astype(object)
    return renamed.where(renamed.notna(), None).to_dict(orient="records")  # type: ignore[return-value]


def with_intervals(t: pd.DataFrame, intervals: Intervals) -> pd.DataFrame:
    """Adds ``low`` and ``high`` by the kind of workload and the evidence."""
    family = np.where(t["task"] == "training", "training", "inference")
    width = {key: factors(intervals, *key) for key in {(f, e) for f, e in zip(family, t["evidence"], strict=True) if e}}
    pair = [width.get((f, e), (np.nan, np.nan)) for f, e in zip(family, t["evidence"], strict=True)]
    low, high = np.array(pair).reshape(-1, 2).T
    return t.assign(low=t["estimate"] * low, high=t["estimate"] * high)


def _quantile(values: Any, q: float) -> float | None:
    return float(np.quantile(values, q)) if len(values) else None
