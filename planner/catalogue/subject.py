"""The records that an estimate names: a workload, and a system or a lone device."""

from pathlib import Path

from planner.catalogue.models import find_workload
from planner.catalogue.profiles import LISTING, Profiles
from planner.catalogue.tables import intervals
from planner.errors import unknown
from planner.schema.inputs import Subject


def subject(workload: str, system: str, profiles: Profiles) -> Subject:
    """Look both up; raises InputError with the nearest names."""
    model = find_workload(workload, profiles, Path())
    providers = tuple(profiles.providers())
    if system in profiles.files["system"]:
        found = profiles.system(system)
        return Subject(model, profiles.device(found.device), found, providers, intervals())
    if system not in profiles.files["device"]:
        choices = [*profiles.files["system"], *profiles.files["device"]]
        raise unknown("system", system, choices, listing=LISTING["system"])
    alone = f"{system}-x1"
    return Subject(
        model,
        profiles.device(system),
        profiles.system(alone) if alone in profiles.files["system"] else None,
        providers,
        intervals(),
    )
