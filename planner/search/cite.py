"""Which figures an estimate used, and who says so."""

from collections.abc import Mapping

from planner import units
from planner.schema.hardware import Device, System
from planner.schema.quantity import Figure
from planner.search.candidate import Cited
from planner.search.listings import NOBODY, Listing, Place
from planner.search.machines import Found, arithmetic


def cited(listing: Listing, place: Place, precision: str, laws: Mapping[str, Found]) -> tuple[Cited, ...]:
    """The price, the device's figures, and the coefficients of its laws."""
    rest = (*device_figures(place.device, precision), *tier_figures(place.system), *map(law, (f for f in laws.values() if f.fit)))
    return (*price_of(listing), *rest)


def price_of(listing: Listing) -> tuple[Cited, ...]:
    """The price of a listing as its source gave it; nothing where it has none."""
    price = listing.price
    if price.source == NOBODY:
        return ()
    unit = "" if listing.term == "owned" else "/h"
    amount = (
        f"{price.amount:,.4g} {price.currency}{unit}" if price.amount < 1000 else f"{price.amount:,.2f} {price.currency}{unit}"
    )
    source = listing.provider.sources.get(price.source, price.source)
    what = f"{listing.provider.name} {listing.offer.id}, {listing.term.replace('_', ' ')}"
    return (Cited(what, amount, source, price.date.isoformat(), price.note),)


def device_figures(device: Device, precision: str) -> tuple[Cited, ...]:
    """The datasheet figures every estimate on a device uses."""
    main, dtype = device.level("main"), arithmetic(device, precision)
    figures: list[tuple[str, Figure | None, str]] = [
        (f"{device.name}: dense peak, {dtype}", device.peak.get(dtype), "flop/s"),  # type: ignore[call-overload]
        (f"{device.name}: memory bandwidth", main.bandwidth if main else None, "byte/s"),
        (f"{device.name}: memory", main.capacity if main else None, "byte"),
        (f"{device.name}: board power", device.tdp, "watt"),
        (f"{device.name}: idle power", device.idle_power, "watt"),
    ]
    return tuple(
        Cited(what, units.show(f.value, dimension, 4), device.sources.get(f.source, f.source), note=f.note)
        for what, f, dimension in figures
        if f is not None
    )


def tier_figures(system: System | None) -> tuple[Cited, ...]:
    """How the devices are joined, and who says so."""
    if system is None:
        return ()
    return tuple(
        Cited(
            f"{system.name}: {tier.kind}, {tier.name.replace('_', ' ')}",
            units.show(tier.bandwidth.value, "byte/s", 4),
            system.sources.get(tier.bandwidth.source, tier.bandwidth.source),
            note=tier.bandwidth.note,
        )
        for tier in system.tiers
    )


def law(found: Found) -> Cited:
    """The coefficients of one law and how they were come by."""
    assert found.fit is not None and found.calibration is not None
    error = f", {100 * found.fit.held_out_error:.0f} % mean error on shapes it never saw" if found.fit.held_out_error else ""
    of = f"coefficients of the {found.law.replace('_', ' ')} law ({found.evidence})"
    points = f"{found.fit.points:,} points{error}" if found.fit.points else "see the note"
    source = found.calibration.sources.get(found.fit.source, found.fit.source)
    return Cited(of, points, source, note=found.fit.note)
