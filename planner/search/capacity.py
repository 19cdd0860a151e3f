"""Having so many devices for whatever work: each listing as it stands, priced and ranked by an hour of use."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planner.model import cost
from planner.model.columns import Columns
from planner.schema.goals import Capacity
from planner.schema.inputs import Inputs
from planner.search.bills import bills
from planner.search.blank import blank
from planner.search.candidate import Candidate, Estimate
from planner.search.cite import price_of
from planner.search.listings import NOBODY, Listing, Place
from planner.search.machines import power_columns

EVIDENCE = "price list"


def candidates(inputs: Inputs, capacity: Capacity, listed: Sequence[Listing], places: Sequence[Place]) -> list[Candidate]:
    """One candidate a listing. Interruptions of spot cost hours, so that the same useful hours take more of them."""
    at = [places[listing.place] for listing in listed]
    each = np.array([float(place.devices) for place in at])
    instances = np.ceil(capacity.devices / each)
    rows = Columns(
        instances=instances, devices=instances * each, hours=cost.MONTH_HOURS, load=1.0, needed=instances, lost=1.0,
        length=len(listed),
    )  # fmt: skip
    bill = bills(inputs, listed, places, rows, power_columns([(place.device, place.system) for place in at]))
    useful = capacity.devices * cost.MONTH_HOURS * inputs.plan.economics.busy
    return [_candidate(inputs, x, places[x.place], int(instances[i]), bill.fields(i), useful) for i, x in enumerate(listed)]


def _candidate(
    inputs: Inputs, listing: Listing, place: Place, instances: int, fields: dict[str, object], useful: float
) -> Candidate:
    made = replace(blank(inputs, listing, place, instances), **fields)  # type: ignore[arg-type]
    devices, total = instances * place.devices, sum(made.cost_parts.values())
    why = _why_not(inputs, listing, place, devices, total)
    return replace(
        made, devices=devices, throughput=_exact(float(devices)), cost=_exact(total), unit_cost=_exact(total / useful),
        energy_per_unit=(made.energy or 0.0) / useful, rejected=why, excess=math.inf if why else 0.0, cited=price_of(listing),
    )  # fmt: skip


def _exact(value: float) -> Estimate:
    return Estimate(value, value, value, EVIDENCE)


def _why_not(inputs: Inputs, listing: Listing, place: Place, devices: int, total: float) -> str:
    e = inputs.plan.economics
    if listing.price.source == NOBODY:
        return "has no price in the catalogue: an offer of your own (--profiles DIR) would give it one"
    if listing.offer.needs_host and e.host_price is None:
        return "is sold without a host; economics.host_price would include one"
    least = inputs.plan.capacity.per_instance if inputs.plan.capacity else 1
    if place.devices < least:
        return f"has {place.devices} devices an instance; the plan wants at least {least}"
    if devices > inputs.plan.hardware.max_devices:
        return f"needs {devices:,} devices; the plan allows {inputs.plan.hardware.max_devices:,}"
    if e.budget and total > e.budget[0]:
        return f"costs {total:,.0f} {e.currency} a month; the budget is {e.budget[0]:,.0f}"
    return ""
