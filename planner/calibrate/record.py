"""Fits of one device gathered into the record that ``hardware_profiles/calibrations/<device>.yaml`` holds."""

from collections.abc import Mapping
from typing import Any

from planner.calibrate.case import Case
from planner.calibrate.fit import Fitted
from planner.calibrate.studies import cases
from planner.model.columns import Columns
from planner.schema.coefficients import Calibration, Fit


def calibrate(device: str, columns: Columns, peaks: Mapping[str, float], tables: Mapping[str, tuple[Any, str]]) -> Calibration:
    """Fit every law that has a table (law -> columns and source); ``columns`` is the device's one row."""
    laws: dict[str, dict[str, Fit]] = {}
    sources = {law: source for law, (_, source) in tables.items()}
    for name, (table, _) in tables.items():
        for case in cases(name, table, columns, peaks):
            laws.setdefault(case.law, {})[case.variant] = _fit(case, case.run()).cited(name)
    return Calibration(device, "device", sources, laws)


def _fit(case: Case, fitted: Fitted) -> Fit:
    rounded = {name: float(f"{value:.4g}") for name, value in fitted.coefficients.items()}
    alone = None if fitted.formula_error is None else round(fitted.formula_error, 4)
    note = "; ".join(filter(None, (f"{fitted.held_out_points} points held out", case.note)))
    return Fit(rounded, case.law, fitted.points, round(fitted.held_out_error, 4), note, alone, fitted.surface)
