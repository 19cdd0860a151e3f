"""A plan file to inputs: the plan checked, and everything it names looked up."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from planner import __version__
from planner.catalogue.document import build, parse, read_text
from planner.catalogue.models import find_workload
from planner.catalogue.profiles import LISTING, Profiles
from planner.catalogue.tables import intervals
from planner.errors import InputError, printable, unknown
from planner.schema.coefficients import EVERY, Calibration
from planner.schema.hardware import Device, Provider, System
from planner.schema.inputs import Inputs
from planner.schema.plan import Plan


def read_plan(path: Path, text: str | None = None) -> tuple[Plan, str]:
    """The plan in a YAML file (or in ``text``), checked; raises InputError with file, line and field."""
    text = read_text(path, 1_000_000) if text is None else text
    plan = build(parse(text, str(path)), Plan, path)
    given = [name for name in ("serve", "train", "infer") if getattr(plan, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise InputError(f"needs exactly one of serve, train and infer; it has {found}", where=str(path))
    if not plan.title.strip():
        raise InputError("the title is empty", where=f"{path} title")
    return plan, text


def gather(plan: Plan, text: str, path: Path, profiles: Profiles) -> Inputs:
    """Everything the plan names, from the catalogue; unknown names are errors with the nearest valid one."""
    workload = find_workload(plan.workload.model, profiles, path.parent, where=f"{path} workload.model")
    wanted = _known(plan.hardware.systems, profiles, "system", f"{path} hardware.systems") or profiles.ids("system")
    sellers = _known(plan.hardware.providers, profiles, "provider", f"{path} hardware.providers") or profiles.ids("provider")
    providers = tuple(profiles.provider(id) for id in sellers)
    _regions(plan, providers, path)
    offered = {o.system for p in providers for o in p.offers}
    for id in offered - set(profiles.ids("system")):
        raise InputError(f"an offer names the unknown system '{printable(id)}'", where="offers")
    systems = {id: profiles.system(id) for id in wanted if id in offered and profiles.system(id).device in profiles.files["device"]}
    devices = {s.device: profiles.device(s.device, where=f"system {s.id}") for s in systems.values()}
    if plan.hardware.kinds:
        devices = {id: d for id, d in devices.items() if d.kind in plan.hardware.kinds}
        systems = {id: s for id, s in systems.items() if s.device in devices}
    unoffered = [id for id in plan.hardware.systems if id not in offered]
    if unoffered:
        raise InputError(
            f"no provider the plan allows offers the system '{printable(unoffered[0])}'",
            where=f"{path} hardware.systems", hint="Add an offer in your own profiles (--profiles DIR), or other providers.",
        )  # fmt: skip
    used = _files(profiles, systems, devices, sellers)
    return Inputs(
        plan, workload, systems, devices, providers, calibrations(devices.values(), profiles), intervals(), text,
        {"planner": __version__}, {"plan": _hash(text.encode()), "profiles": _hash(b"\0".join(p.read_bytes() for p in used))},
    )  # fmt: skip


def calibrations(devices: Iterable[Device], profiles: Profiles) -> dict[str, Calibration]:
    """Calibrations of the devices, of their families and of their kinds, by id."""
    names = {name for d in devices for name in (d.id, d.family, d.kind)} | {EVERY}
    found = ((name, profiles.calibration(name)) for name in sorted(names))
    return {name: calibration for name, calibration in found if calibration is not None}


def _known(names: Sequence[str], profiles: Profiles, kind: str, where: str) -> list[str]:
    for name in names:
        if name not in profiles.files[kind]:
            raise unknown(kind, name, profiles.files[kind], where=where, listing=LISTING[kind])
    return list(names)


def _regions(plan: Plan, providers: Sequence[Provider], path: Path) -> None:
    known = {o.region for p in providers for o in p.offers if o.region}
    for region in plan.hardware.regions:
        if region not in known:
            raise unknown("region", region, known, where=f"{path} hardware.regions")


def _files(profiles: Profiles, systems: dict[str, System], devices: dict[str, Device], sellers: Sequence[str]) -> list[Path]:
    names = [("system", i) for i in systems] + [("device", i) for i in devices] + [("provider", i) for i in sellers]
    names += [("calibration", i) for i in calibrations(devices.values(), profiles)]
    return [profiles.files[kind][id] for kind, id in sorted(names)]


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plan_from(raw: dict[str, Any]) -> tuple[Plan, str, Path]:
    """A plan from command-line flags, its YAML text, and the name messages give it."""
    path = Path("flags")
    text = yaml.safe_dump(raw, sort_keys=False)
    return build(raw, Plan, path), text, path
