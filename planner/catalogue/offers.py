"""What no offer may say, whatever file it is from: a price that cannot be meant is refused wherever offers are read."""

from planner.errors import InputError, nearest
from planner.schema.hardware import Offer, Provider
from planner.schema.quantity import Price
from planner.schema.quote import RENTED


def sound(provider: Provider, name: str) -> Provider:
    """The provider itself. InputError, with ``name`` for the file, for an unknown region, and for a term that costs
    more than on demand does."""
    regions = frozenset(provider.regions)
    for offer in provider.offers:
        if regions and offer.region and offer.region not in regions:
            near = nearest(offer.region, regions)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"The regions of {provider.id} stand in its file."
            raise InputError(f"{_called(offer)} names an unknown region", where=name, hint=hint)
        if fault := _fault(offer):
            raise InputError(f"{_called(offer)} {fault}", where=name)
    return provider


def _fault(offer: Offer) -> str:
    """What is wrong with the prices of an offer; "" where nothing is."""
    base = offer.prices.on_demand
    for term in RENTED:
        price: Price | None = getattr(offer.prices, term)
        if price is None:
            continue
        if base and price.currency == base.currency and price.amount > base.amount:
            return f"costs more {term.replace('_', ' ')} than on demand"
    return ""


def _called(offer: Offer) -> str:
    return f"{offer.id} {offer.region}".strip()
