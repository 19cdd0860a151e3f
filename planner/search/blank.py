"""A candidate that knows who offers what and nothing else yet: what every other is made from."""

import math

from planner.schema.inputs import Inputs
from planner.search.candidate import Candidate, Estimate
from planner.search.listings import NOBODY, Listing, Place

NOTHING = Estimate(float("nan"), float("nan"), float("nan"), "datasheet")
TERMS = {"on_demand": "on demand", "reserved_1y": "1 year", "reserved_3y": "3 years"}


def blank(inputs: Inputs, listing: Listing, place: Place, instances: int = 0) -> Candidate:
    """A candidate without figures."""
    where = f", {listing.offer.region}" if inputs.plan.hardware.regions and listing.offer.region else ""
    priced = "without a price" if listing.price.source == NOBODY else TERMS.get(listing.term, listing.term)
    many = f"{instances} × " if instances else ""
    return Candidate(
        label=f"{many}{listing.offer.id}, {priced}{where}", provider=listing.provider.id,
        region=listing.offer.region, offer=listing.offer.id, term=listing.term, system=place.system.id,
        system_name=place.system.name, device=place.device.id, device_name=place.device.name, kind=place.device.kind,
        instances=instances, devices=0, precision="", layout={}, throughput=NOTHING, latency={}, cost=NOTHING, cost_parts={},
        unit_cost=NOTHING, memory={}, memory_capacity=float("nan"), time={}, bottleneck="", power=float("nan"),
        energy_per_unit=float("nan"), mfu=float("nan"), mbu=float("nan"), rejected="", excess=math.inf,
    )  # fmt: skip
