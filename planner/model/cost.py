"""Money and power: plain sums, so that every total is the sum of its shown parts. Amounts are in one currency.

Every function takes scalars or columns (N,) that broadcast, and rounds nothing: cents are made where figures are shown.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from planner import units
from planner.model.columns import Array, Columns

MONTH_HOURS = units.MONTH / units.HOUR


def rent(hourly: float, instances: float, hours: float) -> float:
    """Rent of so many instances for so many hours."""
    return hourly * instances * hours


def written_off(price: float, instances: float, hours: float, horizon: float) -> float:
    """Straight-line share of the purchase price that ``hours`` of a ``horizon`` [s] use up."""
    return price * instances * hours * units.HOUR / horizon


def energy(watts: float, hours: float, pue: float, per_kwh: float) -> float:
    """Electricity of so many watts at the wall of a hall with this power usage effectiveness."""
    return watts / 1000 * pue * hours * per_kwh


def power(device: Columns, devices: Array, load: Array) -> Array:
    """Watts of all devices and their hosts at a load from 0 to 1 (N,).

    Between idle and board power in proportion to load; at board power where idle power is not published. Hosts draw
    what the node's published maximum leaves beside its devices.
    """
    top = np.fmax(np.nan_to_num(device.tdp), np.nan_to_num(device.idle))
    idle = np.where(np.isfinite(device.idle), device.idle, top)
    return np.asarray(devices * (idle + (top - idle) * load + device.host_power))


def tiered(amount: Array, over: Sequence[float], rates: Sequence[float]) -> Array:
    """What an ``amount`` costs whose part beyond ``over[i]``, up to the next, costs ``rates[i]`` a unit (N,).

    >>> float(tiered(np.array(12_000.0), (0, 100, 10_100), (0.0, 0.09, 0.085)))  # 10,000 at 0.09 and 1,900 at 0.085
    1061.5
    """
    ends = [*over[1:], np.inf]
    bands = zip(over, ends, rates, strict=True)
    return np.asarray(sum(rate * np.clip(amount - start, 0, end - start) for start, end, rate in bands))


def billed(hours: Array, minimum: float, increment: float) -> Array:
    """Hours on the bill of one start: at least ``minimum`` [s], in whole steps of ``increment`` [s] (N,)."""
    least = np.maximum(hours, minimum / units.HOUR)
    step = increment / units.HOUR
    return np.asarray(np.ceil(least / step - 1e-9) * step if step else least)


def autoscaled(needed: Array, minimum: float) -> Array:
    """Instance-hours a day of a deployment that runs ``needed`` (N, 24) instances in each hour (N,).

    The last started is the first given back. Each start is billed for at least ``minimum`` [s]; one that comes back within that
    time is another start.
    """
    levels = np.sort(needed, axis=1)
    width = np.diff(levels, axis=1, prepend=0)  # instances that run in exactly the same hours
    on = needed[:, None, :] >= levels[:, :, None]
    starts = on & ~np.roll(on, 1, axis=2)
    short, alive = np.zeros(on.shape[:2]), starts
    for hour in range(1, int(np.ceil(minimum / units.HOUR))):
        alive = alive & np.roll(on, -hour, axis=2)
        short += np.sum(starts & ~alive, axis=2)
    return np.asarray(np.sum(width * (on.sum(axis=2) + short), axis=1))


def monthly_rate(yearly: float) -> float:
    """The interest a month that makes ``yearly`` in twelve; none where annuities could not be told from rounding."""
    rate = float(np.expm1(np.log1p(yearly) / 12))
    return rate if rate > LEAST_RATE else 0.0


LEAST_RATE = 1e-10


def present(rate: float, months: Array | float) -> Array:
    """What one unit of money at the end of each of so many months is worth now."""
    import numpy_financial as npf

    with np.errstate(divide="ignore", invalid="ignore"):  # it divides by a rate of zero before it looks at it
        return np.asarray(npf.pv(rate, months, -1.0))


def capital(price: Array, worth: Array, rate: float, months: float, lead: float) -> Array:
    """What interest adds each useful month to writing ``price`` off to ``worth``, both as money of their day (N,).

    The price is paid ``lead`` months before the first useful hour; equal payments in the months after it, up to ``months``, are
    worth ``price`` less what the discounted ``worth`` brings back. Without interest nothing is added.
    """
    payment = (price - worth * (1 + rate) ** -months) / (present(rate, months) - present(rate, lead))
    return np.asarray(payment - (price - worth) / (months - lead))


def purchase(c: Columns, terms: Mapping[str, float]) -> dict[str, Array]:
    """What is paid at the order, by part (N,). c: price, instances, nodes, racks, host_price [money a node], kilowatts.

    terms: money a node (``network``), a rack (``rack``), a kW (``cooling``), a site (``site``, with c.sites), at once
    (``installation``); shares ``spares`` and ``purchase_tax``.
    """
    machines = c.price * c.instances
    parts = {"hardware": machines, "hosts": c.host_price * c.nodes, "network": terms["network"] * c.nodes}
    parts |= {"racks": terms["rack"] * c.racks, "cooling plant": terms["cooling"] * c.kilowatts}
    parts |= {"installation": terms["installation"] + terms["site"] * c.sites}
    parts |= {"spares": terms["spares"] * (machines + parts["hosts"])}
    return parts | {"purchase tax": terms["purchase_tax"] * np.sum(list(parts.values()), axis=0)}


def upkeep(c: Columns, terms: Mapping[str, float]) -> dict[str, Array]:
    """What owning costs each month beside electricity, by part (N,). c and terms as of ``purchase``.

    terms: money a kW (``colocation``), a rack (``space``), a site (``connectivity``), for all (``staff``, ``bandwidth``);
    shares of the machines' price a year (``maintenance``, ``replacement``).
    """
    machines = c.price * c.instances + c.host_price * c.nodes
    return {
        "colocation": terms["colocation"] * c.kilowatts,
        "space": terms["space"] * c.racks,
        "staff": terms["staff"] + 0 * machines,
        "bandwidth": terms["bandwidth"] + 0 * machines,
        "maintenance": terms["maintenance"] / 12 * machines,
        "connectivity": terms["connectivity"] * c.sites,
        "replacement": terms["replacement"] / 12 * machines,
    }
