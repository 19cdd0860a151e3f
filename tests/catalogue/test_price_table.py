"""Tables of prices: what one says, how it is written, and what is refused with its line."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalogue import price_table
from planner.catalogue.check import check
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.schema.hardware import Instance, Provider
from planner.schema.quote import RENTED, Quote, Table

Refused = Callable[..., InputError]
TEXT = """# list: Acme, price list, read 2026-01-01
instance,region,on_demand,spot,currency,date,source
box,moon-1,20,8,USD,2026-01-01,list
half,moon-1,11.5,,USD,2026-01-01,list
"""
ACME = """name: Acme Cloud
sources: {}
instances:
  box: {system: acme-one-x8}
  half: {system: acme-one-x8, devices: 4, notes: "Four of eight."}
"""


@pytest.fixture
def tabled(own: Path) -> Path:
    """Our own profiles, their offers in a table."""
    (own / "offers" / "acme.yaml").write_text(ACME)
    (own / "offers" / "acme.csv").write_text(TEXT)
    return own


def test_rows_become_offers(tabled: Path) -> None:
    box, half = Profiles([tabled]).provider("acme").offers
    assert (box.id, box.system, box.region, box.devices) == ("box", "acme-one-x8", "moon-1", None)
    assert (half.devices, half.notes, half.prices.spot) == (4, "Four of eight.", None)
    assert box.prices.spot is not None and half.prices.on_demand is not None
    assert (box.prices.spot.value, box.prices.spot.date, box.prices.spot.source) == ((8.0, "USD"), date(2026, 1, 1), "list")
    assert half.prices.on_demand.value == (11.5, "USD")
    assert Profiles([tabled]).provider("acme").sources == {"list": "Acme, price list, read 2026-01-01"}


def test_terms_of_one_offer_may_come_from_several_rows(tabled: Path) -> None:
    later = TEXT.replace("box,moon-1,20,8,", "box,moon-1,20,,") + "box,moon-1,,7,USD,2026-02-02,list\n"
    (tabled / "offers" / "acme.csv").write_text(later)
    box, _ = Profiles([tabled]).provider("acme").offers
    assert box.prices.on_demand is not None and box.prices.spot is not None
    assert (box.prices.on_demand.date, box.prices.spot.date) == (date(2026, 1, 1), date(2026, 2, 2))


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("box,moon-1,20,8,USD", "box,moon-1,0,8,USD", 3, "must be above zero"),
        ("box,moon-1,20,8,USD", "box,moon-1,-20,8,USD", 3, "must be above zero"),
        ("box,moon-1,20,8,USD", "box,moon-1,nan,8,USD", 3, "must be above zero"),
        ("box,moon-1,20,8,USD", "box,moon-1,20,inf,USD", 3, "must be above zero"),
        ("box,moon-1,20,8,USD", "box,moon-1,$20,8,USD", 3, "is not a number"),
        ("11.5,,USD", "11.5,,USB", 4, "unknown currency 'USB'"),
        ("11.5,,USD", "11.5,USD", 4, "has 6 cells where the header has 7"),
        ("11.5,,USD", ",,USD", 4, "half has no price"),
        ("half,moon-1", "half,the moon", 4, "is not the name of a region"),
        ("half,moon-1", ",moon-1", 4, "is not the name of an instance"),
        ("half,moon-1", "=1+1,moon-1", 4, "is not the name of an instance"),
        ("half,moon-1", "@half,moon-1", 4, "is not the name of an instance"),
        ("half,moon-1", "halve,moon-1", 4, "unknown instance 'halve'"),
        ("half,moon-1", "box,moon-1", 4, "box moon-1 is priced twice on demand"),
        ("2026-01-01,list\nhalf", "2026-13-01,list\nhalf", 3, "is not a date"),
        ("instance,region", "instances,region", 2, "unknown column 'instances'"),
        (",currency,", ",", 2, "needs a column 'currency'"),
        ("half,moon-1", '"half,moon-1', 4, "unexpected end of data"),
        ("20,8,USD", "20,21,USD", None, "box moon-1 costs more spot than on demand"),
        ("list: Acme", "other: Acme", None, ""),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(
    old: str, new: str, line: int | None, says: str, tabled: Path, refused: Refused
) -> None:
    path = tabled / "offers" / "acme.csv"
    assert TEXT.count(old) == 1
    path.write_text(TEXT.replace(old, new))
    if not says:  # a source that nobody cites is for the check to find
        assert len(Profiles([tabled]).provider("acme").offers) == 2
        return
    error = refused(Profiles([tabled]).provider, "acme")
    assert says in error.what
    assert error.where.startswith(f"{path}:{line}" if line else str(path))


def test_a_table_of_the_home_wins_over_the_shipped_and_not_over_the_users_own(
    tabled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shipped lambda is priced by a table of the home; a folder of the user's own with the whole provider ignores it."""
    home = tmp_path / "home"
    (home / "offers").mkdir(parents=True)
    monkeypatch.setenv("PLANNER_HOME", str(home))
    text = "instance,region,on_demand,currency,date,source\ngpu_1x_gh200,us-east-1,1.23,USD,2026-11-26,list\n"
    (home / "offers" / "lambda.csv").write_text(text)
    (home / "offers" / "acme.csv").write_text(TEXT.replace("20,8", "2000,800"))
    profiles = Profiles([tabled])
    (offer,) = profiles.provider("lambda").offers
    assert offer.prices.on_demand is not None and offer.prices.on_demand.amount == 1.23
    dear = profiles.provider("acme").offers[0].prices.on_demand
    assert dear is not None and dear.amount == 20
    assert profiles.written_in("provider", "lambda")[1] == home / "offers" / "lambda.csv"
    (tabled / "offers" / "lambda.yaml").write_text(ACME + "offers: []\n")
    assert Profiles([tabled]).provider("lambda").offers == ()


def test_an_instance_without_a_price_is_warned_of(tabled: Path) -> None:
    (tabled / "offers" / "acme.csv").write_text(TEXT.replace("half,moon-1,11.5,,USD,2026-01-01,list\n", ""))
    found = check(Profiles([tabled]), today=date(2026, 1, 2))
    assert [w for w in found.warnings if str(tabled) in w] == [
        f"{tabled}/offers/acme.yaml: 1 of its instances have no price, like half"
    ]
    assert not [p for p in found.problems if str(tabled) in p]


def test_a_row_may_describe_its_instance(refused: Refused) -> None:
    text = "instance,region,system,devices,on_demand,currency,date,source\nnew,,acme-one-x8,2,4,USD,2026-01-01,list\n"
    acme = Provider("acme", "Acme", {}, instances={"box": Instance("acme-one-x8")})
    (offer,) = price_table.priced(acme, price_table.parse(text, "t.csv"), "t.csv").offers
    assert (offer.system, offer.devices, offer.region) == ("acme-one-x8", 2, "")
    assert "not a number of devices" in refused(price_table.parse, text.replace(",2,", ",two,"), "t.csv").what


costs = st.decimals(min_value="0.0001", max_value=9999, places=4).map(float)
names = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["C", "Z"]), min_size=1, max_size=30)
quotes = st.builds(
    Quote,
    instance=names.filter(lambda name: name[0].isalnum()),
    region=st.from_regex(r"\A(|[a-z0-9][a-z0-9-]{0,9})\Z"),
    prices=st.dictionaries(st.sampled_from(RENTED), costs, min_size=1),
    currency=st.sampled_from(["USD", "EUR"]),
    date=st.dates(),
    source=st.sampled_from(["list", "other"]),
    line=st.just(0),
)


@given(st.lists(quotes, unique_by=lambda q: (q.instance, q.region, q.source)))
def test_what_is_written_is_read_again(rows: list[Quote]) -> None:
    table = Table(tuple(rows), {"list": "Acme, price list", "other": "Another"})
    text = price_table.text(table)
    again = price_table.parse(text, "t.csv")
    order: Any = lambda q: (q.instance, q.region, q.source)  # noqa: E731
    assert sorted(again.quotes, key=order) == sorted(rows, key=order)
    assert price_table.text(again) == text


def test_a_table_is_plain_csv() -> None:
    table = price_table.parse(TEXT, "t.csv")
    rows = list(csv.DictReader(io.StringIO(price_table.text(table).split("\n", 1)[1])))
    assert [row["on_demand"] for row in rows] == ["20", "11.5"]
