"""Three total costs worked by hand, step by step, and reproduced to the cent: a service that is rented, a cluster that is
owned, and a fleet of boards."""

from datetime import date

import numpy as np
import pytest

from planner.decide.decision import decide
from planner.model.columns import Columns
from planner.schema.goals import Capacity, Infer, Serve
from planner.schema.inputs import Inputs
from planner.schema.money import Band, Fleet, Own, Rent, ServiceList
from planner.schema.quantity import Price
from planner.search.candidate import Candidate
from planner.search.listings import listings
from planner.search.money import account, running
from planner.search.result import Way
from tests.search.records import SOURCES, device, figure, inputs, offer, provider, system

YEARLY = 1.01**12 - 1
"""A cost of capital that is 1 % a month."""


def price(amount: float) -> Price:
    return Price((amount, "USD"), date(2026, 1, 2), "made")


def cents(amount: float) -> str:
    return f"{amount:,.2f}"


# 1. Five instances on demand that follow the traffic of the day, with storage, transfer, balancers, support and tax.

SHOP = ServiceList(
    "shop", "here", SOURCES, object=price(0.023), load_balancer=price(0.0225),
    egress=(Band(price(0.0)), Band(price(0.09), 100e9), Band(price(0.085), 10_000e9)),
)  # fmt: skip


def rented() -> Inputs:
    day = (0.5,) * 12 + (1.0,) * 12
    rent = Rent({"on_demand": 0.10}, autoscale=True, object=2000e9, egress=12_000e9, load_balancers=2, support=0.03, tax=0.19)
    goal = Serve(500.0, 100.0, requests_per_second=20.0, daily=day)
    return inputs(goal, hardware={"systems": ("alder-x8",)}, services={"shop": SHOP}, rent=rent, providers=(
        provider(offer("alder.8", "alder-x8", on_demand=16.0)),
    ))  # fmt: skip


def test_a_rented_service_by_hand() -> None:
    """5 instances at the peak, 16.00 an hour less 10 %.

    Hours      4.4 instances are needed at the peak: 5 for 12 hours, ceil(2.2) = 3 for 12: 96 of 120 instance-hours a day, 80 %
               730 h × 80 % = 584 h; 584 h × 5 × 14.40                            42,048.00
    Storage    2,000 GB × 0.023                                                        46.00
    Egress     100 GB free, 9,900 × 0.09 = 891.00, 2,000 × 0.085 = 170.00           1,061.00
    Balancers  2 × 730 h × 0.0225                                                      32.85
    Support    3 % of 43,187.85                                                     1,295.64
    Tax        19 % of 44,483.49                                                    8,451.86
    Sum                                                                            52,935.35
    """
    asked = rented()
    listed, places = listings(asked)
    share = running(asked, listed, np.array([5.0]), np.array([4.4]))
    assert share == pytest.approx([0.8])
    rows = Columns(
        instances=5.0, devices=40.0, hours=730.0, stretch=1.0, running=share, watts=9000.0, idle=1000.0, full=12_000.0, length=1
    )
    parts = {name: float(values[0]) for name, values in account(asked, listed, places, rows).parts.items() if values[0]}
    assert {name: cents(value) for name, value in parts.items()} == {
        "rent": "42,048.00", "object storage": "46.00", "egress": "1,061.00", "load balancers": "32.85", "support": "1,295.64",
        "tax": "8,451.86",
    }  # fmt: skip
    assert cents(sum(parts.values())) == "52,935.35"


# 2. Sixteen devices for three years, with work 60 % of the time: bought, against rented by the hour.

OWN = Own(
    network=(20_000.0, "USD"), rack=(5000.0, "USD"), nodes_per_rack=2, installation=(10_000.0, "USD"), spares=0.05,
    purchase_tax=0.10, residual=0.20, maintenance=0.05, colocation=(150.0, "USD"), staff=(3000.0, "USD"),
)  # fmt: skip


def bought(own: Own = OWN, **economics: object) -> tuple[Candidate, dict[str, Way]]:
    money = {"busy": 0.6, "cost_of_capital": YEARLY, "electricity": (0.10, "USD"), "pue": 1.25, **economics}
    result = decide(
        inputs(
            Capacity(16), own=own, economics=money, hardware={"terms": ("on_demand", "owned")},
            providers=(provider(offer("birch.8", "birch-x8", on_demand=40.0, owned=300_000.0)),),
        )
    )  # fmt: skip
    assert result.ownership is not None
    owned = next(c for c in result.candidates if c.term == "owned")
    return owned, {way.term: way for way in result.ownership.ways}


def test_an_owned_cluster_by_hand() -> None:
    """2 nodes of 8 devices, 100 W idle and 300 W at work each, 36 months at 1 % a month.

    At once    2 × 300,000 = 600,000; network 2 × 20,000; one rack 5,000; installation 10,000; spares 5 % of 600,000 = 30,000;
               tax 10 % of 685,000 = 68,500                                       753,500.00
    A month    electricity: (4.8 kW × 438 h + 1.6 kW × 292 h) × 1.25 × 0.10 = 321.20; colocation 4.8 kW × 150 = 720.00;
               staff 3,000.00; maintenance 5 % × 600,000 / 12 = 2,500.00           6,541.20
    At the end 20 % of 600,000                                                   120,000.00
    Annuity    (1 - 1.01^-36) / 0.01 = 30.107505; 1.01^-36 = 0.698925
    Present    753,500.00 + 6,541.20 × 30.107505 - 120,000.00 × 0.698925         866,568.22
    Each month 866,568.22 / 30.107505                                              28,782.47
    An hour    28,782.47 / (16 devices × 438 h)                                         4.11
    """
    owned, ways = bought()
    assert {name: cents(value) for name, value in owned.upfront.items()} == {
        "hardware": "600,000.00", "network": "40,000.00", "racks": "5,000.00", "installation": "10,000.00", "spares": "30,000.00",
        "purchase tax": "68,500.00",
    }  # fmt: skip
    assert {name: cents(value) for name, value in owned.monthly.items()} == {
        "colocation": "720.00", "staff": "3,000.00", "maintenance": "2,500.00", "electricity": "321.20",
    }  # fmt: skip
    way = ways["owned"]
    assert (cents(way.upfront), cents(way.monthly), cents(way.resale)) == ("753,500.00", "6,541.20", "120,000.00")
    assert cents(way.npv) == "866,568.22"
    assert cents(owned.cost.value) == cents(sum(owned.cost_parts.values())) == "28,782.47"
    assert cents(way.per_hour) == cents(owned.unit_cost.value) == "4.11"


def test_renting_the_same_by_hand() -> None:
    """2 × 40.00 × 438 h = 35,040.00 a month; × 30.107505 = 1,054,966.98 over three years.

    Month      753,500 + 6,541.20 a = 35,040.00 a gives a = 26.43971, so 1.01^-t = 0.735603 and t = 30.9: month 31.
    Use        Electricity at a use u is 146 + 292 u, so owning takes 28,607.27 + 292 u a month and renting 58,400 u: u = 49.2 %.
    """
    _, ways = bought()
    rent = ways["on_demand"]
    assert cents(rent.monthly) == "35,040.00" and cents(rent.npv) == "1,054,966.98"
    assert rent.break_even_month == 31
    assert rent.break_even_use == pytest.approx((28_782.4655 - 321.20 + 146) / (58_400 - 292), abs=1e-6)


def test_a_machine_that_arrives_late_is_rented_until_then() -> None:
    """4 months at 35,040.00 and 32 at 6,541.20, all discounted: a4 = 3.901966, a36 - a4 = 26.205539.

    753,500.00 + 35,040.00 × 3.901966 + 6,541.20 × 26.205539 - 83,870.99 = 977,769.55
    """
    late = {field: getattr(OWN, field) for field in OWN.__dataclass_fields__} | {"lead_time": 4 * 730 * 3600.0}
    _, ways = bought(Own(**late))
    assert cents(ways["owned"].npv) == "977,769.55"


# 3. A thousand sites with a board each.


def test_a_fleet_of_boards_by_hand() -> None:
    """1,000 boards of 250.00 and 40.00 to mount each, 48 months, 15 W whatever they do, no hall around them.

    Boards        250,000 / 48                                     5,208.33
    Installation   40,000 / 48                                       833.33
    Connectivity  1,000 × 5.00                                     5,000.00
    Replacement   6 % × 250,000 / 12                               1,250.00
    Electricity   15 kW × 730 h × 0.20                             2,190.00
    Sum                                                           14,481.67
    """
    board = device("pin", dtypes=("int8", "fp16"), tdp=figure(15.0), idle_power=None)
    result = decide(
        inputs(
            Infer(10.0), devices=[board], systems=[system("pin", 1)], hardware={"terms": ("owned",)},
            providers=(provider(offer("pin-kit", "pin-x1", owned=250.0)),),
            economics={"horizon": 48 * 730 * 3600.0, "electricity": (0.20, "USD"), "pue": 1.0},
            fleet=Fleet(1000, (5.0, "USD"), 0.06, (40.0, "USD")),
        )
    )  # fmt: skip
    (only,) = result.candidates
    assert only.feasible and (only.instances, only.devices) == (1000, 1000)
    assert {name: cents(value) for name, value in only.cost_parts.items()} == {
        "hardware": "5,208.33", "installation": "833.33", "connectivity": "5,000.00", "replacement": "1,250.00",
        "electricity": "2,190.00",
    }  # fmt: skip
    assert cents(only.cost.value) == "14,481.67"
    assert result.demand == 10_000
