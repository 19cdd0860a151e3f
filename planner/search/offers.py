"""What devices cost to rent, by the offers of the catalogue."""

import numpy as np

from planner.schema.inputs import Subject


def cheapest(subject: Subject, devices: int) -> tuple[float, str]:
    """Rent of so many devices an hour, pro rata of the cheapest on-demand offer of the system's device."""
    best, name = np.inf, ""
    for provider in subject.providers:
        for offer in provider.offers:
            node = subject.alike.get(offer.system)
            if node is None or offer.prices.on_demand is None:
                continue
            each = offer.prices.on_demand.amount / (offer.devices or node) * devices
            if each < best:
                best, name = each, f"{provider.id} {offer.id} {offer.region}".strip()
    return (float(best), name) if name else (float("nan"), "")
