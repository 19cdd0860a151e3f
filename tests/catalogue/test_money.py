"""The money blocks of a plan: what is refused, and where; conversion by given rates only; grids and services."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import planner
from planner.catalogue.check import check
from planner.catalogue.plan import gather, read_plan
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.schema.inputs import Inputs

Refused = Callable[..., InputError]
PLAN = """\
title: Own or rent?
capacity: {devices: 16}
hardware: {systems: [acme-one-x8], providers: [acme], terms: [on_demand, spot, owned]}
economics:
  currency: USD
"""
SERVE = PLAN.replace(
    "capacity: {devices: 16}", "workload: {model: gpt2}\nserve: {requests_per_second: 2, input_tokens: 9, output_tokens: 9}"
)
DAY = "[" + ", ".join(["0.5"] * 12 + ["1"] * 12) + "]"


def ask(path: Path, catalogue: Profiles) -> Inputs:
    plan, text = read_plan(path)
    return gather(plan, text, path, catalogue)


def given(own: Path, text: str) -> Path:
    path = own / "plan.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("more", "where", "says", "hint"),
    [
        ("  horizon: 0 s", ":6:3 economics.horizon", "must be above 0", ""),
        ("  horizon: 1 s", ":6:3 economics.horizon", "write it like '3 years'", ""),
        ("  busy: 120 %", ":6:3 economics.busy", "not a share up to 1", ""),
        ("  busy: .nan", ":6:3 economics.busy", "not a finite number", ""),
        ("  cost_of_capital: .inf", ":6:3 economics.cost_of_capital", "not a finite number", ""),
        ("  electricity: 0 USD/kWh", ":6:3 economics.electricity", "must be above zero", ""),
        ("  electricity: -0.1 USD/kWh", ":6:3 economics.electricity", "is negative", ""),
        ("  electricity: 0.1 USX/kWh", ":6:3 economics.electricity", "in no currency that is known", ""),
        ("  electricity: 0.1 EUR/kWh", ":6:3 economics.electricity", "gives no rate", "rates: {EUR"),
        ("  region: US-ZZ", ":6:3 economics.region", "unknown region 'US-ZZ'", "US-"),
        ("  region: Germany", ":6:3 economics.region", "unknown region", "DEU"),
        ("  region: aws/us-east-9", ":6:3 economics.region", "unknown region", "us-east-1"),
        ("  region: acme/x", ":6:3 economics.region", "unknown region", "aws/us-east-1"),
        ("  derate: 80 %\n  device_power: 500 W", ":6:3 economics.derate", "keep one", ""),
        ("  carbon_by_hour: [1, 2]", ":6:3 economics.carbon_by_hour", "has 2 values; a day has 24", ""),
        ("  rates: {USD: {value: 1 USD, date: 2026-01-01, source: me}}", ":6:11 economics.rates.USD", "not another currency", ""),
        ("  rates: {EUX: {value: 1 USD, date: 2026-01-01, source: me}}", ":6:11 economics.rates.EUX", "not another currency", ""),
        ("  rates: {EUR: {value: 1 GBP, date: 2026-01-01, source: me}}", ":6:11 economics.rates.EUR", "into the plan's", ""),
        ("  rates: {EUR: {value: 0 USD, date: 2026-01-01, source: me}}", ":6:11 economics.rates.EUR", "above zero", ""),
        ("  rates: {EUR: {value: 1.1 USD, source: me}}", ":6:11 economics.rates.EUR.date", "'date' is missing", ""),
        ("own: {spares: 101 %}", ":6:7 own.spares", "not a share up to 1", ""),
        ("own: {network: 0 USD}", ":6:7 own.network", "must be above zero", ""),
        ("own: {colocation: 150 USD/month}", ":6:7 own.colocation", "write it like '184 USD/kW/month'", ""),
        ("own: {staff: 3000 CHF/month}", ":6:7 own.staff", "gives no rate", "rates: {CHF"),
        ("own: {lead_time: 3 years}", ":6:7 own.lead_time", "as long as the horizon", ""),
        ("own: {nodes_per_rack: 0}", ":6:7 own.nodes_per_rack", "must be at least 1", ""),
        ("rent: {discounts: {on_demand: 100 %}}", ":6:20 rent.discounts.on_demand", "not a share below 1", ""),
        ("rent: {discounts: {owned: 10 %}}", ":6:20 rent.discounts.owned", "is not one of", ""),
        ("rent: {sustained_use: [{over: 50 %, pays: 80 %}, {over: 25 %, pays: 60 %}]}", ":6:8 rent.sustained_use", "rising", ""),
        ("rent: {spot: {mtbf: 0 h, restart: 1 min}}", ":6:15 rent.spot.mtbf", "must be above 0", ""),
        ("rent: {spot: {restart: 1 min}}", ":6:8 rent.spot.mtbf", "'mtbf' is missing", ""),
        ("rent: {egress: 5}", ":6:8 rent.egress", "has no unit", ""),
        ("rent: {prices: {egress: 0 USD/GB}}", ":6:17 rent.prices.egress", "above zero", ""),
        ("rent: {prices: {egress: 0.1 EUR/GB}}", ":6:17 rent.prices.egress", "gives no rate", "EUR"),
        ("rent: {autoscale: true}", ":6:8 rent.autoscale", "give it as 'daily'", ""),
        ("rent: {suport: 3 %}", ":6:8 rent.suport", "unknown field", "Did you mean 'support'?"),
        ("fleet: {sites: 10}", ":6:1 fleet", "sites that serve or infer", ""),
        ("fleet: {sites: 0}", ":6:9 fleet.sites", "must be at least 1", ""),
    ],
)  # fmt: skip
def test_wrong_money(more: str, where: str, says: str, hint: str, own: Path, catalogue: Profiles, refused: Refused) -> None:
    error = refused(ask, given(own, PLAN + more + "\n"), catalogue)
    assert error.where == f"{own / 'plan.yaml'}{where}"
    assert says in error.what and hint in error.hint


@pytest.mark.parametrize(
    ("more", "field", "says"),
    [
        ("  busy: 60 %\n", "economics.busy", "a service runs day and night"),
        ("rent: {autoscale: true}\n", "rent.autoscale", "give it as 'daily'"),
        ("fleet: {sites: 3}\n", "hardware.terms", "'owned' must be among the terms"),
    ],
)
def test_what_does_not_go_with_a_service(
    more: str, field: str, says: str, own: Path, catalogue: Profiles, refused: Refused
) -> None:
    error = refused(ask, given(own, SERVE.replace(", owned]", "]") + more), catalogue)
    assert error.where.endswith(field) and says in error.what


@pytest.mark.parametrize(
    ("day", "says"),
    [("[1]", "has 1 values"), (DAY.replace("0.5", "1.5"), "up to 1"), ("[" + "0, " * 23 + "0]", "not all of them 0")],
)
def test_a_day_that_is_none(day: str, says: str, own: Path, refused: Refused) -> None:
    error = refused(read_plan, given(own, SERVE.replace("output_tokens: 9", f"output_tokens: 9, daily: {day}")))
    assert error.where.endswith("serve.daily") and says in error.what


def test_a_workload_is_missed_where_speed_matters(own: Path, refused: Refused) -> None:
    assert "'workload' is missing" in refused(read_plan, given(own, SERVE.replace("workload: {model: gpt2}\n", ""))).what


def test_amounts_are_converted_by_the_rate_of_the_plan_and_by_nothing_else(own: Path, catalogue: Profiles) -> None:
    """1 EUR is 1.10 USD: 0.20 EUR/kWh are 0.22 USD/kWh, 1,000 EUR are 1,100 USD; what is in USD stays as it is."""
    rates = "  rates: {EUR: {value: 1.10 USD, date: 2026-11-20, source: ECB}}\n  electricity: 0.20 EUR/kWh\n"
    more = "own: {staff: 1000 EUR/month, network: 5 USD}\nrent: {prices: {egress: 0.05 EUR/GB}}\n"
    plan = ask(given(own, PLAN + rates + more), catalogue).plan
    assert plan.economics.electricity == (pytest.approx(0.22), "USD")
    assert plan.own.staff == (pytest.approx(1100), "USD") and plan.own.network == (5, "USD")
    assert plan.rent.prices.egress == (pytest.approx(0.055), "USD")


def test_a_region_gives_price_and_carbon_unless_the_plan_does(own: Path, catalogue: Profiles) -> None:
    inputs = ask(given(own, PLAN + "  region: US-VA\n"), catalogue)
    grid = inputs.grids[""]
    assert inputs.plan.economics.electricity == (grid.electricity.amount, "USD") if grid.electricity else False
    assert grid.carbon and "eGRID" in grid.carbon.source
    kept = ask(given(own, PLAN + "  region: US-VA\n  electricity: 0.12 USD/kWh\n"), catalogue)
    assert kept.plan.economics.electricity == (0.12, "USD")


def test_a_price_in_euro_of_a_region_needs_a_rate(own: Path, catalogue: Profiles, refused: Refused) -> None:
    error = refused(ask, given(own, PLAN + "  region: IRL\n"), catalogue)
    assert error.where.endswith("economics.region") and "EUR" in error.what
    rates = "  rates: {EUR: {value: 1.10 USD, date: 2026-11-20, source: ECB}}\n  region: IRL\n"
    assert ask(given(own, PLAN + rates), catalogue).plan.economics.electricity == (pytest.approx(0.256 * 1.10), "USD")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("egress:\n  - {over: 0 GB", "egress:\n  - {over: 1 GB", "must begin at 0 and rise"),
        ("source: egress}", "source: nobody}", "the source 'nobody' is not among"),
        ("value: 0.02 USD/GB", "value: 0 USD/GB", "above zero"),
    ],
)
def test_a_wrong_list_of_services_is_found_by_check(old: str, new: str, says: str, own: Path) -> None:
    text = SERVICES.replace(old, new, 1)
    assert text != SERVICES
    (own / "services").mkdir()
    (own / "services" / "acme.yaml").write_text(text)
    assert any(says in problem for problem in check(Profiles([own])).problems)


def test_a_spot_price_above_that_on_demand_stops_a_plan_too(own: Path, refused: Refused) -> None:
    offers = own / "offers" / "acme.yaml"
    offers.write_text(offers.read_text().replace("value: 8 USD/h", "value: 21 USD/h"))
    error = refused(ask, given(own, PLAN), Profiles([own]))
    assert error.where == str(offers) and "costs more spot than on demand" in error.what


def test_a_price_of_zero_is_none(own: Path, refused: Refused) -> None:
    offers = own / "offers" / "acme.yaml"
    offers.write_text(offers.read_text().replace("value: 8 USD/h", "value: 0 USD/h"))
    error = refused(ask, given(own, PLAN), Profiles([own]))
    assert error.where.startswith(f"{offers}:10") and "above zero" in error.what


SERVICES = """\
region: moon-1
sources: {egress: made up}
between_regions: {value: 0.02 USD/GB, date: 2026-01-01, source: egress}
egress:
  - {over: 0 GB, price: {value: 0.1 USD/GB, date: 2026-01-01, source: egress}}
  - {over: 100 GB, price: {value: 0.05 USD/GB, date: 2026-01-01, source: egress}}
"""


def test_the_shipped_grids_and_services_are_sound(catalogue: Profiles) -> None:
    found = check(catalogue)
    counts = found.counts
    assert not [p for p in found.problems if "grids" in p or "services" in p]
    assert counts["grids"] >= 5 and counts["services"] >= 4
    assert sum(len(catalogue.grid(id).regions) for id in catalogue.ids("grid")) > 300


@pytest.mark.parametrize("scenario", ["serve", "train", "infer", "capacity"])
def test_every_field_that_a_template_shows_in_a_comment_is_one(scenario: str, tmp_path: Path) -> None:
    template = Path(planner.__file__).parent / "data" / "plans" / f"{scenario}.yaml"
    instead = (
        "requests: ",
        "within: ",
        "systems: ",
        "providers: ",
        "regions: ",
        "kinds: ",
        "A plan: ",
        "Leave a list",
        "trace: ",
    )
    shown = []
    for text in template.read_text().splitlines():
        hidden = re.match(r"(\s*)# (\w+: ?.*)", text)
        shown.append(hidden[1] + hidden[2] if hidden and not hidden[2].startswith(instead) else text)
    full = "\n".join(shown).replace("[0.3, 0.2, …]", DAY)
    plan, _ = read_plan(tmp_path / "plan.yaml", full)
    assert plan.rent.tax and plan.own.lead_time and plan.economics.rates and plan.economics.cost_of_capital
