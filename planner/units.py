"""Quantities written with units, and back. The only file that holds scale factors.

``parse("3.35 TB/s", "byte/s")`` gives ``3.35e12``; ``show(3.35e12, "byte/s")`` gives ``"3.35 TB/s"``. Everything
inside the planner is a float in SI base units: bytes, bytes/s, FLOP/s, hertz, watts, joules, seconds, kilograms of
CO2. GB is 1e9 bytes and GiB is 2**30; one multiply-add is two FLOP, and an integer OP counts as a FLOP.
"""

import math
import re
from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

DECIMAL = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}
SMALL = {"m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9}
WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

HOUR = 3600.0
DAY = 24 * HOUR
YEAR = 8760 * HOUR
MONTH = YEAR / 12

# unit -> (dimension, size in SI, prefixes allowed)
_UNITS: dict[str, tuple[str, float, dict[str, float]]] = {
    "B": ("byte", 1.0, DECIMAL | BINARY),
    "byte": ("byte", 1.0, {"": 1.0}),
    "bit": ("byte", 0.125, DECIMAL),
    "b": ("byte", 0.125, DECIMAL),
    "FLOP": ("flop", 1.0, DECIMAL),
    "OP": ("flop", 1.0, DECIMAL),
    "MAC": ("flop", 2.0, DECIMAL),
    "Hz": ("hertz", 1.0, DECIMAL),
    "W": ("watt", 1.0, DECIMAL | SMALL),
    "J": ("joule", 1.0, DECIMAL | SMALL),
    "Wh": ("joule", HOUR, DECIMAL),
    "s": ("second", 1.0, DECIMAL | SMALL),
    "min": ("second", 60.0, {"": 1.0}),
    "h": ("second", HOUR, {"": 1.0}),
    "d": ("second", DAY, {"": 1.0}),
    "day": ("second", DAY, {"": 1.0}),
    "days": ("second", DAY, {"": 1.0}),
    "month": ("second", MONTH, {"": 1.0}),
    "months": ("second", MONTH, {"": 1.0}),
    "y": ("second", YEAR, {"": 1.0}),
    "year": ("second", YEAR, {"": 1.0}),
    "years": ("second", YEAR, {"": 1.0}),
    "g": ("kilogram", 1e-3, DECIMAL),
    "token": ("count", 1.0, DECIMAL),
    "tokens": ("count", 1.0, DECIMAL),
    "request": ("count", 1.0, DECIMAL),
    "requests": ("count", 1.0, DECIMAL),
    "sample": ("count", 1.0, DECIMAL),
    "samples": ("count", 1.0, DECIMAL),
    "images": ("count", 1.0, DECIMAL),
    "frames": ("count", 1.0, DECIMAL),
    "%": ("fraction", 0.01, {"": 1.0}),
}

EXAMPLES = {
    "byte": "80 GB",
    "byte/s": "3.35 TB/s",
    "flop": "4.1 GFLOP",
    "flop/s": "989 TFLOP/s",
    "hertz": "1.98 GHz",
    "watt": "700 W",
    "joule": "1.2 kWh",
    "second": "50 ms",
    "count": "300 billion",
    "count/second": "20 requests/s",
    "fraction": "60 %",
    "kilogram": "318 kg",
    "kilogram/joule": "380 g/kWh",
    "money": "1999 USD",
    "money/hour": "4.10 USD/h",
    "money/month": "20000 USD/month",
    "money/kWh": "0.12 USD/kWh",
    "money/kW": "2000 USD/kW",
    "money/kW/month": "184 USD/kW/month",
    "money/GB": "0.09 USD/GB",
    "money/GB/month": "0.023 USD/GB/month",
}

_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP "
    "CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD "
    "JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN "
    "NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW "
    "ZWG"
)
CURRENCIES = frozenset(_CODES.split())
"""Codes of money that is in use (ISO 4217, list one), without funds, metals and test codes."""

_SHOWN = {
    "byte": ("B", DECIMAL),
    "byte/s": ("B/s", DECIMAL),
    "flop": ("FLOP", DECIMAL),
    "flop/s": ("FLOP/s", DECIMAL),
    "hertz": ("Hz", DECIMAL),
    "watt": ("W", DECIMAL | {"m": 1e-3}),
    "joule": ("J", DECIMAL | {"m": 1e-3}),
    "second": ("s", {"": 1.0, "m": 1e-3, "µ": 1e-6, "n": 1e-9}),
    "count": ("", DECIMAL),
    "kilogram": ("", {"ng": 1e-12, "µg": 1e-9, "mg": 1e-6, "g": 1e-3, "kg": 1.0, "t": 1e3, "kt": 1e6}),
}

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}

# A comma groups thousands and nothing else: "1,5 TB" is an error, not 15 TB and not 1.5 TB.
_DIGITS = r"[-+]?(?:(?:\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)(?:\.\d*)?|\.\d+)"
_NUMBER = re.compile(rf"\s*({_DIGITS}(?:[eE][-+]?\d+)?)(?![\d.,_])\s*(.*?)\s*", re.DOTALL | re.ASCII)
_MONEY = re.compile(rf"\s*({_DIGITS})\s*([A-Z]{{3}})\s*(/\s*\w+\s*(?:/\s*\w+)?)?\s*", re.ASCII)
_BARE = ("count", "fraction", "count/second")  # dimensions that a number without a unit may have


def parse(text: object, dimension: str) -> float:
    """The value of ``text`` in SI units of ``dimension`` (a key of EXAMPLES).

    A bare number is taken for counts and fractions only: everything else must name its unit.
    Raises ValueError with what was expected.
    """
    example = EXAMPLES[dimension]
    if isinstance(text, bool) or not isinstance(text, (int, float, str)):
        raise ValueError(f"expected a quantity like '{example}', got {_brief(text)}")
    if not isinstance(text, str):
        number, unit = _float(text), ""
    else:
        match = _NUMBER.fullmatch(text) if len(text) <= 100 else None
        if match is None:
            raise ValueError(f"{_brief(text)} is not a quantity; write it like '{example}'")
        number, unit = float(match[1].replace(",", "").replace("_", "")), match[2]
    if not unit and dimension not in _BARE:
        raise ValueError(f"{_brief(text)} has no unit; write it like '{example}'")
    scale = _scale(unit, dimension, text) if unit else 1.0
    return _finite(number * scale, text, 1e18 if dimension in _BARE else 1e30)


def parse_money(text: object, dimension: str) -> tuple[float, str]:
    """``"4.10 USD/h"`` with dimension ``money/hour`` gives ``(4.10, "USD")``; the dimensions are those of EXAMPLES.

    Raises ValueError for what is not a price, an unknown currency and a negative amount.
    """
    example = EXAMPLES[dimension]
    match = _MONEY.fullmatch(text) if isinstance(text, str) and len(text) <= 100 else None
    per = "/".join({"h": "hour"}.get(unit, unit) for unit in re.findall(r"\w+", match[3] or "")) if match else ""
    if match is None or per != dimension.partition("/")[2]:
        raise ValueError(f"{_brief(text)} is not a price; write it like '{example}'")
    if match[2] not in CURRENCIES:
        raise ValueError(f"{_brief(text)} is in no currency that is known (ISO 4217); write it like '{example}'")
    amount = float(match[1].replace(",", "").replace("_", ""))
    if amount < 0:
        raise ValueError(f"{_brief(text)} is negative")
    return _finite(amount, text, 1e15), match[2]


def show(value: float, dimension: str, digits: int = 3) -> str:
    """``show(0.0421, "second")`` gives ``"42.1 ms"``; the largest prefix that leaves a number of at least 1."""
    if not math.isfinite(value):
        return "–"
    unit, prefixes = _SHOWN[dimension]
    fitting = [p for p in prefixes if p != "K" and abs(value) >= prefixes[p]] or [min(prefixes, key=prefixes.__getitem__)]
    prefix = max(fitting, key=prefixes.__getitem__) if value else ""
    return f"{plainly(value / prefixes.get(prefix, 1.0), digits)} {prefix}{unit}".rstrip()


def plainly(value: float, digits: int = 3) -> str:
    """As ``significant``, without zeros after the point that say nothing: 20, 1.5, 193."""
    number, e, exponent = significant(value, digits).partition("e")
    return (number.rstrip("0").rstrip(".") if "." in number else number) + e + exponent


def significant(value: float, digits: int = 3) -> str:
    """``value`` to so many significant digits with thousands separators: 12345.6 is "12,300", 0.04567 is "0.0457".

    Beyond 1e15 and below 1e-9 the exponent is written.
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    if not 1e-9 <= abs(value) < 1e15:
        return f"{value:.{digits - 1}e}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(0, decimals)}f}"


def words(count: float) -> str:
    """``"300 billion"``."""
    fitting = [word for word, size in WORDS.items() if count >= size]
    return f"{plainly(count / WORDS[fitting[-1]])} {fitting[-1]}" if fitting else plainly(count)


def money(amount: float, currency: str = "USD") -> str:
    """An amount for display: cents below 1,000, whole units above, two digits of what is less than a tenth."""
    if not math.isfinite(amount):
        return "–"
    if abs(amount) >= 1e15:
        return f"{currency} {significant(amount)}"
    sign = _SIGNS.get(currency, f"{currency} ")
    if 0 < abs(amount) < 0.1:
        return f"{sign}{significant(amount, 2)}"
    return f"{sign}{amount:,.2f}" if abs(amount) < 1000 else f"{sign}{amount:,.0f}"


def addends(parts: Sequence[float], currency: str = "USD") -> tuple[list[str], str]:
    """Amounts to the cent (below 10 in all, to a hundredth of one) and their sum, rounded so that what is shown adds up:
    the largest remainders take the odd cents.

    >>> addends([10 / 3, 10 / 3, 10 / 3])
    (['$3.34', '$3.33', '$3.33'], '$10.00')
    """
    cent = Decimal("0.01") if sum(parts) >= 10 else Decimal("0.0001")
    exact = [Decimal(part) for part in parts]
    total = sum(exact, Decimal(0)).quantize(cent, ROUND_HALF_UP)
    shown = [amount.quantize(cent, ROUND_FLOOR) for amount in exact]
    odd = int((total - sum(shown, Decimal(0))) / cent)
    for i in sorted(range(len(exact)), key=lambda i: shown[i] - exact[i])[:odd]:
        shown[i] += cent
    sign = _SIGNS.get(currency, f"{currency} ")
    return [f"{sign}{amount:,}" for amount in shown], f"{sign}{total:,}"


def kilowatt_hours(joules: float) -> str:
    """``"1,030 kWh"``: energy as it is bought, with the prefix that leaves a number of at least 1."""
    hours = joules / HOUR
    prefix = next((p for p in ("T", "G", "M", "k") if hours >= DECIMAL[p]), "") if hours >= 1 else "m"
    return f"{plainly(hours / (DECIMAL | SMALL)[prefix])} {prefix}Wh"


def duration(seconds: float) -> str:
    """``"3.2 days"`` for long spans and ``"42.1 ms"`` for short ones."""
    for name, size in (("years", YEAR), ("days", DAY), ("h", HOUR), ("min", 60.0)):
        if seconds >= (2 if name == "years" else 1.5) * size:
            return f"{plainly(seconds / size)} {name}"
    return show(seconds, "second")


def _scale(unit: str, dimension: str, text: object) -> float:
    """SI size of one ``unit`` such as ``TB/s`` or ``billion tokens``, checked against ``dimension``."""
    over, _, under = unit.partition("/")
    want_over, _, want_under = dimension.partition("/")
    size, found = _one(over.strip(), want_over, dimension, text)
    if want_under:
        denominator, found_under = _one(under.strip(), {"s": "second"}.get(want_under, want_under), dimension, text)
        size, found = size / denominator, f"{found}/{found_under}"
        want_over = f"{want_over}/{ {'s': 'second'}.get(want_under, want_under) }".replace(" ", "")
    elif under:
        found = f"{found}/{under}"
    if found != want_over:
        raise ValueError(f"{_brief(text)} has the wrong unit; write it like '{EXAMPLES[dimension]}'")
    return size


def _one(unit: str, dimension: str, whole: str, text: object) -> tuple[float, str]:
    """Size and dimension of ``unit``, one side of the ``whole`` dimension."""
    word, _, rest = unit.partition(" ")
    if word in WORDS:
        size, found = _one(rest.strip(), "count", whole, text)
        return WORDS[word] * size, found if found == "count" else f"{word} {found}"
    if unit in ("", "x") and dimension in ("count", "fraction"):
        return 1.0, dimension
    for cut in (0, 1, 2):
        known = _UNITS.get(unit[cut:])
        if known is not None and unit[:cut] in known[2]:
            return known[1] * known[2][unit[:cut]], known[0]
    if dimension == "count" and unit in DECIMAL:
        return DECIMAL[unit], "count"
    what = f"has an unknown unit '{unit[:20]}'" if unit else "lacks a unit"
    raise ValueError(f"{_brief(text)} {what}; write it like '{EXAMPLES[whole]}'")


def _float(number: float) -> float:
    """As float(), with infinity for an integer that is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _finite(value: float, text: object, most: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{_brief(text)} is not a finite number")
    if abs(value) > most:
        raise ValueError(f"{_brief(text)} is beyond any quantity the planner deals with")
    return value


def _brief(text: object) -> str:
    try:
        shown = repr(text)
    except ValueError:  # an integer of more digits than Python prints
        shown = "the number"
    return shown if len(shown) <= 60 else shown[:57] + "..."
