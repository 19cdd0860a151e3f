"""The records that an estimate names: a workload, and a system or a lone device."""

from pathlib import Path

from planner.catalogue.models import find_workload
from planner.catalogue.profiles import LISTING, Profiles
from planner.catalogue.tables import intervals
from planner.errors import unknown
from planner.schema.hardware import IN_MODE, System, own_id
from planner.schema.inputs import Subject


def subject(workload: str, system: str, profiles: Profiles) -> Subject:
    """Look both up; raises InputError with the nearest names."""
    model = find_workload(workload, profiles, Path())
    found: System | None = None
    own, at, mode = system.partition(IN_MODE)
    if own in profiles.files["system"]:
        found = profiles.system(system)
    elif own in profiles.files["device"]:
        alone = f"{own}-x1"
        if alone in profiles.files["system"]:
            found = profiles.system(alone + at + mode)
    else:
        choices = [*profiles.files["system"], *profiles.files["device"]]
        raise unknown("system", system, choices, listing=LISTING["system"])
    device = profiles.device(found.device if found else system)
    alike = {s.id: s.devices for s in profiles.systems_of(own_id(device.id))}
    return Subject(model, device, found, tuple(profiles.providers()), intervals(), alike)
