"""What can be bought or rented: every offer and term that the plan allows, and the places those offers stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from planner.errors import InputError
from planner.schema.hardware import TERMS, Device, Offer, Prices, Provider, System
from planner.schema.inputs import Inputs
from planner.schema.quantity import Price

NOBODY = "no offer in the catalogue"
"""Source of the price of a system that a plan names and nobody offers: it is estimated, and cannot be chosen."""


@dataclass(frozen=True)
class Place:
    """An instance: ``devices`` of a system."""

    system: System
    device: Device
    devices: int


@dataclass(frozen=True)
class Listing:
    """A place at a price: one provider's offer under one term."""

    provider: Provider
    offer: Offer
    term: str
    price: Price
    place: int
    """Index into the places."""
    regions: Mapping[str, float] = field(default_factory=dict)
    """The same offer's price under this term by region."""

    @property
    def hourly(self) -> float:
        """Rent of one instance an hour; zero for an owned one."""
        return 0.0 if self.term == "owned" else self.price.amount


def listings(inputs: Inputs) -> tuple[list[Listing], list[Place]]:
    """Every listing the plan allows; of one offer in several regions only the cheapest, unless the plan names regions.

    Raises InputError where the plan's own filters leave nothing, and says which one did.
    """
    places: dict[tuple[str, int], int] = {}
    found: dict[tuple[str, str, str, str], Listing] = {}
    priced: dict[tuple[str, str, str], dict[str, float]] = {}
    for provider in inputs.providers:
        for offer in provider.offers:
            if not _allowed(offer, inputs):
                continue
            system = inputs.systems[offer.system]
            key = (system.id, offer.devices or system.devices)
            for term in TERMS:
                price: Price | None = getattr(offer.prices, term)
                if price is None or term not in inputs.plan.hardware.terms or price.currency != inputs.plan.economics.currency:
                    continue
                index = places.setdefault(key, len(places))
                listing = Listing(provider, offer, term, price, index)
                region = offer.region if inputs.plan.hardware.regions else ""
                priced.setdefault((provider.id, offer.id, term), {})[offer.region] = price.amount
                same = found.setdefault((provider.id, offer.id, term, region), listing)
                if price.amount < same.price.amount:
                    found[provider.id, offer.id, term, region] = listing
    if not found:
        raise InputError("the plan's filters leave no offer at all", hint=_emptied(inputs))
    found = {key: replace(x, regions=priced[key[:3]]) for key, x in found.items()}
    offered = {o.system for p in inputs.providers for o in p.offers}
    for id in inputs.plan.hardware.systems:
        if id in inputs.systems and id not in offered:
            place = places.setdefault((id, inputs.systems[id].devices), len(places))
            unpriced = Price((float("nan"), inputs.plan.economics.currency), date.min, NOBODY)
            found[NOBODY, id, "", ""] = Listing(Provider("", "", {}, ()), Offer(id, id, Prices()), "on_demand", unpriced, place)
    return list(found.values()), [Place(inputs.systems[s], inputs.devices[inputs.systems[s].device], n) for s, n in places]


def _allowed(offer: Offer, inputs: Inputs) -> bool:
    hardware = inputs.plan.hardware
    system = inputs.systems.get(offer.system)
    if system is None or (hardware.regions and offer.region not in hardware.regions):
        return False
    return not hardware.kinds or inputs.devices[system.device].kind in hardware.kinds


def _emptied(inputs: Inputs) -> str:
    hardware = inputs.plan.hardware
    offers = [o for p in inputs.providers for o in p.offers if o.system in inputs.systems]
    if not offers:
        return "No provider the plan allows offers any of the systems it allows."
    kinds = sorted({inputs.devices[inputs.systems[o.system].device].kind for o in offers})
    if hardware.kinds and not set(hardware.kinds) & set(kinds):
        return f"None is of the kinds it names ({', '.join(hardware.kinds)}); there are offers of {', '.join(kinds)}."
    regions = sorted({o.region for o in offers if o.region})
    if hardware.regions and not set(hardware.regions) & set(regions):
        return f"None is in the regions it names; there are offers in {', '.join(regions[:12])}."
    terms = [t for t in TERMS if any(getattr(o.prices, t) for o in offers)]
    priced = f"Terms with a price in {inputs.plan.economics.currency}: {', '.join(terms)}"
    return f"{priced}; the plan allows {', '.join(hardware.terms)}."
