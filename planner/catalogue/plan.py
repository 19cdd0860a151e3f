"""A plan file to inputs: the plan checked, and everything it names looked up."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import yaml

from planner import __version__, units
from planner.catalogue.document import build, line, parse, read_text
from planner.catalogue.models import find_workload
from planner.catalogue.profiles import LISTING, Profiles
from planner.catalogue.tables import intervals
from planner.errors import InputError, printable, unknown
from planner.schema.coefficients import EVERY, Calibration
from planner.schema.hardware import Device, Provider
from planner.schema.inputs import Inputs
from planner.schema.plan import Plan, Serve

RANGES = {"utilisation": (0.01, 1, "70 %"), "horizon": (units.HOUR, 100 * units.YEAR, "3 years"), "pue": (1, 10, "1.3")}
SHARES = (("serve", "prefix_hit"), ("train", "reliability", "evaluation"))
FLAGS = Path("flags")  # what messages call a plan that was given as options


def read_plan(path: Path, text: str | None = None) -> tuple[Plan, str]:
    """The plan in a YAML file (or in ``text``), checked; raises InputError with file, line and field."""
    text = read_text(path, 1_000_000) if text is None else text
    plan = build(parse(text, str(path)), Plan, str(path), text)
    given = [name for name in ("serve", "train", "infer") if getattr(plan, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise InputError(f"needs exactly one of serve, train and infer; it has {found}", where=str(path))
    _sound(plan, text, path)
    return plan, text


def _sound(plan: Plan, text: str, path: Path) -> None:
    """What types alone do not say about a plan."""
    if not plan.title.strip() or len(plan.title) > 300:
        raise InputError("the title is empty or longer than 300 characters", where=_at(path, text, "title"))
    for field in SHARES:
        share = attrgetter(".".join(field))(plan) if getattr(plan, field[0]) else 0.0
        if not 0 <= share < 1:
            raise InputError(f"{share:g} is not a share below 1; write it like '60 %'", where=_at(path, text, *field))
    if plan.serve:
        _one_kind_of_traffic(plan.serve, text, path)
    e = plan.economics
    for name, (least, most, like) in RANGES.items():
        if not least <= getattr(e, name) <= most:
            where = _at(path, text, "economics", name)
            raise InputError(f"{getattr(e, name):g} is not between {least:g} and {most:g}; write it like '{like}'", where=where)
    if not re.fullmatch("[A-Z]{3}", e.currency):
        where = _at(path, text, "economics", "currency")
        raise InputError(f"'{printable(e.currency)}' is not a currency; write it like 'USD'", where=where)
    for name in ("electricity", "host_price", "budget"):
        money = getattr(e, name)
        if money and money[1] != e.currency:
            what = f"is in {money[1]}, but the plan's currency is {e.currency}: the planner does not convert"
            raise InputError(what, where=_at(path, text, "economics", name))


def _one_kind_of_traffic(serve: Serve, text: str, path: Path) -> None:
    batch = (serve.requests is not None, serve.within is not None)
    if serve.requests_per_second is None and batch != (True, True):
        what = "needs requests_per_second, or requests and within for a batch that is done once"
        raise InputError(what, where=_at(path, text, "serve", "requests_per_second"))
    for name in ("requests", "within"):
        if serve.requests_per_second is not None and getattr(serve, name) is not None:
            raise InputError(
                "is of a batch that is done once, and requests_per_second is not", where=_at(path, text, "serve", name)
            )
    for name in ("ttft", "tpot"):
        if any(batch) and getattr(serve, name) is not None:
            raise InputError("limits what users see, and nobody waits for a batch", where=_at(path, text, "serve", name))


def _at(path: Path, text: str, *field: str | int) -> str:
    """``plan.yaml:3:5 hardware.systems.0``."""
    return f"{path}{'' if path == FLAGS else line(text, field)} {'.'.join(map(str, field))}"


def gather(plan: Plan, text: str, path: Path, profiles: Profiles) -> Inputs:
    """Everything the plan names, from the catalogue; unknown names are errors with the nearest valid one."""
    workload = find_workload(plan.workload.model, profiles, path.parent, where=_at(path, text, "workload", "model"))
    at = partial(_at, path, text, "hardware")
    wanted = _known(plan.hardware.systems, profiles, "system", at) or profiles.ids("system")
    sellers = _known(plan.hardware.providers, profiles, "provider", at) or profiles.ids("provider")
    providers = tuple(profiles.provider(id) for id in sellers)
    _regions(plan, providers, at)
    offered = {o.system: p.id for p in providers for o in p.offers}
    for id in sorted(offered.keys() - set(profiles.ids("system"))):
        raise unknown("system", id, profiles.ids("system"), where=f"{profiles.files['provider'][offered[id]]} offers")
    named = set(plan.hardware.systems)  # what a plan asks about by name is estimated even where nobody prices it
    systems = {
        id: profiles.system(id)
        for id in wanted
        if (id in offered or id in named) and profiles.system(id).device in profiles.files["device"]
    }
    devices = {s.device: profiles.device(s.device, where=f"system {s.id}") for s in systems.values()}
    if plan.hardware.kinds:
        devices = {id: d for id, d in devices.items() if d.kind in plan.hardware.kinds}
        systems = {id: s for id, s in systems.items() if s.device in devices}
    unoffered = [id for id in plan.hardware.systems if id not in offered]
    if unoffered and len(unoffered) == len(plan.hardware.systems):
        raise InputError(
            f"no provider the plan allows offers the system '{printable(unoffered[0])}'",
            where=at("systems", plan.hardware.systems.index(unoffered[0])),
            hint="Add an offer in your own profiles (--profiles DIR), or other providers.",
        )  # fmt: skip
    laws = calibrations(devices.values(), profiles)
    hashes = {"plan": _hash(text.encode()), "workload": _hash(repr(workload).encode())}
    hashes |= {
        "profiles": _of_files(profiles, [*(("system", i) for i in systems), *(("device", i) for i in devices)]),
        "prices": _of_files(profiles, [("provider", i) for i in sellers]),
        "calibrations": _of_files(profiles, [("calibration", i) for i in laws]),
        "intervals": _hash(repr(intervals()).encode()),
    }
    return Inputs(
        plan, workload, systems, devices, providers, laws, intervals(), text, {"planner": __version__}, hashes,
    )  # fmt: skip


def calibrations(devices: Iterable[Device], profiles: Profiles) -> dict[str, Calibration]:
    """Calibrations of the devices, of their families and of their kinds, by id."""
    names = {name for d in devices for name in (d.id, d.family, d.alike, d.kind)} | {EVERY}
    found = ((name, profiles.calibration(name)) for name in sorted(names))
    return {name: calibration for name, calibration in found if calibration is not None}


def _known(names: Sequence[str], profiles: Profiles, kind: str, at: Callable[..., str]) -> list[str]:
    for i, name in enumerate(names):
        if name not in profiles.files[kind]:
            raise unknown(kind, name, profiles.files[kind], where=at(f"{kind}s", i), listing=LISTING[kind])
    return list(names)


def _regions(plan: Plan, providers: Sequence[Provider], at: Callable[..., str]) -> None:
    known = {o.region for p in providers for o in p.offers if o.region}
    for i, region in enumerate(plan.hardware.regions):
        if region not in known:
            raise unknown("region", region, known, where=at("regions", i))


def _of_files(profiles: Profiles, names: Iterable[tuple[str, str]]) -> str:
    """One hash of what stands in the files of these records."""
    return _hash(b"\0".join(profiles.files[kind][id].read_bytes() for kind, id in sorted(names)))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plan_from(raw: dict[str, Any]) -> tuple[Plan, str, Path]:
    """A plan from command-line flags, its YAML text, and the name messages give it."""
    text = yaml.safe_dump(raw, sort_keys=False)
    return build(raw, Plan, str(FLAGS)), text, FLAGS
