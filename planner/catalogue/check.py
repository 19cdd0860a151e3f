"""The catalogue held against its own rules: every file readable, every figure sourced, every reference known."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planner.catalogue.document import plain
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.schema.coefficients import Calibration
from planner.schema.hardware import TERMS, Provider
from planner.schema.money import Grids, ServiceList

RENTED = tuple(t for t in TERMS if t != "owned")


Rule = Callable[[Any], Iterator[str]]


def check(profiles: Profiles, more: Mapping[str, Rule] | None = None) -> tuple[dict[str, int], list[str]]:
    """Counts by kind of profile, and every problem as one line; an empty list means sound. ``more``: rules by kind."""
    problems: list[str] = []
    counts: dict[str, int] = {}
    for kind in profiles.files:
        counts[kind + "s"] = len(profiles.files[kind])
        for id, path in profiles.files[kind].items():
            load: Callable[[str], Any] = getattr(profiles, kind)
            try:
                record = load(id)
            except InputError as error:
                problems.append(str(error).replace("\n", " "))
                continue
            if kind == "provider":
                counts["offers"] = counts.get("offers", 0) + len(record.offers)
            found = [*_sourced(plain(record), record.sources)]
            if kind in _RULES:
                found += _RULES[kind](record, profiles)
            if more and kind in more:
                found += more[kind](record)
            problems += [f"{path}: {problem}" for problem in found]
    return counts, problems


def _sourced(value: Any, sources: dict[str, str]) -> Iterator[str]:
    """Figures whose source is not among the file's sources."""
    for name in sorted(set(_used(value)) - set(sources)):
        yield f"the source '{name}' is not among the file's sources"


def _used(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("source"), str):
            yield value["source"]
        for key, item in value.items():
            if key != "sources":
                yield from _used(item)
    elif isinstance(value, list):
        for item in value:
            yield from _used(item)


def _device(d: Any, profiles: Profiles) -> Iterator[str]:
    if not d.peak and not any(m.bandwidth for m in d.memory):
        yield "has neither a peak nor a memory bandwidth: nothing could be estimated"
    order = [d.peak[t].value for t in ("fp32", "bf16", "fp8", "fp4") if t in d.peak]
    if order != sorted(order):
        yield "a narrower dtype has a lower peak than a wider one"


def _system(s: Any, profiles: Profiles) -> Iterator[str]:
    if s.device not in profiles.files["device"]:
        yield f"names the unknown device '{s.device}'"
    names = [t.name for t in s.tiers]
    if len(set(names)) != len(names):
        yield "has the same tier twice"


def _provider(p: Provider, profiles: Profiles) -> Iterator[str]:
    seen = set()
    for o in p.offers:
        name = f"{o.id} {o.region}".strip()
        if (o.id, o.region) in seen:
            yield f"{name} is offered twice"
        seen.add((o.id, o.region))
        if o.system not in profiles.files["system"]:
            yield f"{name} names the unknown system '{o.system}'"
        elif (o.devices or 1) > _devices(o.system, profiles):
            yield f"{name} has more devices than its system"
        prices = {t: x for t in TERMS if (x := getattr(o.prices, t))}
        if not prices:
            yield f"{name} has no price"
        on_demand = prices.get("on_demand")
        for term in RENTED[1:]:
            rent = prices.get(term)
            if on_demand and rent and rent.currency == on_demand.currency and rent.amount > on_demand.amount:
                yield f"{name} costs more {term.replace('_', ' ')} than on demand"


def _devices(system: str, profiles: Profiles) -> float:
    """Devices of a system; no limit where its own file is broken, which is reported there."""
    try:
        return profiles.system(system).devices
    except InputError:
        return math.inf


def _service(s: ServiceList, profiles: Profiles) -> Iterator[str]:
    if s.id not in profiles.files["provider"]:
        yield f"is of the unknown provider '{s.id}'"
    starts = [band.over for band in s.egress]
    if starts and (starts[0] != 0 or starts != sorted(set(starts))):
        yield "the bands of egress must begin at 0 and rise"


def _grid(g: Grids, _: Profiles) -> Iterator[str]:
    for region, grid in g.regions.items():
        if not (grid.carbon or grid.electricity or grid.pue):
            yield f"{region} has no figure"


def _calibration(c: Calibration, _: Profiles) -> Iterator[str]:
    for law, fits in c.laws.items():
        for variant, fit in fits.items():
            if not all(map(math.isfinite, fit.coefficients.values())):
                yield f"{law} {variant} has a coefficient that is not a finite number"


_RULES: dict[str, Callable[[Any, Profiles], Iterator[str]]] = {
    "device": _device,
    "system": _system,
    "provider": _provider,
    "service": _service,
    "grid": _grid,
    "calibration": _calibration,
}
