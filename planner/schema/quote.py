"""A price as a feed or a table states it, before it is known which system it is of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

RENTED = ("on_demand", "spot", "reserved_1y", "reserved_3y")
"""The terms under which an instance is rented by the hour."""


@dataclass(frozen=True)
class Quote:
    """What one instance costs an hour in one region, by term: one source's word of one day."""

    instance: str
    region: str
    """Empty where the price is the same everywhere."""
    prices: Mapping[str, float]
    currency: str
    date: date
    source: str
    """Key of the source among those of the table, or of the provider."""
    system: str = ""
    """Of an instance that the provider's file does not describe."""
    devices: int | None = None
    accelerator: str = ""
    """The accelerator in the feed's own words; a feed knows no systems."""
    count: float = 0.0
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Table:
    """The prices of one provider, with the citations that they name."""

    quotes: tuple[Quote, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
