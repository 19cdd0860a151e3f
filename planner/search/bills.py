"""Money, energy and carbon of every listing at once, as the fields of its candidate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner import units
from planner.model import cost
from planner.model.columns import Array, Columns
from planner.schema.inputs import Inputs
from planner.search import money
from planner.search.listings import Listing, Place


@dataclass(frozen=True)
class Bills:
    """Figures of L listings, each (L,)."""

    account: money.Account
    power: Array
    joules: Array
    year: Array
    carbon: Array
    embodied: Array
    pue: Array
    idle: Array
    full: Array

    def fields(self, i: int) -> dict[str, Any]:
        """What listing ``i`` adds to a candidate."""
        a = self.account
        carbon, embodied = float(self.carbon[i]), float(self.embodied[i])
        return {
            "cost_parts": _worth_showing(a.parts, i), "upfront": _worth_showing(a.upfront, i),
            "monthly": _worth_showing(a.monthly, i), "resale": float(a.resale[i]),
            "by_use": tuple(a.by_use[i].tolist()), "unpriced": a.unpriced[i], "power": float(self.power[i]),
            "pue": float(self.pue[i]),
            "energy": float(self.joules[i]), "year": float(self.year[i]), "carbon": None if np.isnan(carbon) else carbon,
            "embodied": None if np.isnan(embodied) else embodied,
        }  # fmt: skip


def _worth_showing(parts: money.Parts, i: int) -> dict[str, float]:
    return {name: float(values[i]) for name, values in parts.items() if values[i] != 0}


def bills(inputs: Inputs, listed: Sequence[Listing], places: Sequence[Place], rows: Columns, device: Columns) -> Bills:
    """rows (L,): instances, devices, hours of the period, load [of the machines that run, 0 to 1], needed [instances at the peak,
    unrounded], lost [times longer for what training loses to spot]; device (L,): tdp, idle and host power [W].
    """
    device = _drawn(inputs, device)
    running = money.running(inputs, listed, rows.instances, rows.needed)
    load = np.minimum(rows.load / running, 1.0)
    none, whole = np.zeros(len(rows)), np.ones(len(rows))
    watts, idle, full = (cost.power(device, rows.devices, x) for x in (load, none, whole))
    rows = rows.with_(
        hours=rows.hours * rows.lost, stretch=money.stretch(inputs, listed), running=running, watts=watts, idle=idle, full=full
    )
    account = money.account(inputs, listed, places, rows)
    own = np.array([listing.term == "owned" for listing in listed])
    pue = np.array([_pue(inputs, listing) for listing in listed])
    work = account.used * watts * pue
    joules = (work + np.where(own, np.maximum(account.held - account.used, 0) * idle * pue, 0.0)) * units.HOUR
    intensity = np.array([_intensity(inputs, listing) for listing in listed]) * _by_hour(inputs, load, idle, full, watts)
    made = np.array([_embodied(places[listing.place]) for listing in listed])
    life = inputs.plan.economics.horizon / units.HOUR
    return Bills(
        account, watts, joules, joules * units.YEAR / units.HOUR / account.held, joules * intensity,
        made * rows.devices * account.held / life, pue, idle, full,
    )  # fmt: skip


def _drawn(inputs: Inputs, device: Columns) -> Columns:
    """Devices with the power that the plan measured or derates, instead of their board power."""
    e = inputs.plan.economics
    top = device.tdp * (e.derate or 1.0) if e.device_power is None else np.full(len(device), e.device_power)
    return device.with_(tdp=top, idle=np.minimum(device.idle, top))


def _place_of(listing: Listing) -> str:
    """The grid that a listing's machines are on; "" is the plan's own."""
    return "" if listing.term == "owned" else f"{listing.provider.id}/{listing.offer.region}"


def _pue(inputs: Inputs, listing: Listing) -> float:
    grid = None if listing.term == "owned" else inputs.grids.get(_place_of(listing))
    return grid.pue.value if grid and grid.pue else inputs.plan.economics.pue


def _intensity(inputs: Inputs, listing: Listing) -> float:
    given, grid = inputs.plan.economics.carbon_intensity, inputs.grids.get(_place_of(listing))
    return given if given is not None else grid.carbon.value if grid and grid.carbon else float("nan")


def _embodied(place: Place) -> float:
    return place.device.embodied.value if place.device.embodied else float("nan")


def _by_hour(inputs: Inputs, load: Array, idle: Array, full: Array, watts: Array) -> Array:
    """How much more than the average an hour's electricity emits when each hour counts by the power that is drawn in it (L,)."""
    hours = np.array(inputs.plan.economics.carbon_by_hour or (1.0,))
    day = np.array(inputs.plan.daily or (1.0,) * len(hours))
    if len(hours) == 1:
        return np.ones(len(watts))
    drawn = idle[:, None] + (full - idle)[:, None] * np.minimum(load[:, None] * day / day.mean(), 1.0)
    return np.asarray((drawn * hours).sum(axis=1) / drawn.sum(axis=1))
