"""A price as a feed or a table states it, before it is known which system it is of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

RENTED = ("on_demand", "spot", "reserved_1y", "reserved_3y")
"""The terms under which an instance is rented by the hour."""

_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD
XOF XPF YER ZAR ZMW
"""
CURRENCIES = frozenset(_CODES.split())
"""Codes of currencies in use (ISO 4217, list one); those of funds, metals and tests are left out."""


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
