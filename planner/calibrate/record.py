"""Fits of one device gathered into the record that ``hardware_profiles/calibrations/<device>.yaml`` holds."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from planner.calibrate.case import Case
from planner.calibrate.fit import Fitted
from planner.calibrate.studies import cases
from planner.model.columns import Columns
from planner.schema.coefficients import Calibration, Fit


def calibrate(device: str, columns: Columns, peaks: Mapping[str, float], tables: Mapping[str, tuple[Any, str]]) -> Calibration:
    """Fit every law that has a table (law -> columns and source); ``columns`` is the device's one row."""
    laws: dict[str, dict[str, Fit]] = {}
    sources = {law: source for law, (_, source) in tables.items()}
    for law, (table, _) in tables.items():
        for case in cases(law, table, columns, peaks):
            laws.setdefault(law, {})[case.variant] = _fit(case, case.run())
    return Calibration(device, "device", sources, laws)


def _fit(case: Case, fitted: Fitted) -> Fit:
    rounded = {name: float(f"{value:.4g}") for name, value in fitted.coefficients.items()}
    alone = None if fitted.formula_error is None else round(fitted.formula_error, 4)
    note = "; ".join(filter(None, (f"{fitted.held_out_points} points held out", case.note)))
    return Fit(rounded, case.law, fitted.points, round(fitted.held_out_error, 4), note, alone, fitted.surface)


def borrowed(name: str, covers: Literal["family", "kind"], members: Iterable[Calibration]) -> Calibration:
    """What a device of the family without measurements borrows: the median of each coefficient over its measured siblings.

    Coefficients are relative to datasheet peaks, so that a sibling's own peaks scale them; constant times carry over.
    """
    members = list(members)
    laws: dict[str, dict[str, Fit]] = {}
    for law in dict.fromkeys(law for m in members for law in m.laws):
        for variant in dict.fromkeys(v for m in members for v in m.laws.get(law, {})):
            fits = [m.laws[law][variant] for m in members if variant in m.laws.get(law, {})]
            laws.setdefault(law, {})[variant] = _middle(fits) if law in WHOLE else _median(fits)
    for law in ("network", "engine"):  # laws by software stack: a stack nobody measured here borrows from all of them
        if law in laws:
            laws[law]["default"] = _middle([fit for m in members for fit in m.laws.get(law, {}).values()])
    sources = {"siblings": f"median of the calibrations of {', '.join(m.id for m in members)}"}
    return Calibration(name, covers, sources, laws)


WHOLE = ("network", "engine")
"""Laws whose coefficients mean something only together: a borrower takes one member's set, the middle one's."""


def _middle(fits: list[Fit]) -> Fit:
    ordered = sorted(fits, key=lambda f: next(iter(f.coefficients.values())))
    chosen = ordered[len(ordered) // 2]
    return replace(
        chosen, source="siblings", points=sum(f.points for f in fits), held_out_error=None, formula_error=None, note=""
    )


def _median(fits: list[Fit]) -> Fit:
    names = fits[0].coefficients
    middle = {n: float(f"{np.median([f.coefficients[n] for f in fits]):.4g}") for n in names}
    bent = [f.surface for f in fits if f.surface]
    surface = tuple(np.rint(np.mean(bent, axis=0)).astype(int).tolist()) if bent else ()
    return Fit(middle, "siblings", sum(f.points for f in fits), surface=surface)
