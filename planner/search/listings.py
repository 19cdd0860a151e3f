"""What can be bought or rented: every offer and term that the plan allows, and the places those offers stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from planner.errors import InputError
from planner.schema.hardware import TERMS, Device, Offer, Prices, Provider, System, own_id
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
    amount: float
    """The price in the plan's currency."""
    regions: Mapping[str, float] = field(default_factory=dict)
    """What the same costs under this term by region, in the plan's currency."""


def listings(inputs: Inputs) -> tuple[list[Listing], list[Place]]:
    """Every place the plan allows, under each provider and term; of several offers of the same only the cheapest.

    Rented instances of one provider with the same devices differ in what the model does not know of, their processors and
    disks, and regions in price alone: the dearer ones are listed only where the plan names regions, one in each.

    Raises InputError where the plan's own filters leave nothing, and says which one did.
    """
    places: dict[tuple[str, int], int] = {}
    found: dict[tuple[object, ...], Listing] = {}
    priced: dict[tuple[object, ...], dict[str, float]] = {}
    terms = [t for t in TERMS if t in inputs.plan.hardware.terms and (t == "owned" or not inputs.plan.fleet)]
    worth = {inputs.plan.economics.currency: 1.0} | {code: r.amount for code, r in inputs.plan.economics.rates.items()}
    for provider in inputs.providers:
        for offer in provider.offers:
            if not _allowed(offer, inputs):
                continue
            system = inputs.systems[offer.system]
            key = (system.id, offer.devices or system.devices)
            for term in terms:
                price: Price | None = getattr(offer.prices, term)
                if price is None or price.currency not in worth:
                    continue
                index = places.setdefault(key, len(places))
                amount = price.amount * worth[price.currency]
                region = offer.region if inputs.plan.hardware.regions else ""
                alike = (provider.id, index, offer.id if term == "owned" else "", term, region)
                there = priced.setdefault(alike[:-1], {})
                there[offer.region] = min(amount, there.get(offer.region, amount))
                if alike not in found or amount < found[alike].amount:
                    found[alike] = Listing(provider, offer, term, price, index, amount)
    if not found:
        raise InputError("the plan's filters leave no offer at all", hint=_emptied(inputs))
    found = {alike: replace(x, regions=priced[alike[:-1]]) for alike, x in found.items()}
    offered = {o.system for p in inputs.providers for o in p.offers}
    named = set(inputs.plan.hardware.systems)
    for id in inputs.systems:
        if named & {id, own_id(id)} and id not in offered:
            place = places.setdefault((id, inputs.systems[id].devices), len(places))
            unpriced = Price((float("nan"), inputs.plan.economics.currency), date.min, NOBODY)
            found[NOBODY, id] = Listing(
                Provider("", "", {}, ()), Offer(id, id, Prices()), "on_demand", unpriced, place, float("nan")
            )
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
