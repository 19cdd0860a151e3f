"""Money and power: plain sums, so that every total is the sum of its shown parts. Amounts are in one currency."""

import numpy as np

from planner import units
from planner.model.columns import Array, Columns


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
