"""A feed over the prices in force: what is replaced, what stays, what is left out, and what is refused as a whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalogue.prices.changes import changes
from planner.catalogue.prices.merge import merge
from planner.errors import InputError
from planner.schema.hardware import Instance, Provider, System, Tier
from planner.schema.quantity import Figure
from planner.schema.quote import RENTED, Quote, Table

Refused = Callable[..., InputError]
THEN, NOW = date(2026, 1, 1), date(2026, 11, 26)
NETWORK = (Tier("scale_out", "Ethernet", "ethernet", 64, Figure(1e9, "s")),)
SYSTEMS = {
    "alder-x8": System("alder-x8", "", "alder", 8, {}, NETWORK),
    "alder-x8-lone": System("alder-x8-lone", "", "alder", 8, {}),
    "birch-x2": System("birch-x2", "", "birch", 2, {}),
}
ACME = Provider(
    "acme", "Acme", {}, regions=("moon-1", "moon-2"),
    instances={"big": Instance("alder-x8"), "lone": Instance("alder-x8-lone"), "small": Instance("birch-x2", 1)},
)  # fmt: skip


def quote(
    instance: str, region: str = "moon-1", day: date = NOW, accelerator: str = "", count: float = 0.0, **prices: float
) -> Quote:
    return Quote(instance, region, prices, "USD", day, "feed" if day == NOW else "old", accelerator=accelerator, count=count)


def table(*quotes: Quote) -> Table:
    return Table(quotes, {"feed" if q.date == NOW else "old": "made up" for q in quotes})


def merged(feed: Table, old: Table, **options: Any) -> dict[tuple[str, str], dict[str, float]]:
    """The prices of each pair; a pair may stand in two rows, of the feed and of before."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for q in merge(feed, old, ACME, SYSTEMS, **options).table.quotes:
        pair = found.setdefault((q.instance, q.region), {})
        assert not pair.keys() & q.prices.keys()
        pair.update(q.prices)
    return found


OLD = table(
    quote("big", day=THEN, on_demand=20.0, spot=8.0, reserved_1y=12.0),
    quote("big", "moon-2", day=THEN, on_demand=22.0),
    quote("small", day=THEN, on_demand=3.0),
)


def test_commitments_stay_where_the_feed_has_none() -> None:
    feed = table(quote("big", on_demand=18.0, spot=7.0), quote("small", on_demand=3.0))
    assert merged(feed, OLD)["big", "moon-1"] == {"on_demand": 18.0, "spot": 7.0, "reserved_1y": 12.0}
    rows = [q for q in merge(feed, OLD, ACME, SYSTEMS).table.quotes if (q.instance, q.region) == ("big", "moon-1")]
    assert {t: q.date for q in rows for t in q.prices} == {"on_demand": NOW, "spot": NOW, "reserved_1y": THEN}


def test_a_commitment_that_costs_more_than_on_demand_does_now_goes() -> None:
    feed = table(quote("big", on_demand=11.0, spot=7.0), quote("small", on_demand=3.0))
    assert "reserved_1y" not in merged(feed, OLD)["big", "moon-1"]


def test_a_price_that_is_no_longer_listed_goes_where_the_feed_covers_the_region() -> None:
    """moon-1 is covered: the spot of big is gone; moon-2 is not, and the price of big there stays."""
    feed = table(quote("big", on_demand=18.0), quote("small", on_demand=3.0, spot=1.0))
    found = merged(feed, OLD)
    assert found["big", "moon-1"] == {"on_demand": 18.0, "reserved_1y": 12.0}
    assert found["big", "moon-2"] == {"on_demand": 22.0}
    covering = table(*feed.quotes, quote("small", "moon-2", on_demand=3.0))
    assert ("big", "moon-2") not in merged(covering, OLD)


def test_an_instance_that_the_feed_does_not_know_keeps_its_prices() -> None:
    assert merged(table(quote("big", on_demand=19.0)), OLD)["small", "moon-1"] == {"on_demand": 3.0}


def test_what_the_catalogue_no_longer_knows_goes() -> None:
    old = table(*OLD.quotes, quote("gone", day=THEN, on_demand=1.0))
    assert ("gone", "moon-1") not in merged(table(quote("big", on_demand=19.0), quote("small", on_demand=3.0)), old)


def test_a_price_of_all_regions_gives_way_to_those_of_each() -> None:
    old = table(quote("big", "", day=THEN, on_demand=20.0))
    assert merged(table(quote("big", "moon-2", on_demand=21.0)), old) == {("big", "moon-2"): {"on_demand": 21.0}}


def test_a_zone_is_of_its_region() -> None:
    zones = (quote("big", "moon-1-a", on_demand=21.0), quote("big", "moon-1-b", on_demand=20.0, spot=9.0))
    taken = merge(table(*zones, quote("big", "moon-3-a", on_demand=1.0)), Table(()), ACME, SYSTEMS)
    assert [(q.region, dict(q.prices)) for q in taken.table.quotes] == [("moon-1", {"on_demand": 20.0, "spot": 9.0})]
    assert dict(taken.left) == {"in regions that the catalogue does not know": 1}


def test_a_new_instance_is_known_by_its_accelerator() -> None:
    """A is learnt from big and lone, which are the same device: of their two networks nobody said that it has one."""
    feed = table(
        quote("big", accelerator="A", count=8, on_demand=20.0),
        quote("lone", accelerator="A", count=8, on_demand=19.0),
        quote("small", accelerator="B", count=1, on_demand=3.0),
        quote("half", accelerator="A", count=4, on_demand=10.0),
        quote("whole", accelerator="A", count=8, on_demand=20.0),
        quote("huge", accelerator="A", count=16, on_demand=40.0),
        quote("sliver", accelerator="A", count=0.5, on_demand=1.0),
        quote("plain", on_demand=1.0),
    )
    taken = merge(feed, Table(()), ACME, SYSTEMS)
    new = {q.instance: (q.system, q.devices) for q in taken.table.quotes if q.system}
    assert new == {"half": ("alder-x8-lone", 4), "whole": ("alder-x8-lone", None)}
    assert dict(taken.left) == {"of instances that the catalogue does not know": 3}


def test_an_accelerator_that_could_be_two_devices_is_not_guessed() -> None:
    feed = table(
        quote("big", accelerator="H", count=8, on_demand=20.0),
        quote("small", accelerator="H", count=1, on_demand=3.0),
        quote("new", accelerator="H", count=1, on_demand=2.0),
    )
    assert ("new", "moon-1") not in merged(feed, Table(()))


def test_spot_above_on_demand_is_left_out() -> None:
    taken = merge(table(quote("big", on_demand=20.0, spot=21.0)), Table(()), ACME, SYSTEMS)
    assert [dict(q.prices) for q in taken.table.quotes] == [{"on_demand": 20.0}]
    assert dict(taken.left) == {"above the price on demand": 1}


def test_a_spot_price_that_nobody_trades_at_is_left_out() -> None:
    """A tenth of 20 is 2, at which the list stands where there is no market; 2.2 is a price."""
    taken = merge(
        table(quote("big", on_demand=20.0, spot=2.0), quote("lone", on_demand=20.0, spot=2.2)), Table(()), ACME, SYSTEMS
    )
    assert [q.prices.get("spot") for q in taken.table.quotes] == [None, 2.2]
    assert list(taken.left) == ["of spot at a tenth of the price on demand, where nobody trades"]


def test_what_cannot_be_a_price_list_of_this_provider_is_refused(refused: Refused) -> None:
    three = table(*OLD.quotes, quote("lone", day=THEN, on_demand=19.0))
    few = table(quote("big", on_demand=20.0))
    error = refused(merge, few, three, ACME, SYSTEMS)
    assert "prices 1 of the 3 instances in force: it looks cut off" in error.what and "--force" in error.hint
    assert ("lone", "moon-1") in merged(few, three, force=True)
    month = table(quote("big", on_demand=20.0 * 730), quote("small", on_demand=3.0 * 730))
    assert "730 times those in force" in refused(merge, month, OLD, ACME, SYSTEMS).what
    assert "has no price of an instance" in refused(merge, table(quote("other", on_demand=1.0)), OLD, ACME, SYSTEMS).what


pairs = st.tuples(st.sampled_from(["big", "lone", "small"]), st.sampled_from(["moon-1", "moon-2"]))
some = st.dictionaries(st.sampled_from(RENTED), st.integers(1, 50).map(float), min_size=1)


@given(st.dictionaries(pairs, some, min_size=1), st.dictionaries(pairs, some))
def test_the_feeds_own_prices_are_in_force_and_nothing_is_priced_twice(new: Any, old: Any) -> None:
    feed = table(*(quote(i, r, **p) for (i, r), p in new.items()))
    found = merged(feed, table(*(quote(i, r, day=THEN, **p) for (i, r), p in old.items())), force=True)
    for prices in found.values():
        assert max(prices.values()) <= prices.get("on_demand", 50.0)
    for (i, r), prices in new.items():
        if "on_demand" in prices:
            base = prices["on_demand"]
            assert all(found[i, r][t] == p for t, p in prices.items() if p <= base and not (t == "spot" and p <= 0.105 * base))


def test_changes() -> None:
    new = table(
        quote("big", on_demand=18.0, spot=10.0, reserved_1y=12.0), quote("small", on_demand=3.0), quote("lone", on_demand=1.0)
    )
    found = changes(OLD, new)
    assert [(c.kind, c.instance, c.region, c.term) for c in found] == [
        ("dearer", "big", "moon-1", "spot"),
        ("cheaper", "big", "moon-1", "on_demand"),
        ("added", "lone", "moon-1", "on_demand"),
        ("removed", "big", "moon-2", "on_demand"),
    ]
    assert [c.share for c in found][:2] == [pytest.approx(0.25), pytest.approx(-0.1)]
    assert changes(OLD, OLD) == []
    assert changes(table(quote("big", on_demand=50.60954082)), table(quote("big", on_demand=50.609540824))) == []


def test_another_currency_is_another_price() -> None:
    euro = Table((replace(quote("small", on_demand=3.0), currency="EUR"),), {})
    assert {c.kind for c in changes(table(quote("small", on_demand=3.0)), euro)} == {"added", "removed"}
