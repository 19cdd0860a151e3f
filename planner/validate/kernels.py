"""Measured kernel tables and the device they were measured on, set up for fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planner.calibrate.borrow import Member, Transferred, transfer
from planner.calibrate.case import Case
from planner.calibrate.record import calibrate
from planner.calibrate.studies import cases
from planner.catalogue import kernels
from planner.catalogue.kernels import KernelTable
from planner.catalogue.profiles import Profiles
from planner.errors import InputError, unknown
from planner.model.columns import Array, Columns
from planner.schema.coefficients import Calibration, Fit
from planner.schema.hardware import Device
from planner.search.machines import Setting, machine, misfits
from planner.validate.tables import cluster


def calibrated(system: str, tables: Path | None, profiles: Profiles) -> Calibration:
    """Every law fitted to the tables of one system of the wheel; ``tables`` is its systems/data where it is not installed."""
    device, columns, peaks, read = _set_up(system, tables, profiles)
    return calibrate(device, columns, peaks, read)


@dataclass(frozen=True)
class Agreement:
    """Two calibrations of a device on the same points: the median and the 90th percentile of how far one is from the other."""

    law: str
    variant: str
    points: int
    median: float
    p90: float


def from_timings(id: str, tables: Mapping[str, KernelTable], profiles: Profiles) -> tuple[Calibration, list[str]]:
    """A device's laws fitted to timings of its operators, and which of them had too few points.

    Raises InputError where nothing can be fitted, or where a time cannot be in the unit that it is said to be in.
    """
    columns, peaks = _row(profiles.device(id), profiles)
    for law, table in tables.items():
        _plausible(law, table, columns, peaks)
    enough: dict[str, tuple[Any, str]] = {}
    few: list[str] = []
    for law, table in tables.items():
        short = [text for case in cases(law, table.columns, columns, peaks) if (text := _too_few(case))]
        few += short
        if not short:
            enough[law] = (table.columns, table.source)
    found = calibrate(id, columns, peaks, enough)
    if not found.laws:
        raise InputError(
            few[0] if few else f"nothing here can be fitted to {id}: no dtype that its profile has a peak for", where=id
        )
    return found, few


def agreement(found: Calibration, tables: Mapping[str, KernelTable], profiles: Profiles) -> list[Agreement]:
    """``found`` held against what the catalogue has for the same device, on the points that ``found`` was fitted to."""
    shipped = profiles.calibration(found.id)
    columns, peaks = _row(profiles.device(found.id), profiles)
    rows = []
    for law, table in tables.items() if shipped else ():
        for case in cases(law, table.columns, columns, peaks):
            fits = [c.laws.get(case.law, {}).get(case.variant) for c in (found, shipped) if c]
            if all(fits):
                mine, theirs = (_seconds(case, fit) for fit in fits if fit)
                off = np.abs(mine / theirs - 1)
                rows.append(Agreement(case.law, case.variant, len(off), float(np.median(off)), float(np.quantile(off, 0.9))))
    return rows


def _seconds(case: Case, fit: Fit) -> Array:
    plain = case.predict(case.points, Columns(dict(fit.coefficients), length=len(case.points)))
    return plain * case.bent(fit.surface) if fit.surface else plain


def _too_few(case: Case) -> str:
    shapes, need = len(np.unique(case.groups)), 2 * len(case.ranges)
    if shapes >= FEWEST and len(case.points) >= need:
        return ""
    have = f"{len(case.points)} points of {shapes} shapes"
    return f"{case.law} {case.variant} has {have}; a fit needs at least {need} points of {FEWEST} shapes"


FEWEST = 5  # shapes, of which one is held out
IMPOSSIBLE = 3.0  # times the datasheet's peak: no clock and no rounding explains that


def _plausible(law: str, table: KernelTable, columns: Columns, peaks: Mapping[str, float]) -> None:
    if law != "matmul":
        return
    c = table.columns
    peak = np.array([peaks.get(str(d), np.inf) for d in c["dtype"]])
    rate = 2 * c["m"] * c["n"] * c["k"] / c["seconds"] / peak
    if (rate > IMPOSSIBLE).any():
        i = int(np.argmax(rate))
        shape = f"{c['m'][i]:g} x {c['n'][i]:g} x {c['k'][i]:g} {c['dtype'][i]}"
        raise InputError(f"{shape} would run at {rate[i]:.3g} times the device's peak", where=table.source,
                         hint="Are the times in another unit, or is it another device?")  # fmt: skip


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
    columns, peaks = _row(device, profiles)
    read = {law: kernels.read(system, law, tables) for law in kernels.LAWS}
    return device.id, columns, peaks, {law: (t.columns, t.source) for law, t in read.items() if t}


def _row(device: Device, profiles: Profiles) -> tuple[Columns, dict[str, float]]:
    """A device's one row, in the 16 bits it computes in (in fp32 where it has none), and its peaks by dtype."""
    precision = next((p for p in ("bf16", "fp16") if p in device.peak), "fp32")
    columns, _ = machine([Setting(device, cluster(device.id, profiles), precision)], lambda _: None)
    return columns.device, {str(dtype): figure.value for dtype, figure in device.peak.items()}
