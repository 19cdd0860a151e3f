"""Feeds in the formats of their publishers. The rows are made up in the shape of real ones; each quirk was seen in one."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from planner.catalogue.prices import feeds
from planner.errors import InputError

Refused = Callable[..., InputError]
LEFT_OPEN = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gpuhunt closes its file late
DAY = date(2026, 11, 26)
ORIGIN = feeds.Origin("feed", "test", "made up for tests", DAY, "acme")
SKYPILOT = """InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice,AvailabilityZone
p5.48xlarge,H100,8.0,192.0,2048.0,55.04,us-east-1,"{'Gpus': [{'Name': 'H100'}]}",30.5,us-east-1a
p5.48xlarge,H100,8.0,192.0,2048.0,55.04,us-east-1,"{'Gpus': [{'Name': 'H100'}]}",29.25,us-east-1b
m5.large,,,2.0,8.0,0.096,us-east-1,,0.04,us-east-1a
same,A100-80GB,1.0,8.0,117.0,1.39,IN,,1.39,AP-IN-1
,tpu-v6e-8,1,,,21.6,us-central1,,700.0,us-central1-b
,tpu-v2-8,1,,,700.0,us-central1,,,us-central1-b
nothing,T4,1,,,,us-east-1,,,
"""
GPUHUNT = """instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor
a2-highgpu-1g,us-central1-a,3.67,12,85.0,1,A100,40.0,False,,nvidia
a2-highgpu-1g,us-central1-b,3.66,12,85.0,1,A100,40.0,False,,nvidia
a2-highgpu-1g,us-central1-a,1.1,12,85.0,1,A100,40.0,True,,nvidia
e2-micro,us-central1-a,0.008,2,1.0,0,,,False,,
"""


def item(**other: Any) -> dict[str, Any]:
    """An item of Azure's API: Standard_NC24ads_A100_v4 in eastus, on demand."""
    return {
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": 3.673, "unitPrice": 3.673, "armRegionName": "eastus",
        "meterName": "NC24ads A100 v4", "productName": "Virtual Machines NCads A100 v4 Series", "skuName": "NC24ads A100 v4",
        "serviceName": "Virtual Machines", "unitOfMeasure": "1 Hour", "type": "Consumption", "isPrimaryMeterRegion": True,
        "armSkuName": "Standard_NC24ads_A100_v4",
    } | other  # fmt: skip


def prices(text: str) -> dict[tuple[str, str], dict[str, float]]:
    return {(q.instance, q.region): dict(q.prices) for q in feeds.read(text, ORIGIN).quotes}


def test_skypilot() -> None:
    """The least of two zones; no spot that equals on demand; no placeholder of 700; a TPU by its accelerator."""
    assert prices(SKYPILOT) == {
        ("p5.48xlarge", "us-east-1"): {"on_demand": 55.04, "spot": 29.25},
        ("m5.large", "us-east-1"): {"on_demand": 0.096, "spot": 0.04},
        ("same", "IN"): {"on_demand": 1.39},
        ("tpu-v6e-8", "us-central1"): {"on_demand": 21.6},
    }
    first = feeds.read(SKYPILOT, ORIGIN).quotes[0]
    assert (first.accelerator, first.count, first.currency, first.date, first.source) == ("H100", 8.0, "USD", DAY, "test")
    assert feeds.read(SKYPILOT, ORIGIN).sources == {"test": "made up for tests"}


@LEFT_OPEN
def test_gpuhunt() -> None:
    """A row is on demand or spot; a place may be a zone, which the provider's regions turn into its region later."""
    pytest.importorskip("gpuhunt")
    assert prices(GPUHUNT) == {
        ("a2-highgpu-1g", "us-central1-a"): {"on_demand": 3.67, "spot": 1.1},
        ("a2-highgpu-1g", "us-central1-b"): {"on_demand": 3.66},
        ("e2-micro", "us-central1-a"): {"on_demand": 0.008},
    }


def test_azure() -> None:
    """A year is 8,760 hours: 22,000 / 8,760 = 2.511416 an hour; three are 26,280: 41,000 / 26,280 = 1.560122."""
    items = [
        item(),
        item(meterName="NC24ads A100 v4 Spot", skuName="NC24ads A100 v4 Spot", retailPrice=0.68),
        item(meterName="NC24ads A100 v4 Low Priority", retailPrice=0.5),
        item(productName="Virtual Machines NCads A100 v4 Series Windows", retailPrice=4.777),
        item(type="DevTestConsumption", retailPrice=3.0),
        item(type="Reservation", reservationTerm="1 Year", retailPrice=22000.0),
        item(type="Reservation", reservationTerm="3 Years", retailPrice=41000.0),
        item(type="Reservation", reservationTerm="5 Years", retailPrice=51000.0),
        item(armRegionName="westus", retailPrice=0.0),
        item(armSkuName=""),
    ]
    expected = {"on_demand": 3.673, "spot": 0.68, "reserved_1y": 2.511416, "reserved_3y": 1.560122}
    shapes: list[Any] = [items, {"Items": items, "NextPageLink": None}, [{"Items": items[:3]}, {"Items": items[3:]}]]
    for shape in shapes:
        assert prices(json.dumps(shape)) == {("Standard_NC24ads_A100_v4", "eastus"): expected}


def test_the_planners_own_table() -> None:
    text = "# list: Acme\ninstance,region,on_demand,currency,date,source\nbox,moon-1,20,EUR,2026-01-01,list\n"
    (quote,) = feeds.read(text, ORIGIN).quotes
    assert (quote.currency, quote.date, quote.source) == ("EUR", date(2026, 1, 1), "list")


@pytest.mark.parametrize(
    ("text", "says", "where"),
    [
        ("", "is not a table of prices", "feed"),
        ("<html><body>Sign in</body></html>", "is not a table of prices", "feed"),
        ("a,b,c\n1,2,3\n", "is not a table of prices", "feed"),
        (SKYPILOT.replace(",Price,", ",Cost,"), "unknown column 'Price'", "feed:1"),
        (SKYPILOT.replace("55.04,us-east-1", "-55.04,us-east-1"), "must be above zero", "feed:2 Price"),
        (SKYPILOT.replace("0.096", "0"), "must be above zero", "feed:4 Price"),
        (SKYPILOT.replace("0.096", "NaN"), "must be above zero", "feed:4 Price"),
        (SKYPILOT.replace("0.096", "Infinity"), "must be above zero", "feed:4 Price"),
        (SKYPILOT.replace("0.096", "cheap"), "'cheap' is not a number", "feed:4 Price"),
        (SKYPILOT.replace("8.0,192.0", "eight,192.0", 1), "is not a number of accelerators", "feed:2"),
        (SKYPILOT[: SKYPILOT.index("m5.large") + 20], "was it cut off?", "feed:4"),
        (SKYPILOT[: SKYPILOT.index("'Gpus'")], "not valid CSV", "feed:2"),
        (SKYPILOT.splitlines()[0] + "\n", "has no price of an instance", "feed"),
        (SKYPILOT.replace("m5.large", "m5\x1b[31m"), "is not the name of an instance", "feed:4"),
        (SKYPILOT.replace("m5.large", "=HYPERLINK(1)"), "is not the name of an instance", "feed:4"),
        ('{"Items": [', "is not JSON, or was cut short", "feed"),
        ('{"error": "throttled"}', "is not an item of the Azure", "feed Items.0"),
        ('{"Items": [1]}', "is not an item of the Azure", "feed Items.0"),
        (json.dumps([item(retailPrice=-1)]), "must be above zero", "feed Items.0 retailPrice"),
        (json.dumps([item(retailPrice="much")]), "is not a number", "feed Items.0 retailPrice"),
        (json.dumps([item(currencyCode="USB")]), "unknown currency 'USB'", "feed Items.0 currencyCode"),
        (json.dumps([item(), item(currencyCode="EUR")]), "priced in USD and in EUR", ""),
        ("[" * 100_000, "is not JSON", "feed"),
    ],
)
def test_what_is_refused(text: str, says: str, where: str, refused: Refused) -> None:
    error = refused(feeds.read, text, ORIGIN)
    assert says in error.what and error.where.startswith(where)


@LEFT_OPEN
def test_a_row_that_gpuhunt_cannot_read_is_not_passed_over(refused: Refused) -> None:
    pytest.importorskip("gpuhunt")
    text = GPUHUNT.replace("e2-micro,us-central1-a,0.008", "e2-micro,us-central1-a,little")
    assert "could not read 1 of its 4 rows" in refused(feeds.read, text, ORIGIN).what
    assert "must be above zero" in refused(feeds.read, GPUHUNT.replace("0.008", "0"), ORIGIN).what
