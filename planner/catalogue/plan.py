"""A plan file to inputs: the plan checked, and everything it names looked up."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from planner import __version__
from planner.catalogue import money, power_modes
from planner.catalogue.document import build, line, parse, read_text
from planner.catalogue.models import find_workload
from planner.catalogue.profiles import LISTING, Profiles
from planner.catalogue.serving_plan import check, draft, with_trace
from planner.catalogue.tables import compression, intervals, techniques
from planner.errors import InputError, printable, unknown
from planner.schema.coefficients import EVERY, Calibration
from planner.schema.goals import Serve
from planner.schema.hardware import Device, Provider, own_id
from planner.schema.inputs import Inputs, Life
from planner.schema.plan import Hardware, Lifetime, Plan
from planner.schema.workload import Workload

ANY = Workload("any", "any work", {})
LIFE = {"queries_per_day": (1, 1e12, "5 million"), "months": (0.1, 600, "24")}
GOALS = ("serve", "train", "infer", "capacity", "lifetime")
BY_PHASE = ("profiles", "prices", "calibrations")
"""What hashes a lifetime has twice: its training may use other hardware than its serving."""
FLAGS = Path("flags")  # what messages call a plan that was given as options


def read_plan(path: Path, text: str | None = None) -> tuple[Plan, str]:
    """The plan in a YAML file (or in ``text``), checked; raises InputError with file, line and field."""
    text = read_text(path, 1_000_000) if text is None else text
    raw = with_trace(parse(text, str(path)), path.parent, partial(_at, path, text))
    plan = build(raw, Plan, str(path), text)
    given = [name for name in GOALS if getattr(plan, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise InputError(f"needs exactly one of {', '.join(GOALS[:-1])} and {GOALS[-1]}; it has {found}", where=str(path))
    _sound(plan, text, path)
    return money.converted(plan, partial(_at, path, text)), text


def _sound(plan: Plan, text: str, path: Path) -> None:
    """What types alone do not say about a plan."""
    if not plan.title.strip() or len(plan.title) > 300:
        raise InputError("the title is empty or longer than 300 characters", where=_at(path, text, "title"))
    if plan.serve:
        _one_kind_of_traffic(plan.serve, text, path)
    check(plan, partial(_at, path, text))
    if plan.lifetime:
        _a_life(plan.lifetime, text, path)
    if not plan.workload.model and not plan.capacity:
        raise InputError("the field 'workload' is missing", where=str(path))
    money.sound(plan, partial(_at, path, text))


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


def _a_life(life: Lifetime, text: str, path: Path) -> None:
    for name, (least, most, like) in LIFE.items():
        if not least <= getattr(life, name) <= most:
            what = f"{getattr(life, name):g} is not between {least:g} and {most:g}; write it like '{like}'"
            raise InputError(what, where=_at(path, text, "lifetime", name))
    if life.loss is not None and life.tokens is not None:
        what = "the workload's model is trained on so many tokens, or to a loss: give one of them"
        raise InputError(what, where=_at(path, text, "lifetime", "loss"))
    if life.quality > 1:
        what = f"{life.quality:g} is not a share of at most 1; write it like '99 %'"
        raise InputError(what, where=_at(path, text, "lifetime", "quality"))


def _at(path: Path, text: str, *field: str | int) -> str:
    """``plan.yaml:3:5 hardware.systems.0``."""
    return f"{path}{'' if path == FLAGS else line(text, field)} {'.'.join(map(str, field))}"


def gather(plan: Plan, text: str, path: Path, profiles: Profiles) -> Inputs:
    """Everything the plan names, from the catalogue; unknown names are errors with the nearest valid one."""
    life = plan.lifetime
    if life is None:
        return _gathered(plan, text, path, profiles, "hardware")
    training, serving = (_phase(plan, name, text, path, profiles) for name in ("training", "serving"))
    models, smaller = {}, techniques().smaller if life.distil else {}
    for i, distil in enumerate(life.distil):
        for role in ("student", "teacher"):
            if name := getattr(distil, role):
                models[name] = find_workload(name, profiles, path.parent, where=_at(path, text, "lifetime", "distil", i, role))
    hashes = {**serving.hashes, **{f"training {name}": training.hashes[name] for name in BY_PHASE}}
    pairs = {(teacher, s.model): f"{s.score} ({s.source})" for teacher, known in smaller.items() for s in known}
    return replace(serving, life=Life(training, compression(), models, pairs), hashes=hashes)


def _phase(plan: Plan, name: str, text: str, path: Path, profiles: Profiles) -> Inputs:
    """A lifetime's records of the hardware of one phase."""
    own: Hardware | None = getattr(plan.lifetime, name)
    if own is None:
        return _gathered(plan, text, path, profiles, "hardware")
    return _gathered(replace(plan, hardware=own), text, path, profiles, "lifetime", name)


def _gathered(plan: Plan, text: str, path: Path, profiles: Profiles, *field: str) -> Inputs:
    """As ``gather``, of a plan's one ``hardware``, which stands in its text under ``field``."""
    model = plan.workload.model
    workload = ANY if plan.capacity else find_workload(model, profiles, path.parent, where=_at(path, text, "workload", "model"))
    at = partial(_at, path, text, *field)
    named = _known(plan.hardware.systems, profiles, "system", at)
    for i, id in enumerate(named):
        profiles.system(id, at("systems", i))
    sellers = _known(plan.hardware.providers, profiles, "provider", at) or profiles.ids("provider")
    providers = tuple(profiles.provider(id) for id in sellers)
    _regions(plan, providers, at)
    plan = money.completed(plan, profiles, partial(_at, path, text))
    selling = {o.system: p.id for p in providers for o in p.offers}
    for id in sorted(selling.keys() - set(profiles.ids("system"))):
        raise unknown("system", id, profiles.ids("system"), where=f"{profiles.files['provider'][selling[id]]} offers")
    wanted = [id for id in named or profiles.ids("system") if named or id in selling]  # by name even where nobody prices it
    if plan.hardware.power_modes == "all":
        wanted = list(dict.fromkeys(mode for id in wanted for mode in profiles.in_modes(id)))
    providers = tuple(power_modes.offered(p, wanted) for p in providers)
    offered = {o.system for p in providers for o in p.offers}
    systems = {id: profiles.system(id) for id in wanted if own_id(profiles.system(id).device) in profiles.files["device"]}
    devices = {s.device: profiles.device(s.device, where=f"system {s.id}") for s in systems.values()}
    if plan.hardware.kinds:
        devices = {id: d for id, d in devices.items() if d.kind in plan.hardware.kinds}
        systems = {id: s for id, s in systems.items() if s.device in devices}
    if named and not offered & set(wanted):
        raise InputError(
            f"no provider the plan allows offers the system '{printable(named[0])}'", where=at("systems", 0),
            hint="Add an offer in your own profiles (--profiles DIR), or other providers.",
        )  # fmt: skip
    laws = calibrations(devices.values(), profiles)
    drafted = draft(plan, workload, profiles, path.parent, partial(_at, path, text))
    services = [(kind, i) for kind in ("service", "grid") for i in sellers if i in profiles.files[kind]]
    services += [("grid", i) for i in ("countries", "us-states")]
    hashes = {"plan": _hash(text.encode()), "workload": _hash(repr((workload, drafted)).encode())}
    hashes |= {
        "profiles": _of_files(profiles, [*(("system", i) for i in systems), *(("device", i) for i in devices)]),
        "prices": _of_files(
            profiles, [*(("provider", i) for i in sellers), *services, ("grid", "countries"), ("grid", "us-states")]
        ),
        "calibrations": _of_files(profiles, [("calibration", i) for i in laws]),
        "intervals": _hash(repr(intervals()).encode()),
    }
    return Inputs(
        plan, workload, systems, devices, providers, laws, intervals(), drafted, text, {"planner": __version__}, hashes,
        money.services(providers, profiles), money.grids(plan, providers, profiles),
    )  # fmt: skip


def calibrations(devices: Iterable[Device], profiles: Profiles) -> dict[str, Calibration]:
    """Calibrations of the devices, of their families and of their kinds, by id."""
    names = {name for d in devices for name in (own_id(d.id), d.family, d.alike, d.kind)} | {EVERY}
    found = ((name, profiles.calibration(name)) for name in sorted(names))
    return {name: calibration for name, calibration in found if calibration is not None}


def _known(names: Sequence[str], profiles: Profiles, kind: str, at: Callable[..., str]) -> list[str]:
    for i, name in enumerate(names):
        if own_id(name) not in profiles.files[kind]:
            raise unknown(kind, name, profiles.files[kind], where=at(f"{kind}s", i), listing=LISTING[kind])
    return list(names)


def _regions(plan: Plan, providers: Sequence[Provider], at: Callable[..., str]) -> None:
    known = {o.region for p in providers for o in p.offers if o.region}
    for i, region in enumerate(plan.hardware.regions):
        if region not in known:
            raise unknown("region", region, known, where=at("regions", i))


def _of_files(profiles: Profiles, names: Iterable[tuple[str, str]]) -> str:
    """One hash of what stands in the files of these records."""
    files = [path for kind, id in sorted(names) for path in profiles.written_in(kind, id)]
    return _hash(b"\0".join(path.read_bytes() for path in files))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plan_from(raw: dict[str, Any]) -> tuple[Plan, str, Path]:
    """A plan from command-line flags, its YAML text, and the name messages give it."""
    text = yaml.safe_dump(raw, sort_keys=False)
    return build(raw, Plan, str(FLAGS)), text, FLAGS
