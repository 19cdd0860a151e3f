"""A provider's prices as a table: one CSV beside its file, a row an instance and region, and the offers that follow.

The first lines cite the sources, ``# key: who, what, where, when``. Several rows may price the same instance in the same
region if each says other terms: prices of different terms often come from different sources and days.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from planner.catalogue.document import read_text
from planner.errors import InputError, printable, unknown
from planner.schema.hardware import Instance, Offer, Prices, Provider
from planner.schema.quantity import Price
from planner.schema.quote import RENTED, Quote, Table
from planner.units import CURRENCIES

COLUMNS = ("instance", "region", *RENTED, "currency", "date", "source")
DESCRIBING = ("system", "devices")
"""Columns that only a table has which prices instances that its provider's file does not describe."""
LIMIT = 20_000_000
SEAL = "sha256"
"""Key of the line by which ``planner prices`` knows a table that it wrote; it cites nothing."""
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,49}|", re.IGNORECASE)
_SOURCE = re.compile(r"#\s*([a-z0-9][a-z0-9._-]{0,49}):\s*(\S.*)")


def load(path: Path) -> Table:
    """The table in a file; InputError with its line where something is wrong."""
    return parse(read_text(path, LIMIT), str(path))


def parse(text: str, name: str) -> Table:
    """The table in a text; ``name`` is what messages call it."""
    lines = text.splitlines()
    sources = {}
    head = 0
    while head < len(lines) and (found := _SOURCE.fullmatch(lines[head])):
        head += 1
        if found[1] != SEAL:
            sources[found[1]] = found[2]
    rows = csv.reader(lines[head:], strict=True)
    try:
        header = next(rows, [])
        _known(header, f"{name}:{head + 1}")
        quotes = []
        for row in rows:
            if row:
                quotes.append(_quote(row, header, f"{name}:{head + rows.line_num}", head + rows.line_num))
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", where=f"{name}:{head + rows.line_num}") from None
    return Table(tuple(quotes), sources)


def _known(header: Sequence[str], where: str) -> None:
    for column in header:
        if column not in (*COLUMNS, *DESCRIBING):
            raise unknown("column", column, (*COLUMNS, *DESCRIBING), where=where)
    for column in ("instance", "region", "currency", "date", "source"):
        if header.count(column) != 1:
            raise InputError(f"needs a column '{column}'", where=where, hint=f"The columns are {', '.join(COLUMNS)}.")


def _quote(row: Sequence[str], header: Sequence[str], where: str, line: int) -> Quote:
    if len(row) != len(header):
        raise InputError(f"has {len(row)} cells where the header has {len(header)}", where=where)
    cell = dict(zip(header, row, strict=True))
    instance, region, currency = cell["instance"], cell["region"], cell["currency"]
    named(instance, f"{where} instance")
    if not _REGION.fullmatch(region):
        raise InputError(f"'{printable(region)}' is not the name of a region", where=f"{where} region")
    if currency not in CURRENCIES:
        what = f"unknown currency '{printable(currency)}'; write an ISO 4217 code like USD"
        raise InputError(what, where=f"{where} currency")
    prices = {t: amount(cell[t], f"{where} {t}") for t in RENTED if cell.get(t)}
    if not prices:
        raise InputError(f"{instance} has no price", where=where)
    devices = _whole(cell.get("devices", ""), f"{where} devices")
    return Quote(instance, region, prices, currency, _day(cell["date"], where), cell["source"], cell.get("system", ""), devices,
                 line=line)  # fmt: skip


def named(instance: str, where: str) -> str:
    """The name of an instance: it begins with a letter or digit, so that no spreadsheet takes a cell of it for a formula."""
    if not instance[:1].isalnum() or len(instance) > 100 or not instance.isprintable():
        raise InputError(f"'{printable(instance)}' is not the name of an instance", where=where)
    return instance


def amount(text: str, where: str) -> float:
    """A price an hour: a finite number above zero."""
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"'{printable(text)}' is not a number", where=where, hint="A price an hour, like 4.10") from None
    if not math.isfinite(value) or not 0 < value < 1e9:
        raise InputError(f"{printable(text)} is not a price: it must be above zero", where=where)
    return value


@lru_cache(maxsize=64)
def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _day(text: str, where: str) -> date:
    day = _date(text)
    if day is None:
        raise InputError(f"'{printable(text)}' is not a date like 2026-01-31", where=f"{where} date")
    return day


def _whole(text: str, where: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < 10**6):
        raise InputError(f"'{printable(text)}' is not a number of devices", where=where)
    return int(text) if text else None


def text(table: Table) -> str:
    """A table as ``parse`` reads it; the same table gives the same text."""
    described = DESCRIBING if any(q.system for q in table.quotes) else ()
    terms = [t for t in RENTED if any(t in q.prices for q in table.quotes)]
    out = io.StringIO()
    used = {q.source for q in table.quotes}
    out.writelines(f"# {key}: {printable(cited, 600)}\n" for key, cited in sorted(table.sources.items()) if key in used)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["instance", "region", *described, *terms, "currency", "date", "source"])
    for q in sorted(table.quotes, key=lambda q: (q.instance, q.region, q.source)):
        what = (q.system, q.devices or "") if described else ()
        costs = (f"{q.prices[t]:.10g}" if t in q.prices else "" for t in terms)
        writer.writerow([q.instance, q.region, *what, *costs, q.currency, q.date.isoformat(), q.source])
    return out.getvalue()


def least(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    """One quote an instance and region, with the least price of each term."""
    found: dict[tuple[str, str], Quote] = {}
    for q in quotes:
        same = found.get((q.instance, q.region))
        if same is None:
            found[q.instance, q.region] = q
        elif same.currency != q.currency:
            where = f"in {same.currency} and in {q.currency}"
            raise InputError(f"{printable(q.instance)} {q.region} is priced {where}", where=q.source)
        else:
            prices = {t: min(p) for t in RENTED if (p := [x.prices[t] for x in (same, q) if t in x.prices])}
            found[q.instance, q.region] = replace(same, prices=prices)
    return tuple(found.values())


def priced(provider: Provider, table: Table, name: str) -> Provider:
    """A provider with an offer more for every instance and region of its table. InputError for an instance that nobody
    describes, and where a term is priced twice."""
    offers = tuple(_offers(provider, table, name))
    return replace(provider, offers=provider.offers + offers, sources={**provider.sources, **table.sources})


def _offers(provider: Provider, table: Table, name: str) -> Iterator[Offer]:
    same: dict[tuple[str, str], list[Quote]] = {}
    for quote in table.quotes:
        same.setdefault((quote.instance, quote.region), []).append(quote)
    for (instance, region), quotes in same.items():
        what = described(quotes[0], provider.instances)
        if what is None:
            where = f"{name}:{quotes[0].line} instance"
            raise unknown("instance", instance, provider.instances, where=where, listing=f"'{provider.id}.yaml' describes them.")
        prices: dict[str, Price] = {}
        for q in quotes:
            for term, cost in q.prices.items():
                if term in prices:
                    raise InputError(f"{instance} {region} is priced twice {term.replace('_', ' ')}", where=f"{name}:{q.line}")
                prices[term] = Price((cost, q.currency), q.date, q.source)
        yield Offer(instance, what.system, Prices(**prices), region, what.devices, notes=what.notes)


def described(quote: Quote, instances: Mapping[str, Instance]) -> Instance | None:
    """What the instance of a quote is: as its provider's file says, else as the quote itself does."""
    return instances.get(quote.instance) or (Instance(quote.system, quote.devices) if quote.system else None)
