"""Measured kernel tables and the device they were measured on, set up for fits."""

from pathlib import Path
from typing import Any

from planner.calibrate.borrow import Member, Transferred, transfer
from planner.calibrate.case import Case
from planner.calibrate.record import calibrate
from planner.calibrate.studies import cases
from planner.catalogue import kernels
from planner.catalogue.profiles import Profiles
from planner.errors import InputError, unknown
from planner.model.columns import Columns
from planner.schema.coefficients import Calibration
from planner.search.machines import Setting, machine, misfits
from planner.validate.tables import cluster


def calibrated(system: str, tables: Path | None, profiles: Profiles) -> Calibration:
    """Every law fitted to the tables of one system of the wheel; ``tables`` is its systems/data where it is not installed."""
    device, columns, peaks, read = _set_up(system, tables, profiles)
    return calibrate(device, columns, peaks, read)


def measured(calibrations: list[Calibration], profiles: Profiles) -> list[Member]:
    """The calibrations of devices, with those; InputError for a surface that does not fit its law."""
    found = [c for c in calibrations if c.covers == "device"]
    for c in found:
        for problem in misfits(c):
            raise InputError(problem, where=f"calibration {c.id}", hint="It was made by another version: calibrate again.")
    return [(profiles.device(c.id), c) for c in found]


def transferred(members: list[Member], tables: Path | None, profiles: Profiles) -> list[Transferred]:
    """Every member that is a system of the wheel, predicted from the others."""
    ids = {device.id for device, _ in members}
    return transfer(members, {id: _cases(s, tables, profiles) for s, id in kernels.SYSTEMS.items() if id in ids})


def _cases(system: str, tables: Path | None, profiles: Profiles) -> list[Case]:
    _, columns, peaks, read = _set_up(system, tables, profiles)
    return [case for law, (table, _) in read.items() for case in cases(law, table, columns, peaks)]


def _set_up(
    system: str, tables: Path | None, profiles: Profiles
) -> tuple[str, Columns, dict[str, float], dict[str, tuple[Any, str]]]:
    """The device's id, its row, its peaks by dtype, and the tables by law."""
    if system not in kernels.SYSTEMS:
        raise unknown("system", system, kernels.SYSTEMS)
    device = profiles.device(kernels.SYSTEMS[system])
    columns, _ = machine([Setting(device, cluster(device.id, profiles), "bf16")], lambda _: None)
    read = {law: kernels.read(system, law, tables) for law in kernels.LAWS}
    peaks = {str(dtype): figure.value for dtype, figure in device.peak.items()}
    return device.id, columns.device, peaks, {law: (t.columns, t.source) for law, t in read.items() if t}
