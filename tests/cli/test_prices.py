"""``planner prices`` from end to end, against a real server on this machine that also misbehaves."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from planner.catalogue.prices import fetch
from planner.catalogue.profiles import Profiles
from tests.catalogue.prices.server import Server, server

__all__ = ["server"]

TABLE = """# list: Acme, price list, read 2026-01-01
instance,region,on_demand,spot,reserved_1y,currency,date,source
box,moon-1,20,8,14,USD,2026-01-01,list
box,moon-2,22,,,USD,2026-01-01,list
half,moon-1,11,,,USD,2026-01-01,list
"""
ACME = """name: Acme Cloud
sources: {}
regions: [moon-1, moon-2]
instances:
  box: {system: acme-one-x8}
  half: {system: acme-one-x8, devices: 4}
"""
FEED = """InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice
box,ONE,8.0,96,1000,18.0,moon-1,,9.0
half,ONE,4.0,48,500,11.0,moon-1,,
quarter,ONE,2.0,24,250,5.5,moon-1,,
nothing,TWO,1.0,24,250,5.5,moon-1,,
"""


@pytest.fixture
def home(own: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our own profiles with a table of prices, an empty home, and a fetcher that is hasty. Acme publishes everywhere."""
    from planner.catalogue.prices import origins

    (own / "offers" / "acme.yaml").write_text(ACME)
    (own / "offers" / "acme.csv").write_text(TABLE)
    for module in ("profiles", "prices.store"):
        monkeypatch.setattr(f"planner.catalogue.{module}.shipped", lambda: [own])
    hasty = fetch.Patience(connect=1, read=0.3, total=1, attempts=2, wait=0.001, most=1_000_000)
    monkeypatch.setattr(fetch, "Patience", lambda: hasty)
    for place in origins.PLACES.values():
        monkeypatch.setitem(place.providers, "acme", "acme")
    for name in ("PLANNER_PRICES_URL", "PLANNER_PROFILES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PLANNER_HOME", str(own.parent / "home"))
    return own.parent / "home"


def price(instance: str, region: str, term: str = "on_demand") -> float | None:
    """What is in force."""
    found = [o for o in Profiles().provider("acme").offers if (o.id, o.region) == (instance, region)]
    rent = getattr(found[0].prices, term) if found else None
    return rent.amount if rent else None


def test_refresh_puts_fresh_prices_in_force(home: Path, server: Server, planner: Callable[..., Any]) -> None:
    """box: 20 -> 18 an hour, spot 8 -> 9; moon-2 is not in the feed and stays; quarter is new, and two of the eight devices."""
    server.files["acme/vms.csv"] = ("text/plain", FEED.encode())
    run = planner("prices", "refresh", "--provider", "acme", "--url", server.url)
    assert (run.status, run.err) == (0, "")
    table = home / "offers" / "acme.csv"
    assert run.out.splitlines() == [
        f"acme: 6 prices in {table}: 1 added, 0 removed, 1 dearer, 1 cheaper",
        "  left out: 1 of instances that the catalogue does not know, like nothing",
    ]
    assert [price("box", "moon-1"), price("box", "moon-1", "spot"), price("box", "moon-1", "reserved_1y")] == [18, 9, 14]
    assert [price("box", "moon-2"), price("half", "moon-1"), price("quarter", "moon-1")] == [22, 11, 5.5]
    assert Profiles().provider("acme").offers[-1].devices == 2
    diff = planner("prices", "diff", "--provider", "acme")
    assert diff.out.splitlines()[0] == "acme: 1 added, 0 removed, 1 dearer, 1 cheaper"
    assert any(
        line.split() == ["dearer", "box", "moon-1", "spot", "8.0000", "9.0000", "USD", "+12.5%"] for line in diff.out.splitlines()
    )
    rows = json.loads(planner("prices", "status", "--format", "json").out)["rows"]
    assert rows == [{"provider": "acme", "prices": 6, "oldest": "2026-01-01", "newest": str(date.today()),
                     "file": str(table), "shipped": False}]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("broken", "answered 500"),
        ("cut-off", "the connection failed"),
        ("slow", "did not answer in time"),
        ("page", "is 'text/html'"),
        ("endless", "is larger than 1 MB"),
        ("loop", "redirects more than"),
        ("missing", "answered 404"),
        ("good", "needs a column"),  # an answer that is not prices
    ],
)
def test_a_failure_leaves_the_old_prices_in_force_with_their_age(
    name: str, says: str, home: Path, server: Server, planner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from planner.catalogue.prices import origins

    monkeypatch.setitem(origins.PLACES["skypilot"].providers, "acme", name)
    monkeypatch.setattr(Server, "route", lambda _, path: path.removesuffix("/vms.csv"))
    run = planner("prices", "refresh", "--provider", "acme", "--url", server.url)
    assert run.status == 1 and run.out == ""
    assert says in run.err and "Traceback" not in run.err
    age = (date.today() - date(2026, 1, 1)).days
    assert f"The prices in force stay: of 2026-01-01 ({age} days old)." in run.err
    assert not list(home.rglob("*")) or not list((home / "offers").iterdir())
    assert price("box", "moon-1") == 20


def test_a_feed_of_another_provider_or_unit_is_refused(home: Path, server: Server, planner: Callable[..., Any]) -> None:
    server.files["acme/vms.csv"] = ("text/plain", FEED.replace("box,", "bix,").replace("half,", "hilf,").encode())
    run = planner("prices", "refresh", "--provider", "acme", "--url", server.url)
    assert run.status == 1 and "has no price of an instance that 'acme' is known for" in run.err
    server.files["acme/vms.csv"] = ("text/plain", FEED.replace(",18.0,", ",13140,").replace(",11.0,", ",8030,").encode())
    run = planner("prices", "refresh", "--provider", "acme", "--url", server.url)  # a month has 730 hours
    assert run.status == 1 and "694 times those in force" in run.err and price("box", "moon-1") == 20


def test_a_table_edited_by_hand_is_not_overwritten(home: Path, server: Server, planner: Callable[..., Any]) -> None:
    server.files["acme/vms.csv"] = ("text/plain", FEED.encode())
    refresh = ("prices", "refresh", "--provider", "acme", "--url", server.url)
    assert planner(*refresh).status == 0
    table = home / "offers" / "acme.csv"
    table.write_text(table.read_text().replace("18", "17.5"))
    run = planner(*refresh)
    assert run.status == 1 and "was edited by hand" in run.err and price("box", "moon-1") == 17.5
    assert planner(*refresh, "--force").status == 0 and price("box", "moon-1") == 18


def test_a_table_that_cannot_be_read_is_named_and_can_be_overwritten(
    home: Path, own: Path, planner: Callable[..., Any], refused: Callable[..., str]
) -> None:
    file = own / "vms.csv"
    file.write_text(FEED)
    assert planner("prices", "import", file, "--provider", "acme").status == 0
    table = home / "offers" / "acme.csv"
    table.write_text(table.read_text()[:-30])
    assert f"{table}:" in refused("prices", "status")
    assert str(table) in refused("prices", "import", file, "--provider", "acme")
    assert planner("prices", "import", file, "--provider", "acme", "--force").status == 0
    assert price("box", "moon-1") == 18


def test_what_cannot_be_written_leaves_what_is_there(home: Path, own: Path, refused: Callable[..., str]) -> None:
    file = own / "vms.csv"
    file.write_text(FEED)
    home.write_text("a file where the folder should be")
    assert "cannot be written" in refused("prices", "import", file, "--provider", "acme")
    assert price("box", "moon-1") == 20


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gpuhunt closes its file late
def test_gpuhunt_publishes_an_archive(home: Path, server: Server, planner: Callable[..., Any]) -> None:
    pytest.importorskip("gpuhunt")
    header = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor\n"
    rows = "box,moon-1-a,17.0,96,1000.0,8,ONE,80.0,False,,nvidia\nhalf,moon-1-a,10.0,48,500.0,4,ONE,80.0,False,,nvidia\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("acme.csv", header + rows)
    server.files |= {
        "acme/version": ("binary/octet-stream", b"20261126-1\n"),
        "acme/20261126-1/catalog.zip": ("application/zip", packed.getvalue()),
    }
    refresh = ("prices", "refresh", "--provider", "acme", "--from", "gpuhunt", "--url", server.url)
    assert planner(*refresh).status == 0
    assert (price("box", "moon-1"), price("half", "moon-1"), price("box", "moon-1", "spot")) == (17, 10, 8)
    for version, content, says in (
        (b"../../etc", b"", "is not a version"),
        (b"20261126-1", b"not a zip", "is not a zip archive"),
    ):
        server.files["acme/version"] = ("binary/octet-stream", version)
        server.files["acme/20261126-1/catalog.zip"] = ("application/zip", content)
        run = planner(*refresh)
        assert run.status == 1 and says in run.err


def test_azure_answers_in_pages(home: Path, server: Server, planner: Callable[..., Any]) -> None:
    """Two pages, the second named by the first; the question names the instances the catalogue knows."""

    def item(name: str, cost: float, **other: Any) -> dict[str, Any]:
        return {"armSkuName": name, "armRegionName": "moon-1", "type": "Consumption", "retailPrice": cost, "currencyCode": "USD",
                "unitOfMeasure": "1 Hour", "productName": "", "meterName": "", "skuName": ""} | other  # fmt: skip

    first = {"Items": [item("box", 19.0)], "NextPageLink": f"{server.url}/api/second"}
    second = {
        "Items": [item("half", 9.5), item("half", 52560.0, type="Reservation", reservationTerm="1 Year")],
        "NextPageLink": None,
    }
    server.files |= {"api": ("application/json", json.dumps(first).encode()),
                     "api/second": ("application/json", json.dumps(second).encode())}  # fmt: skip
    refresh = ("prices", "refresh", "--provider", "acme", "--from", "azure", "--url", f"{server.url}/api")
    assert planner(*refresh).status == 0
    assert [price("box", "moon-1"), price("half", "moon-1"), price("half", "moon-1", "reserved_1y")] == [19, 9.5, 6]
    asked = unquote(server.questions[0])
    assert "serviceName eq 'Virtual Machines' and (armSkuName eq 'box' or armSkuName eq 'half')" in asked
    server.files["api"] = ("application/json", json.dumps({**first, "NextPageLink": "http://elsewhere.example/"}).encode())
    run = planner(*refresh)
    assert run.status == 1 and "leads to another host" in run.err


def test_import_reads_the_same_formats_from_disk(home: Path, own: Path, planner: Callable[..., Any]) -> None:
    file = own / "vms.csv"
    file.write_text(FEED)
    diff = planner("prices", "diff", file, "--provider", "acme", "--date", "2026-11-20")
    assert diff.status == 0 and "cheaper" in diff.out and not home.exists()
    assert planner("prices", "import", file, "--provider", "acme", "--date", "2026-11-20").status == 0
    offers = Profiles().provider("acme").offers
    rents = [o.prices.on_demand for o in offers if o.id == "half" and o.prices.on_demand]
    assert [str(r.date) for r in rents] == ["2026-11-20"]
    assert Profiles().provider("acme").sources["import-2026-11-20"] == "imported from vms.csv, prices of 2026-11-20"
    assert planner("prices", "import", file, "--provider", "acme", "--to", own / "tables").status == 0
    assert (own / "tables" / "acme.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "vms.csv", "--provider", "acne"), "unknown provider 'acne'"),
        (("import", "missing.csv", "--provider", "acme"), "cannot read the file"),
        (("import", "vms.csv", "--provider", "../acme"), "unknown provider '../acme'"),
        (("diff", "vms.csv"), "needs --provider with a file"),
        (("diff", "--provider", "acne"), "unknown provider 'acne'"),
        (("refresh", "--provider", "acne"), "unknown provider 'acne'"),
        (("import", "negative.csv", "--provider", "acme"), "negative.csv:2 Price: -18.0 is not a price"),
    ],
)
def test_what_is_wrong_is_one_message(arguments: tuple[str, ...], says: str, home: Path, refused: Callable[..., str]) -> None:
    Path("vms.csv").write_text(FEED)
    Path("negative.csv").write_text(FEED.replace("18.0", "-18.0"))
    assert says in refused("prices", *arguments)
    assert not home.exists()
