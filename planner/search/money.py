"""What every listing costs: rented or owned, for the plan's period, each month, and by how much of the time it has work."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner import units
from planner.model import cost
from planner.model.columns import Array, Columns
from planner.model.goodput import share
from planner.schema.inputs import Inputs
from planner.search.listings import Listing, Place

USES = np.linspace(0.0, 1.0, 21)
"""Shares of the time at which a month is also priced."""
AMOUNTS = ("object", "block", "egress", "ingress", "between_zones", "between_regions")
TITLES = {"object": "object storage", "block": "block storage", "load_balancer": "load balancers"}
Parts = dict[str, Array]


@dataclass(frozen=True)
class Account:
    """Money of L listings, each figure (L,): ``parts`` of the plan's period; of owning, what is paid ``upfront`` and what the
    machines are worth at the end; ``monthly`` cash of a month; ``by_use`` (L, 21) the whole month at USES, purchase included.
    """

    parts: Parts
    upfront: Parts
    monthly: Parts
    resale: Array
    by_use: Array
    used: Array
    """Hours of the period that are worked, in machines that run: those that are billed where time is."""
    held: Array
    """Hours of the period that the machines are kept."""
    unpriced: tuple[tuple[str, ...], ...]
    """Services that the plan wants and whose price nobody sourced."""


@dataclass(frozen=True)
class _Ledger:
    """Everything a bill is made of, each (L, 1) so that it meets hours (L, K)."""

    owned: Array
    metered: Array
    on_demand: Array
    hourly: Array
    services: Parts
    upfront: Parts
    worth: Parts
    upkeep: Parts
    watts: Array
    idle: Array


def account(inputs: Inputs, listed: Sequence[Listing], places: Sequence[Place], rows: Columns) -> Account:
    """rows (L,): instances, devices, hours of the period, stretch [times longer for interruptions], running [share of the
    instances that autoscaling runs], and watts at the plan's load, when idle, and at full load.
    """
    plan = inputs.plan
    ledger, unpriced = _ledger(inputs, listed, places, rows)
    busy = plan.economics.busy
    worked = rows.hours * (busy if plan.capacity else 1.0)
    used = worked * rows.stretch * np.where(ledger.metered[:, 0], rows.running, 1.0)
    if plan.ends:
        used = np.where(ledger.metered[:, 0], cost.billed(used, plan.rent.minimum, plan.rent.increment), used)
    held = used / busy if plan.ends else rows.hours
    months = held / cost.MONTH_HOURS
    parts = _parts(inputs, ledger, used[:, None], held[:, None], months[:, None])
    month = np.full(len(rows), cost.MONTH_HOURS)
    flow = parts
    if plan.ends:
        flow = _parts(inputs, ledger, (month * busy)[:, None], month[:, None], np.ones((len(rows), 1)))
    spread = month[:, None] * USES * np.where(ledger.metered, (rows.running * rows.stretch)[:, None], 1.0)
    uses = _parts(inputs, ledger, spread, month[:, None], np.ones((len(rows), 1)))
    return Account(
        _flat(parts), _flat(ledger.upfront), {k: v for k, v in _flat(flow).items() if k not in _SUNK},
        np.asarray(sum(ledger.worth.values()))[:, 0], np.asarray(sum(uses.values())), used, held, unpriced,
    )  # fmt: skip


_SUNK = ("hardware", "hosts", "network", "racks", "cooling plant", "installation", "spares", "purchase tax", "cost of capital")
"""Parts of a month that were paid at the order."""


def _flat(parts: Parts) -> Parts:
    return {name: np.asarray(values)[:, 0] for name, values in parts.items()}


def _parts(inputs: Inputs, ledger: _Ledger, used: Array, held: Array, months: Array) -> Parts:
    """Every part of every bill (L, K) for hours in use, hours held and months of service (L, K); zero where it does not apply."""
    return _rent(inputs, ledger, used, held, months) | _own(inputs, ledger, used, held)


def _rent(inputs: Inputs, ledger: _Ledger, used: Array, held: Array, months: Array) -> Parts:
    rent, rented = inputs.plan.rent, ~ledger.owned
    hours = np.where(ledger.metered, used, held)
    if rent.sustained_use:
        part = np.minimum(used / np.maximum(cost.MONTH_HOURS * np.maximum(months, 1.0), 1e-9), 1.0)
        over, pays = [0.0, *(s.over for s in rent.sustained_use)], [1.0, *(s.pays for s in rent.sustained_use)]
        paid = cost.tiered(part, over, pays) / np.maximum(part, 1e-12)
        hours = np.where(ledger.on_demand & (part > 0), hours * paid, hours)
    parts = {"rent": ledger.hourly * hours, **{name: each * months for name, each in ledger.services.items()}}
    parts["support"] = rent.support * np.asarray(sum(parts.values()))
    parts["tax"] = rent.tax * np.asarray(sum(parts.values()))
    return {name: np.where(rented, value, 0.0) for name, value in parts.items()}


def _own(inputs: Inputs, ledger: _Ledger, used: Array, held: Array) -> Parts:
    e, lead = inputs.plan.economics, inputs.plan.own.lead_time / units.MONTH
    months, life = held / cost.MONTH_HOURS, e.horizon / units.MONTH
    parts = {name: (paid - ledger.worth.get(name, 0.0)) / (life - lead) * months for name, paid in ledger.upfront.items()}
    price, worth = np.asarray(sum(ledger.upfront.values())), np.asarray(sum(ledger.worth.values()))
    rate = cost.monthly_rate(e.cost_of_capital)
    parts["cost of capital"] = cost.capital(price, worth, rate, life, lead) * months if rate else 0.0 * months
    parts |= {name: each * months for name, each in ledger.upkeep.items()}
    idle = np.maximum(held - used, 0.0)
    parts["electricity"] = (ledger.watts * used + ledger.idle * idle) / 1000 * e.pue * e.electricity[0]
    return {name: np.where(ledger.owned, value, 0.0) for name, value in parts.items()}


def _ledger(
    inputs: Inputs, listed: Sequence[Listing], places: Sequence[Place], rows: Columns
) -> tuple[_Ledger, tuple[tuple[str, ...], ...]]:
    plan, e = inputs.plan, inputs.plan.economics
    term = np.array([listing.term for listing in listed])
    amount = np.array([listing.amount for listing in listed])
    owned = term == "owned"
    off = np.array([plan.rent.discounts.get(listing.term, 0.0) for listing in listed])  # type: ignore[call-overload]
    machine = _machines(inputs, listed, places, rows, np.where(owned, amount, 0.0))
    upfront = cost.purchase(machine, _terms(inputs))
    worth = {name: plan.own.residual * upfront[name] for name in ("hardware", "hosts")}
    services, unpriced = _services(inputs, listed)
    ledger = _Ledger(
        owned[:, None], np.isin(term, ("on_demand", "spot"))[:, None], (term == "on_demand")[:, None],
        (np.where(owned, 0.0, amount * (1 - off)) * rows.instances)[:, None], _wide(services),
        _wide({name: np.where(owned, paid, 0.0) for name, paid in upfront.items()}),
        _wide({name: np.where(owned, value, 0.0) for name, value in worth.items()}),
        _wide(cost.upkeep(machine, _terms(inputs))), rows.watts[:, None], rows.idle[:, None],
    )  # fmt: skip
    assert e.electricity[1] == e.currency
    return ledger, unpriced


def _wide(parts: Parts) -> Parts:
    return {name: np.asarray(values)[:, None] for name, values in parts.items()}


def _machines(inputs: Inputs, listed: Sequence[Listing], places: Sequence[Place], rows: Columns, price: Array) -> Columns:
    """What is bought, by listing (L,)."""
    e, own, sites = inputs.plan.economics, inputs.plan.own, inputs.plan.sites
    at = [places[listing.place] for listing in listed]
    whole = np.array([place.devices / place.system.devices for place in at])
    nodes = sites * np.ceil(rows.instances / sites * whole - 1e-9)
    alone = np.array([listing.offer.needs_host for listing in listed])
    return Columns(
        price=price, instances=rows.instances, nodes=nodes, racks=np.ceil(nodes / own.nodes_per_rack),
        host_price=np.where(alone, _amount(e.host_price), 0.0), kilowatts=rows.full / 1000,
        sites=float(sites if inputs.plan.fleet else 0), length=len(rows),
    )  # fmt: skip


def _terms(inputs: Inputs) -> dict[str, float]:
    """The plan's terms of owning as plain numbers; nothing where it gives none."""
    own, fleet = inputs.plan.own, inputs.plan.fleet
    money = ("network", "rack", "cooling", "installation", "colocation", "space", "staff", "bandwidth")
    terms = {name: _amount(getattr(own, name)) for name in money}
    terms |= {name: getattr(own, name) for name in ("spares", "purchase_tax", "maintenance")}
    terms |= {
        "site": _amount(fleet.installation) if fleet else 0.0,
        "connectivity": _amount(fleet.connectivity) if fleet else 0.0,
    }
    return terms | {"replacement": fleet.replacement if fleet else 0.0}


def _amount(money: tuple[float, str] | None) -> float:
    return money[0] if money else 0.0


def _services(inputs: Inputs, listed: Sequence[Listing]) -> tuple[Parts, tuple[tuple[str, ...], ...]]:
    """Money a month of each service by listing (L,), and which of them have no price there."""
    each = {id: _month_of_services(inputs, id) for id in {listing.provider.id for listing in listed}}
    names = list(dict.fromkeys(name for parts in each.values() for name in parts))
    filled = {n: np.array([np.nan_to_num(each[x.provider.id].get(n, 0.0)) for x in listed]) for n in names}
    missing = {id: tuple(n for n, value in parts.items() if np.isnan(value)) for id, parts in each.items()}
    return filled, tuple(() if x.term == "owned" else missing[x.provider.id] for x in listed)


def _month_of_services(inputs: Inputs, provider: str) -> dict[str, float]:
    """Money a month by service at one provider; NaN where neither the plan nor the catalogue has a price."""
    rent = inputs.plan.rent
    parts = {
        TITLES.get(name, name.replace("_", " ")): _charge(inputs, provider, name, getattr(rent, name) / 1e9)
        for name in AMOUNTS
        if getattr(rent, name)
    }
    if rent.load_balancers:
        hours = rent.load_balancers * cost.MONTH_HOURS
        parts[TITLES["load_balancer"]] = _charge(inputs, provider, "load_balancer", hours)
    return parts


def _charge(inputs: Inputs, provider: str, name: str, amount: float) -> float:
    """Money for an amount of one service [GB, or hours]: at the plan's price, else at the provider's list."""
    own: tuple[float, str] | None = getattr(inputs.plan.rent.prices, name)
    if own:
        return amount * own[0]
    known = inputs.services.get(provider)
    worth = {inputs.plan.economics.currency: 1.0} | {code: r.amount for code, r in inputs.plan.economics.rates.items()}
    price = getattr(known, name) if known else None
    if not price:
        return float("nan")
    if name != "egress":
        return amount * price.amount * worth.get(price.currency, float("nan"))
    rates = [band.price.amount * worth.get(band.price.currency, np.nan) for band in price]
    return float(cost.tiered(np.array(amount), [band.over / 1e9 for band in price], rates))


def stretch(inputs: Inputs, listed: Sequence[Listing]) -> Array:
    """How many times longer a listing runs for the same work, for the interruptions of spot (L,); training has its own."""
    spot = inputs.plan.rent.spot
    if spot is None or inputs.plan.train:
        return np.ones(len(listed))
    longer = 1 + spot.restart / spot.mtbf
    if spot.checkpoint_interval:
        times = [np.array(x) for x in (spot.checkpoint_interval, spot.checkpoint_write, spot.mtbf, spot.restart)]
        longer = 1 / float(share(*times))
    return np.where([listing.term == "spot" for listing in listed], longer, 1.0)


def running(inputs: Inputs, listed: Sequence[Listing], instances: Array, needed: Array) -> Array:
    """Share of the instance-hours of a day that autoscaling runs (L,); ``needed`` instances at the peak, unrounded (L,)."""
    plan = inputs.plan
    follows = np.array([plan.rent.autoscale and x.term in ("on_demand", "spot") for x in listed])
    if not follows.any():
        return np.ones(len(listed))
    kept = instances - np.ceil(needed - 1e-9)  # spares run day and night
    hourly = np.ceil(needed[:, None] * np.array(plan.daily) - 1e-9) + kept[:, None]
    hourly = np.clip(hourly, np.minimum(plan.rent.keep, instances)[:, None], instances[:, None])
    return np.where(follows, cost.autoscaled(hourly, plan.rent.minimum) / (24 * instances), 1.0)
