"""Where fresh prices are kept: ``$PLANNER_HOME/offers``, a table a provider, over the shipped ones.

A table that the planner wrote carries a seal, the hash of what it wrote: one that was edited since is never overwritten.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from planner.catalogue import price_table
from planner.catalogue.document import read_text
from planner.catalogue.home import home
from planner.catalogue.profiles import Profiles, shipped
from planner.errors import InputError
from planner.schema.hardware import Provider
from planner.schema.quote import Table

SEAL = f"# {price_table.SEAL}: "


def path(provider: str, folder: Path | None = None) -> Path:
    """The table of a provider: in the home, or in another folder."""
    return (folder or home() / "offers") / f"{provider}.csv"


def save(table: Table, provider: str, folder: Path | None = None, *, force: bool = False) -> Path:
    """Put a table in force, whole or not at all. InputError where the one that is there was edited by hand."""
    target = path(provider, folder)
    if target.exists() and not force and edited(target):
        raise InputError("was edited by hand since the planner wrote it", where=str(target),
                         hint="The prices in it stay. --force overwrites them.")  # fmt: skip
    body = price_table.text(table)
    price_table.parse(body, str(target))  # what could not be read again is never written
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(f"{SEAL}{_hash(body)}\n{body}")
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(target)) from None
    return target


def edited(target: Path) -> bool:
    """Whether a table is not as the planner wrote it."""
    first, _, body = read_text(target, price_table.LIMIT).partition("\n")
    return first != SEAL + _hash(body)


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def in_force(provider: str, profiles: Profiles) -> Table:
    """The table of prices that plans use; an empty one where the provider has none."""
    return price_table.load(profiles.tables[provider]) if provider in profiles.tables else Table(())


def as_shipped(provider: str) -> Table:
    """The table that came with the planner; an empty one where it has none."""
    shipped_with = shipped()[0] / "offers" / f"{provider}.csv"
    return price_table.load(shipped_with) if shipped_with.exists() else Table(())


@dataclass(frozen=True)
class Status:
    """How old the prices of a provider are, and where they stand."""

    provider: str
    prices: int
    oldest: date | None
    newest: date | None
    file: Path
    shipped: bool
    """Whether that file came with the planner."""


def status(provider: Provider, profiles: Profiles) -> Status:
    """Of the prices by the hour that are in force for a provider."""
    days = [p.date for o in provider.offers
            for p in (o.prices.on_demand, o.prices.spot, o.prices.reserved_1y, o.prices.reserved_3y) if p]  # fmt: skip
    file = profiles.written_in("provider", provider.id)[-1]
    return Status(provider.id, len(days), min(days, default=None), max(days, default=None), file,
                  any(file.is_relative_to(folder) for folder in shipped()))  # fmt: skip


def age(status: Status, today: date) -> str:
    """``"of 2026-07-20 (129 days old)"``: the oldest price in force."""
    if status.oldest is None:
        return "none"
    return f"of {status.oldest} ({(today - status.oldest).days} days old)"
