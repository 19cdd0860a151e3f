"""What is different between two tables of prices."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from planner.schema.quote import Table

SAME = 1e-6
"""Share below which a difference is rounding."""
Kind = Literal["added", "removed", "dearer", "cheaper"]


@dataclass(frozen=True)
class Change:
    """One price that is not what it was."""

    kind: Kind
    instance: str
    region: str
    term: str
    currency: str
    before: float | None
    after: float | None

    @property
    def share(self) -> float | None:
        """By which share the price rose; None where there was none, or is none now."""
        return self.after / self.before - 1 if self.before and self.after else None


def changes(old: Table, new: Table) -> list[Change]:
    """Every price that came, went, rose or fell: the largest shares first, then what came and went."""
    return sorted(_changes(_prices(old), _prices(new)), key=lambda c: (c.share is None, -abs(c.share or 0), c.kind, c.instance))


Prices = dict[tuple[str, str, str, str], float]


def _prices(table: Table) -> Prices:
    return {(q.instance, q.region, term, q.currency): price for q in table.quotes for term, price in q.prices.items()}


def _changes(old: Prices, new: Prices) -> Iterator[Change]:
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if before is not None and after is not None and abs(after / before - 1) < SAME:
            continue
        kind: Kind = "dearer"
        if before is None or after is None:
            kind = "added" if before is None else "removed"
        elif after < before:
            kind = "cheaper"
        instance, region, term, currency = key
        yield Change(kind, instance, region, term, currency, before, after)
