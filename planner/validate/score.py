"""Errors of a table's estimates: how many rows, how far off, and why the rest were skipped."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.schema.claim import NUMBERS, TEXTS

RUN = [name for name in (*TEXTS, *NUMBERS) if name not in ("case", "metric", "unit", "value")]
"""Columns that rows of one run have in common."""


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


def scores(name: str, t: pd.DataFrame, by: Sequence[str]) -> list[dict[str, Any]]:
    """The figures of a file, or of each combination of values that its rows have of the columns ``by``; by metric, with the
    throughput of requests in flight beside the times that make it.
    """
    if not by:
        return [score(name, t)]
    told = pd.concat([t, in_flight(t)], ignore_index=True) if "metric" in by else t
    return [{**score(name, part), "group": " ".join(map(_said, values))} for values, part in told.groupby(list(by), dropna=False)]


def in_flight(t: pd.DataFrame) -> pd.DataFrame:
    """A row of output tokens a second for each run with rows of both times under a number of requests in flight.

    Each request takes ttft + tpot × (output tokens − 1) seconds for its output tokens, and another takes its place.
    """
    times = t[t["concurrency"].notna() & t["metric"].isin(["ttft_s", "tpot_s"])]
    times = times.assign(again=times.groupby([*RUN, "metric"], dropna=False).cumcount())
    first, each = times[times["metric"] == "ttft_s"], times[times["metric"] == "tpot_s"]
    both = each.merge(first, on=[*RUN, "again"], suffixes=("", "_first"))

    def rate(of: str) -> "pd.Series[float]":
        return both["output_tokens"] * both["concurrency"] / (both[f"{of}_first"] + both[of] * (both["output_tokens"] - 1))

    found = {"value": rate("value"), "estimate": rate("estimate"), "low": rate("high"), "high": rate("low")}
    seen = both["in_fit"].astype(bool) | both["in_fit_first"].astype(bool)
    return both.assign(metric="output_tokens_per_s", in_fit=seen, **found)[list(t.columns)]


def _said(value: Any) -> str:
    """A value as a row has it: numbers without their fraction of nothing, "–" for none."""
    if isinstance(value, float):
        return "–" if np.isnan(value) else f"{value:g}"
    return str(value) or "–"


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


def _quantile(values: Any, q: float) -> float | None:
    return float(np.quantile(values, q)) if len(values) else None
