"""A network asked now and then, as a camera asks: how busy its devices are, and what they draw on the average.

Power is between idle and full in proportion to the share of the time that a device works (``planner.model.cost.power``); full is
the board's power, or a mode's budget, where nobody measured it: an upper bound, since light networks do not reach it.
"""

from dataclasses import dataclass

import numpy as np

from planner import units
from planner.model import cost
from planner.model.columns import Array, Columns
from planner.search.candidate import Estimate
from planner.search.request import Demand


@dataclass(frozen=True)
class Duty:
    """What a demand makes of all devices together; what follows from a power that nobody publishes is None."""

    rate: float
    """Samples a second of all streams."""
    busy: Estimate
    """Share of the time that devices work; above 1 they cannot keep up."""
    streams: Estimate
    """How many of these streams they keep up with, in whole ones."""
    idle: float | None
    """Watts of all devices and their hosts while they wait."""
    full: float | None
    """Watts while they work, at most."""
    power: Estimate | None
    """Watts on the average."""
    sample: Estimate | None
    """Joules a sample, those of the wait for it included."""
    day: Estimate | None
    """Joules a day."""
    lasts: Estimate | None
    """Seconds that a battery lasts, where one is given."""


def duty(demand: Demand, rate: Estimate, device: Columns, devices: int) -> Duty:
    """What ``demand`` makes of devices that reach ``rate`` samples/s together; ``device`` (1,): tdp, idle and host power [W]."""
    if demand.power is not None:
        device = device.with_(tdp=np.full(1, demand.power))
    asked = demand.rate * demand.streams
    reached = np.array([rate.value, rate.high, rate.low])  # the faster, the less busy
    busy = asked / reached
    idle, full = (float(cost.power(device, np.full(1, devices), np.full(1, load))[0]) for load in (0.0, 1.0))
    waits, works = (bool(np.isfinite(device[name][0])) for name in ("idle", "tdp"))
    watts = cost.power(device, np.full(1, devices), np.minimum(busy, 1.0))

    def spread(values: Array) -> Estimate:
        return Estimate(float(values[0]), float(values[1:].min()), float(values[1:].max()), rate.evidence)

    def where_known(values: Array) -> Estimate | None:
        return spread(values) if waits and works else None

    streams = np.floor(reached / demand.rate + 1e-9)
    return Duty(
        asked, spread(busy), spread(streams), idle if waits else None, full if works else None,
        where_known(watts), where_known(watts / np.minimum(asked, reached)), where_known(watts * units.DAY),
        where_known(demand.battery / watts) if demand.battery is not None else None,
    )  # fmt: skip
