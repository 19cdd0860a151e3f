"""The formats that prices come in, read into quotes: SkyPilot's catalog, gpuhunt's, Azure's API, and the planner's own table.

A feed names instances, not systems, and prices them a zone at a time: of several zones of a region the least counts.
"""

import csv
import io
import json
import logging
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from planner.catalogue import price_table
from planner.catalogue.price_table import amount, least, named
from planner.errors import InputError, printable, unknown
from planner.schema.quote import Quote, Table
from planner.units import CURRENCIES

HOURS = {"1 Year": ("reserved_1y", 8760), "3 Years": ("reserved_3y", 26280)}
"""Azure states what a reservation costs for its whole term."""
PLACEHOLDER = 700.0
"""What SkyPilot writes for the price of a TPU that it has no price of."""


@dataclass(frozen=True)
class Origin:
    """Where a feed came from: what messages call it, its key and citation, and the day of its prices."""

    name: str
    key: str
    cited: str
    day: date
    provider: str


def read(text: str, origin: Origin) -> Table:
    """The quotes of a feed; its format is found by what it begins with. InputError with the line that is wrong."""
    head = text[:2000].lstrip()
    if head.startswith(("{", "[")):
        return _table(_azure(text, origin), origin)
    header = next(csv.reader([next((line for line in text.splitlines() if not line.startswith("#")), "")]), [])
    for column, parse in FORMATS.items():
        if column in header:
            return parse(text, origin)
    raise InputError("is not a table of prices that the planner knows", where=origin.name,
                     hint=f"It begins with {printable(head, 40)!r}. Known are CSV files with a column "
                          f"{', '.join(FORMATS)}, and pages of the Azure Retail Prices API.")  # fmt: skip


def _table(quotes: Iterable[Quote], origin: Origin) -> Table:
    found = least(quotes)
    if not found:
        raise InputError("has no price of an instance", where=origin.name)
    return Table(found, {origin.key: origin.cited})


def _rows(text: str, origin: Origin, needed: tuple[str, ...]) -> Iterator[tuple[dict[str, str], str]]:
    """Rows of a CSV by column, each with where it stands."""
    rows = csv.reader(io.StringIO(text), strict=True)
    try:
        header = next(rows)
        for column in needed:
            if column not in header:
                raise unknown("column", column, header, where=f"{origin.name}:1")
        for row in rows:
            where = f"{origin.name}:{rows.line_num}"
            if row and len(row) != len(header):
                raise InputError(f"has {len(row)} cells where the header has {len(header)}: was it cut off?", where=where)
            if row:
                yield dict(zip(header, row, strict=True)), where
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", where=f"{origin.name}:{rows.line_num}") from None


def _skypilot(text: str, origin: Origin) -> Table:
    """Columns InstanceType, AcceleratorName, AcceleratorCount, Price, SpotPrice, Region and others.

    A TPU has no InstanceType: its accelerator names it. A spot price that equals the other is no offer of spot.
    """
    return _table(_skypilot_rows(text, origin), origin)


def _skypilot_rows(text: str, origin: Origin) -> Iterator[Quote]:
    for row, where in _rows(text, origin, ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "Region")):
        prices = {}
        for term, column in (("on_demand", "Price"), ("spot", "SpotPrice")):
            if row.get(column):
                prices[term] = amount(row[column], f"{where} {column}")
        if row["AcceleratorName"].startswith("tpu"):
            prices = {t: p for t, p in prices.items() if p != PLACEHOLDER}
        if prices.get("spot") == prices.get("on_demand"):
            prices.pop("spot", None)
        name = row["InstanceType"] or row["AcceleratorName"]
        if prices and name and row["Region"]:
            yield _quote(name, row["Region"], prices, origin, row["AcceleratorName"], row["AcceleratorCount"], where)


def _quote(name: str, region: str, prices: dict[str, float], origin: Origin, accelerator: str, count: str, where: str) -> Quote:
    try:
        number = float(count or 0)
    except ValueError:
        raise InputError(f"'{printable(count)}' is not a number of accelerators", where=where) from None
    if not math.isfinite(number) or number < 0:
        raise InputError(f"'{printable(count)}' is not a number of accelerators", where=where)
    return Quote(named(name, where), region, prices, "USD", origin.day, origin.key, accelerator=accelerator, count=number)


def _gpuhunt(text: str, origin: Origin) -> Table:
    """What gpuhunt publishes of one provider, read by gpuhunt itself; a row is on demand or spot."""
    try:
        import gpuhunt
    except ImportError:
        raise InputError("gpuhunt's format needs the extra 'prices'", where=origin.name,
                         hint="pip install 'planner[prices]'") from None  # fmt: skip
    logging.getLogger("gpuhunt").addHandler(logging.NullHandler())  # what it skips is counted here, and refused
    rows = sum(1 for _ in _rows(text, origin, ("instance_name", "location", "price", "spot")))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "aws.csv").write_text(text, encoding="utf-8")  # any provider's name: it decides nothing here
        before = os.environ.get("GPUHUNT_CATALOG_DIR")
        os.environ["GPUHUNT_CATALOG_DIR"] = folder
        try:
            items = gpuhunt.Catalog(balance_resources=False, auto_reload=False).query(provider="aws")
        finally:
            os.environ.pop("GPUHUNT_CATALOG_DIR")
            if before is not None:
                os.environ["GPUHUNT_CATALOG_DIR"] = before
    if len(items) < rows:
        raise InputError(f"gpuhunt could not read {rows - len(items)} of its {rows} rows", where=origin.name)
    return _table((_item(item, origin) for item in items), origin)


def _item(item: Any, origin: Origin) -> Quote:
    term = "spot" if item.spot else "on_demand"
    price = amount(str(item.price), f"{origin.name} {printable(item.instance_name)}")
    return _quote(item.instance_name, item.location, {term: price}, origin, item.gpu_name or "", str(item.gpu_count), origin.name)


def _azure(text: str, origin: Origin) -> Iterator[Quote]:
    """Pages of the Azure Retail Prices API: one, or a list of them, or a list of their items.

    Windows, low priority and DevTest are left out.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("is not JSON, or was cut short", where=origin.name) from None
    pages = raw if isinstance(raw, list) else [raw]
    items = [item for page in pages for item in (page.get("Items", [page]) if isinstance(page, dict) else [page])]
    for number, item in enumerate(items):
        where = f"{origin.name} Items.{number}"
        if not isinstance(item, dict) or not all(isinstance(item.get(k), str) for k in ("armSkuName", "armRegionName", "type")):
            raise InputError("is not an item of the Azure Retail Prices API", where=where)
        if (found := _azure_price(item, where)) and item["armRegionName"] and item["armSkuName"]:
            quote = _quote(item["armSkuName"], item["armRegionName"], dict([found]), origin, "", "", where)
            yield replace(quote, currency=_currency(item, where))


def _azure_price(item: dict[str, Any], where: str) -> tuple[str, float] | None:
    """Term and price an hour; None for what is no rent of a Linux machine."""
    names = f"{item.get('productName', '')} {item.get('meterName', '')} {item.get('skuName', '')}"
    if "Windows" in names or "Low Priority" in names or item.get("tierMinimumUnits"):
        return None
    price = amount(str(item.get("retailPrice")), f"{where} retailPrice") if item.get("retailPrice") != 0 else None
    if price is None:
        return None  # a meter that is announced and not sold yet
    if item["type"] == "Reservation" and item.get("reservationTerm") in HOURS:
        term, hours = HOURS[item["reservationTerm"]]
        return term, round(price / hours, 6)
    if item["type"] == "Consumption" and item.get("unitOfMeasure") == "1 Hour":
        return ("spot" if "Spot" in names else "on_demand"), price
    return None


def _currency(item: dict[str, Any], where: str) -> str:
    currency = item.get("currencyCode")
    if currency not in CURRENCIES:
        raise InputError(f"unknown currency '{printable(str(currency))}'", where=f"{where} currencyCode")
    return str(currency)


def _own(text: str, origin: Origin) -> Table:
    return price_table.parse(text, origin.name)


FORMATS: dict[str, Callable[[str, Origin], Table]] = {"InstanceType": _skypilot, "instance_name": _gpuhunt, "instance": _own}
"""By the column that only this format has."""
