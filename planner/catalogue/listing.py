"""The catalogue as rows for people and programs."""

from collections.abc import Sequence
from typing import Any

from planner import units
from planner.catalogue.document import read_text
from planner.catalogue.profiles import Profiles
from planner.errors import unknown
from planner.schema.hardware import TERMS, Device, Provider, System, own_id

DIMENSIONS = {"bf16": "flop/s", "int8": "flop/s", "bandwidth": "byte/s", "memory": "byte", "tdp": "watt", "parameters": "count"}


def devices(profiles: Profiles) -> list[dict[str, Any]]:
    """id, kind, main figures in SI, launch date; None where the catalogue has no figure."""
    rows = []
    for id in profiles.ids("device"):
        d = profiles.device(id)
        main = d.level("main")
        figures = {
            "bf16": d.peak.get("bf16") or d.peak.get("fp16"), "int8": d.peak.get("int8"),
            "memory": main.capacity if main else None,
            "bandwidth": main.bandwidth if main else None, "tdp": d.tdp,
        }  # fmt: skip
        numbers = {name: figure.value if figure else None for name, figure in figures.items()}
        calibrated = "device" if profiles.calibration(id) else "family" if profiles.calibration(d.family) else "kind"
        rows.append({"id": id, "kind": d.kind, "name": d.name, **numbers, "calibration": calibrated})
    return rows


def systems(profiles: Profiles) -> list[dict[str, Any]]:
    """id, kind, devices a node, device, how they are joined."""
    rows: list[dict[str, Any]] = []
    for s in profiles.systems():
        joined = ", ".join(f"{t.kind} × {t.size:,}" for t in s.tiers)
        kind = profiles.device(s.device, where=str(profiles.files["system"][s.id])).kind
        rows.append({"id": s.id, "kind": kind, "name": s.name, "device": s.device, "devices": s.devices, "joined": joined})
    return rows


def offers(profiles: Profiles, providers: Sequence[Provider] | None = None) -> list[dict[str, Any]]:
    """Of these providers, or of all: provider, offer, region, system, devices and the price by term."""
    rows: list[dict[str, Any]] = []
    for p in profiles.providers() if providers is None else providers:
        for o in p.offers:
            system = profiles.system(o.system, where=f"{profiles.files['provider'][p.id]} {o.id}")
            prices = {t: f"{x.amount:g} {x.currency}" if (x := getattr(o.prices, t)) else None for t in TERMS}
            rows.append(
                {
                    "provider": p.id,
                    "offer": o.id,
                    "region": o.region,
                    "kind": profiles.device(system.device).kind,
                    "system": system.id,
                }
                | {"devices": o.devices or system.devices, **prices}
            )
    return rows


def find(id: str, profiles: Profiles) -> Device | System | Provider:
    """The device, system or provider of that id."""
    for kind in ("device", "system", "provider"):
        if own_id(id) in profiles.files[kind]:
            record: Device | System | Provider = getattr(profiles, kind)(id)
            return record
    raise unknown(
        "hardware",
        id,
        [n for k in ("device", "system", "provider") for n in profiles.files[k]],
        listing="See 'planner hardware list'.",
    )


def cell(name: str, value: Any) -> str:
    """A value for the terminal."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return units.show(value, DIMENSIONS.get(name, "count"))
    return f"{value:,}" if isinstance(value, int) else str(value)


def text(record: Device | System | Provider, profiles: Profiles) -> str:
    """A record for people: the profile as it was written, with units and sources, under each path it was read from."""
    kind = {Device: "device", System: "system", Provider: "provider"}[type(record)]
    return "\n".join(f"# {path}\n{read_text(path)}" for path in profiles.written_in(kind, record.id))
