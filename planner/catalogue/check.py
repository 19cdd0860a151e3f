"""The catalogue held against its own rules: every file readable, every figure sourced, every reference known."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from planner.catalogue.document import plain
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.schema.coefficients import Calibration
from planner.schema.hardware import TERMS, Device, Provider
from planner.schema.money import Grids, ServiceList

STALE = 90
"""Days after which a rent is old. What a machine cost to buy is kept as it was."""
PEAK_TOLERANCE = 0.05
MODE = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")

Rule = Callable[[Any], Iterator[str]]


@dataclass
class Findings:
    """What a check counted and found; no problem means sound. A warning is no fault of the catalogue."""

    counts: dict[str, int] = field(default_factory=dict)
    """Profiles by kind."""
    parts: dict[str, dict[str, int]] = field(default_factory=dict)
    """Devices by kind, offers by provider and by kind of device, prices by term."""
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check(profiles: Profiles, more: Mapping[str, Rule] | None = None, today: date | None = None) -> Findings:
    """Everything in the catalogue against its rules, each problem one line. ``more``: rules by kind of profile."""
    found = Findings()
    parts: dict[str, Counter[str]] = {name: Counter() for name in ("devices", "offers", "offers_of", "prices")}
    problems, counts = found.problems, found.counts
    for kind in profiles.files:
        counts[kind + "s"] = len(profiles.files[kind])
        for id, path in profiles.files[kind].items():
            load: Callable[[str], Any] = getattr(profiles, kind)
            try:
                record = load(id)
            except InputError as error:
                problems.append(str(error).replace("\n", " "))
                continue
            _count(record, parts, profiles)
            if isinstance(record, Provider):
                counts["offers"] = parts["offers"].total()
                found.warnings += [f"{path}: {w}" for w in _warnings(record, today or date.today())]
            wrong = [*_sourced(plain(record), record.sources)]
            if kind in _RULES:
                wrong += _RULES[kind](record, profiles)
            if more and kind in more:
                wrong += more[kind](record)
            problems += [f"{path}: {problem}" for problem in wrong]
    found.parts = {name: dict(counted) for name, counted in parts.items()}
    return found


def _count(record: Any, parts: dict[str, Counter[str]], profiles: Profiles) -> None:
    if isinstance(record, Device):
        parts["devices"][record.kind] += 1
    if isinstance(record, Provider):
        parts["offers"][record.id] = len(record.offers)
        for offer in record.offers:
            parts["offers_of"][_kind(offer.system, profiles)] += 1
            parts["prices"].update(t for t in TERMS if getattr(offer.prices, t))


def _kind(system: str, profiles: Profiles) -> str:
    """Kind of a system's device; "unknown" where a file is broken, which is reported there."""
    try:
        return profiles.device(profiles.system(system).device).kind
    except InputError:
        return "unknown"


def _warnings(p: Provider, today: date) -> Iterator[str]:
    """That rents of a provider are old, or missing, in a line each."""
    if bare := sorted(set(p.instances) - {o.id for o in p.offers}):
        yield f"{len(bare)} of its instances have no price, like {', '.join(bare[:3])}"
    days = [price.date for o in p.offers for t in TERMS if t != "owned" and (price := getattr(o.prices, t))]
    old = [day for day in days if (today - day).days > STALE]
    if old:
        yield (f"{len(old):,} of {len(days):,} rents are older than {STALE} days, the oldest of {min(old)}; "
               f"'planner prices refresh --provider {p.id}' brings new ones")  # fmt: skip


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
    stated = {t: peak.value for t, peak in d.peak.items() if not peak.note.startswith("measured")}  # no units for a dtype: slower
    order = [stated[t] for t in ("fp32", "bf16", "fp8", "fp4") if t in stated]
    if order != sorted(order):
        yield "a narrower dtype has a lower peak than a wider one"
    yield from _peaks(d)
    yield from _modes(d)


def _peaks(d: Device) -> Iterator[str]:
    """Peaks that do not follow from the compute units, the clock and the operations a cycle, where all are known."""
    for dtype, ops in d.ops_per_cycle.items():
        peak = d.peak.get(dtype)
        if peak is None or d.compute_units is None or d.clock is None:
            yield f"has {dtype} operations a cycle, which need its peak, compute_units and clock beside them"
            continue
        follows = d.compute_units.value * d.clock.value * ops.value
        if abs(peak.value / follows - 1) > PEAK_TOLERANCE:
            product = f"{d.compute_units.value:g} units x {d.clock.value / 1e9:g} GHz x {ops.value:g} a cycle"
            yield f"its {dtype} peak is {peak.value / 1e12:g} T, but {product} are {follows / 1e12:.4g} T"


def _modes(d: Device) -> Iterator[str]:
    """Power modes that cannot be told from each other, or whose limits have nothing of the device to be held against."""
    main = d.level("main")
    own = {"clock": d.clock, "compute_units": d.compute_units, "memory_clock": main.clock if main else None}
    for name, mode in d.power_modes.items():
        if not MODE.fullmatch(name):
            yield f"has the power mode '{name}': a mode is named in lower-case letters, digits and -"
        for limit, figure in own.items():
            if getattr(mode, limit) and figure is None:
                yield f"its power mode {name} limits the {limit.replace('_', ' ')}, which it does not give for itself"
        if mode.compute_units and d.compute_units and mode.compute_units.value > d.compute_units.value:
            yield f"its power mode {name} has more compute units than it has"


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
        if not any(getattr(o.prices, t) for t in TERMS):
            yield f"{name} has no price"


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
