"""Intervals from the errors of published rows, and whether such intervals hold on rows that had no part in them."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from planner.schema.claim import feeds_fit
from planner.schema.coefficients import Cell, Intervals
from planner.search.intervals import POOLED, factors, levels
from planner.search.machines import LADDER

NOMINAL = 0.9
LEAST = 20  # rows below which a percentile says nothing
DEVICES = 4
"""Measured devices a class pooled over software needs before it bounds estimates of devices that nobody measured."""
MEASURED = LADDER[: LADDER.index("calibrated") + 1]
SHARED: dict[Literal["workload", "device"], str] = {"workload": "workload", "device": "hardware"}
RUN = ("workload", "hardware", "devices", "precision", "batch", "micro_batch", "sequence_length", "input_tokens",
       "output_tokens", "tp", "concurrency", "stack")  # fmt: skip
"""Columns that say which run a row is of: its rates and latencies err together, so they stay in one part."""

Row = tuple[Hashable, ...]


def with_intervals(t: pd.DataFrame, intervals: Intervals) -> pd.DataFrame:
    """Adds ``low`` and ``high`` by the row's task, evidence and what it is about."""
    keys = list(zip(t["kind"], t["evidence"], t["about"], strict=True))
    width = {key: factors(intervals, *key) if key[1] else (np.nan, np.nan) for key in set(keys)}
    low, high = np.array([width[key] for key in keys]).reshape(-1, 2).T
    return t.assign(low=t["estimate"] * low, high=t["estimate"] * high)


def held_out(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The estimated rows of all tables that fed no fit, with ``error``: |ln(published / estimated)|."""
    rows = pd.concat(tables, ignore_index=True)
    rows = rows[rows["estimate"].notna() & ~rows["in_fit"].astype(bool)]
    return rows.assign(error=np.abs(np.log((rows["value"] / rows["estimate"]).to_numpy(float))))


def spreads(rows: pd.DataFrame, source: str) -> Intervals:
    """Conformal quantiles of ``held_out`` rows: pooled by task and evidence, and by every class with enough rows."""
    pooled: dict[str, dict[str, float]] = {}
    for (task, evidence), group in rows.groupby(["kind", "evidence"]):
        if len(group) >= LEAST:
            pooled.setdefault(str(task), {})[str(evidence)] = quantile(group["error"].to_numpy(float))
    columns = (rows["kind"], rows["evidence"], rows["about"])
    named = [(name, i) for i, row in enumerate(zip(*columns, strict=True)) for name in dict.fromkeys(levels(*row))]
    index: dict[str, list[int]] = {}
    for name, i in named:
        index.setdefault(name, []).append(i)
    errors, devices = rows["error"].to_numpy(float), rows["hardware"].to_numpy()
    cells = {
        name: Cell(quantile(errors[of]), len(of), len(set(devices[of])))
        for name, of in sorted(index.items())
        if len(of) >= LEAST and _stands(name, len(set(devices[of])))
    }
    spread = {task: _widening(found) for task, found in pooled.items()}
    return Intervals(
        source, spread, {"workload": _shared(rows, "workload"), "device": _shared(rows, "hardware")}, _widened(cells)
    )


def _stands(name: str, devices: int) -> bool:
    """Whether a class says something of any device it is used for: a measured one, one with the same software, one of many."""
    *_, evidence, _, stack = name.split("/")
    return evidence in MEASURED or stack != POOLED or devices >= DEVICES


def _shared(rows: pd.DataFrame, column: str) -> float:
    """Correlation of the errors of two runs of one class that agree in a column: mean product of pairs by mean square."""
    signed = np.log((rows["value"] / rows["estimate"]).to_numpy(float))
    products, squares = 0.0, 0.0
    for of in rows.groupby(["kind", "evidence", "about", column]).indices.values():
        n, e = len(of), signed[of]
        if n > 1:
            products += (e.sum() ** 2 - (e**2).sum()) / (n - 1)
            squares += (e**2).sum()
    return round(float(np.clip(products / squares, 0.0, 1.0)), 3) if squares else 0.0


def quantile(errors: np.ndarray) -> float:
    """The ceil((n + 1) 0.9)-th smallest of n errors, which a further one stays within with a probability of at least 0.9.

    Lei et al., Distribution-free predictive inference for regression (2018), theorem 2.1.
    """
    rank = min(len(errors), int(np.ceil((len(errors) + 1) * NOMINAL)))
    return round(float(np.sort(errors)[rank - 1]), 3)


def _widening(by_evidence: dict[str, float]) -> dict[str, float]:
    """Weaker evidence never gives the narrower interval: that its few measured devices did well is no promise."""
    widest, ordered = 0.0, {}
    for evidence in (e for e in LADDER if e in by_evidence):
        widest = max(widest, by_evidence[evidence])
        ordered[str(evidence)] = widest
    return ordered


def _widened(cells: dict[str, Cell]) -> dict[str, Cell]:
    """The same rule among classes that differ in evidence alone."""
    alike: dict[tuple[str, ...], dict[str, float]] = {}
    for name, cell in cells.items():
        parts = name.split("/")
        alike.setdefault((*parts[:3], *parts[4:]), {})[parts[3]] = cell.spread
    wide = {key: _widening(found) for key, found in alike.items()}
    return {
        name: Cell(wide[(*(p := name.split("/"))[:3], *p[4:])][p[3]], cell.rows, cell.devices) for name, cell in cells.items()
    }


def _halves(rows: pd.DataFrame) -> pd.Series:
    runs = rows[list(RUN)].itertuples(index=False, name=None)
    return pd.Series([feeds_fit("half " + " ".join(map(str, run)), 2) for run in runs], index=rows.index)


PARTS: dict[str, Callable[[pd.DataFrame], "pd.Series[Any]"]] = {
    "halves": _halves,
    "devices": lambda rows: rows["hardware"],
    "workloads": lambda rows: rows["workload"].map(lambda name: int(feeds_fit(name, 2)) + 2 * int(feeds_fit(f"{name}.", 2))),
    "files": lambda rows: rows["file"],
}
"""How rows are parted: each part is bounded by intervals from all the other parts alone."""


def crossed(rows: pd.DataFrame, parting: str) -> pd.DataFrame:
    """``held_out`` rows with ``low`` and ``high`` from intervals that saw none of the row's own part."""
    part = PARTS[parting](rows).to_numpy()
    found = [with_intervals(rows[part == one], spreads(rows[part != one], "cross-validation")) for one in pd.unique(part)]
    return pd.concat(found).loc[rows.index] if found else rows


def coverage(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """One record for each evidence, task, and file of these: rows, share held and median width under each parting.

    A width is half the interval's length over the estimate.
    """
    parted = {name: crossed(rows, name) for name in PARTS} if len(rows) else {}
    held: dict[str, Any] = {name: (t["low"] <= t["value"]) & (t["value"] <= t["high"]) for name, t in parted.items()}
    columns = rows[["file", "kind", "evidence"]].assign(**held)
    columns["median_width"] = (parted["halves"]["high"] - parted["halves"]["low"]) / 2 / rows["estimate"] if parted else 0.0
    for by in (["evidence"], ["kind", "evidence"], ["file", "kind", "evidence"]):
        for names, group in columns.groupby(by):
            if len(group) >= LEAST or len(by) == 3:
                file, task, evidence = ("all", "all", *map(str, names))[-3:]
                found: dict[str, Any] = {"file": file, "task": task, "evidence": evidence, "rows": len(group), "nominal": NOMINAL}
                shares = {name: float(group[name].mean()) for name in parted}
                yield found | shares | {"median_width": float(group["median_width"].median())}
