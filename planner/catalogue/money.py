"""The money of a plan: checked, put into its one currency, and completed from the catalogue's grids and lists of services."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from operator import attrgetter
from typing import Any

from planner import units
from planner.catalogue.profiles import Profiles
from planner.errors import InputError, nearest, printable, unknown
from planner.schema.hardware import Provider
from planner.schema.money import Grid, ServiceList
from planner.schema.plan import ASSUMED_ELECTRICITY, Economics, Plan
from planner.schema.quantity import Figure, Price

At = Callable[..., str]
"""Where a field stands: ``plan.yaml:3:5 own.spares``."""
HOURS = 24
WHOLE = (
    *("economics.busy", "economics.derate", "economics.cost_of_capital", "rent.support", "rent.tax", "own.spares"),
    *("own.purchase_tax", "own.residual", "own.maintenance", "fleet.replacement"),
)
"""Shares that may be all of something."""
PART = ("serve.prefix_hit", "train.reliability.evaluation")
"""Shares that leave something."""
RANGES = {"utilisation": (0.01, 1, "70 %"), "horizon": (units.HOUR, 100 * units.YEAR, "3 years"), "pue": (1, 10, "1.3")}


def sound(plan: Plan, at: At) -> None:
    """Raise InputError for the first thing that types alone do not say about the money of a plan."""
    for field, problem in _problems(plan):
        raise InputError(problem, where=at(*field.split(".")))


def _problems(plan: Plan) -> Iterator[tuple[str, str]]:
    e, rent = plan.economics, plan.rent
    for name, (least, most, like) in RANGES.items():
        if not least <= getattr(e, name) <= most:
            yield f"economics.{name}", f"{getattr(e, name):g} is not between {least:g} and {most:g}; write it like '{like}'"
    for field in (*WHOLE, *PART):
        share = _value(plan, field)
        if share is not None and not (share <= 1 if field in WHOLE else share < 1):
            yield field, f"{share:g} is not a share {'up to' if field in WHOLE else 'below'} 1; write it like '60 %'"
    for term, off in rent.discounts.items():
        if off >= 1:
            yield f"rent.discounts.{term}", f"{off:g} is not a share below 1; write it like '15 %'"
    for name in ("serve.daily", "infer.daily", "economics.carbon_by_hour"):
        yield from _day(name, _value(plan, name))
    starts = [step.over for step in rent.sustained_use]
    if starts != sorted(set(starts)) or any(s.over >= 1 or s.pays > 1 for s in rent.sustained_use):
        yield "rent.sustained_use", "its steps must begin at rising shares of a month below 1, and pay at most the whole price"
    yield from _together(plan)
    yield from _rates(e)


def _together(plan: Plan) -> Iterator[tuple[str, str]]:
    """What one field says of another."""
    e, rent = plan.economics, plan.rent
    if e.device_power and e.derate:
        yield "economics.derate", "is of the board power, and device_power gives what was measured: keep one"
    if e.busy < 1 and not (plan.ends or plan.capacity):
        yield "economics.busy", "is of runs and of capacity: a service runs day and night, and 'daily' gives its traffic"
    if rent.autoscale and not plan.daily:
        yield "rent.autoscale", "follows the traffic of a day: give it as 'daily', 24 shares of the rate"
    if rent.autoscale and rent.minimum > units.DAY:
        yield "rent.minimum", "is longer than a day, in which instances come and go"
    if plan.own.lead_time >= e.horizon:
        yield "own.lead_time", f"of {units.duration(plan.own.lead_time)} is as long as the horizon: nothing would be used"
    if plan.fleet and not (plan.serve or plan.infer):
        yield "fleet", "is of sites that serve or infer"
    if plan.fleet and "owned" not in plan.hardware.terms:
        yield "hardware.terms", "a fleet is of machines that stand at the sites: 'owned' must be among the terms"


def _day(name: str, day: Sequence[float] | None) -> Iterator[tuple[str, str]]:
    if day and len(day) != HOURS:
        yield name, f"has {len(day)} values; a day has {HOURS}"
    elif day and (not max(day) or ("daily" in name and max(day) > 1)):
        yield name, "must be shares of the rate: up to 1, not all of them 0"


def _rates(e: Economics) -> Iterator[tuple[str, str]]:
    for code, rate in e.rates.items():
        if code not in units.CURRENCIES or code == e.currency:
            near = nearest(code.lower(), [c.lower() for c in units.CURRENCIES])
            meant = f"; did you mean {near[0].upper()}?" if near and code != e.currency else ""
            yield f"economics.rates.{code}", f"'{printable(code)}' is not another currency (ISO 4217){meant}"
        elif rate.currency != e.currency:
            yield f"economics.rates.{code}", f"is in {rate.currency}, but rates are into the plan's currency, {e.currency}"


def _value(plan: Plan, field: str) -> Any:
    """``own.spares`` of a plan; None where a block on the way is absent."""
    *blocks, name = field.split(".")
    record: Any = plan
    for block in blocks:
        record = getattr(record, block)
        if record is None:
            return None
    return attrgetter(name)(record)


def converted(plan: Plan, at: At) -> Plan:
    """The plan with every amount in its currency, by the rates it gives; InputError where there is none for one."""
    e = plan.economics
    if e.currency not in units.CURRENCIES:
        near = nearest(e.currency.lower(), [c.lower() for c in units.CURRENCIES])
        hint = f"Did you mean {' or '.join(n.upper() for n in near)}?" if near else ""
        what = f"'{printable(e.currency)}' is not a currency that is known (ISO 4217); write it like 'USD'"
        raise InputError(what, where=at("economics", "currency"), hint=hint)
    blocks = {name: _converted(getattr(plan, name), e, at, name) for name in ("economics", "rent", "own", "fleet")}
    return replace(plan, **blocks)


def _converted(block: Any, e: Economics, at: At, *path: str) -> Any:
    if not is_dataclass(block) or isinstance(block, type):
        return block
    changed: dict[str, Any] = {}
    for field in fields(block):
        value = getattr(block, field.name)
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str) and isinstance(value[0], float):
            if value[1] != e.currency:
                changed[field.name] = (in_currency(value, e, at(*path, field.name)), e.currency)
        elif is_dataclass(value):
            inner = _converted(value, e, at, *path, field.name)
            changed |= {} if inner is value else {field.name: inner}
    return replace(block, **changed) if changed else block


def in_currency(money: tuple[float, str], e: Economics, where: str) -> float:
    """An amount in the plan's currency; InputError where the plan has no rate for it."""
    amount, currency = money
    if currency == e.currency:
        return amount
    if currency not in e.rates:
        hint = f"Give one: economics: {{rates: {{{currency}: {{value: … {e.currency}, date: …, source: …}}}}}}."
        what = f"is in {currency}, but the plan's currency is {e.currency} and it gives no rate: the planner does not guess one"
        raise InputError(what, where=where, hint=hint)
    return amount * e.rates[currency].amount


def completed(plan: Plan, profiles: Profiles, at: At) -> Plan:
    """The plan with the electricity price and carbon intensity of its region, where it gives none itself."""
    e = plan.economics
    if not e.region:
        return plan
    where = at("economics", "region")
    grid = grid_of(e.region, profiles, where)
    if e.electricity is ASSUMED_ELECTRICITY and grid.electricity:
        e = replace(e, electricity=(in_currency(grid.electricity.value, e, where), e.currency))
    return replace(plan, economics=e)


def grid_of(region: str, profiles: Profiles, where: str = "") -> Grid:
    """A grid by name: ``DEU``, ``US-VA`` or ``aws/us-east-1``; InputError with the nearest names where there is none."""
    provider, _, name = region.rpartition("/")
    file = provider or ("us-states" if region.startswith("US-") else "countries")
    known = file in profiles.files["grid"]
    grids = _sourced(profiles, file) if known else {}
    if name not in grids:
        choices = [f"{provider}/{r}" if provider else r for f in ([file] if known else ()) for r in profiles.grid(f).regions]
        listing = "Regions are countries (DEU), states of the USA (US-VA) and those of clouds (aws/us-east-1)."
        raise unknown("region", region, choices or profiles.ids("grid"), where=where, listing=listing)
    return grids[name]


def grids(plan: Plan, providers: Sequence[Provider], profiles: Profiles) -> Mapping[str, Grid]:
    """The grids of the plan's own region, as "", and of every region that is offered, as ``aws/us-east-1``."""
    own = {"": grid_of(plan.economics.region, profiles)} if plan.economics.region else {}
    known = [p.id for p in providers if p.id in profiles.files["grid"]]
    return own | {f"{id}/{region}": grid for id in known for region, grid in _sourced(profiles, id).items()}


def services(providers: Sequence[Provider], profiles: Profiles) -> Mapping[str, ServiceList]:
    """What the providers charge beside instances, by provider, where that is known."""
    return {p.id: profiles.service(p.id) for p in providers if p.id in profiles.files["service"]}


def _sourced(profiles: Profiles, file: str) -> Mapping[str, Grid]:
    """The grids of a file, each figure with its source in full."""
    record = profiles.grid(file)

    def full(figure: Any) -> Any:
        if isinstance(figure, (Figure, Price)):
            return replace(figure, source=record.sources.get(figure.source, figure.source))
        return figure

    return {
        region: replace(grid, carbon=full(grid.carbon), electricity=full(grid.electricity), pue=full(grid.pue))
        for region, grid in record.regions.items()
    }
