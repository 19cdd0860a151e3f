"""Find and load profiles by id: devices, systems, offers, calibrations and zoo workloads, each read when asked for.

Later folders win over earlier ones: what ships, then PLANNER_PROFILES, then ``--profiles``. A folder of profiles has the
same layout as ``hardware_profiles/``; a ``workloads/`` in it adds to the zoo.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar, get_args

from planner.catalogue import power_modes, price_table
from planner.catalogue.document import read, read_text
from planner.catalogue.graphs import whole
from planner.catalogue.home import home
from planner.catalogue.networks import NetworkTable
from planner.catalogue.offers import sound as sound_offers
from planner.catalogue.sizes import sound
from planner.errors import InputError, unknown
from planner.schema.coefficients import Calibration
from planner.schema.hardware import IN_MODE, Device, Kind, Provider, System, own_id
from planner.schema.money import Grids, ServiceList
from planner.schema.workload import Workload

T = TypeVar("T")
PACKAGE = Path(__file__).parents[1]
ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
FOLDERS: dict[str, tuple[str, ...]] = {
    "device": get_args(Kind),
    "system": ("systems",),
    "provider": ("offers",),
    "service": ("services",),
    "grid": ("grids",),
    "calibration": ("calibrations",),
    "workload": ("workloads",),
}
LISTING = {
    "device": "See 'planner hardware list'.",
    "system": "See 'planner hardware list --systems'.",
    "provider": "See 'planner hardware list --offers'.",
    "workload": "See 'planner workloads list'.",
    "service": "",
    "grid": "",
    "calibration": "",
}


def shipped() -> list[Path]:
    """The folders that come with the planner: inside the wheel, or beside the package in a checkout."""
    packed = PACKAGE / "data" / "hardware_profiles"
    return [packed if packed.is_dir() else PACKAGE.parent / "hardware_profiles", PACKAGE / "data"]


def user_folders(option: Path | None = None) -> list[Path]:
    """PLANNER_PROFILES (several separated as in PATH) and the ``--profiles`` option; each must be a folder."""
    named = [Path(p) for p in os.environ.get("PLANNER_PROFILES", "").split(os.pathsep) if p]
    folders = named + ([option] if option else [])
    layout = [folder for folders in FOLDERS.values() for folder in folders]
    for folder in folders:
        if not any(os.path.isdir(folder / name) for name in layout):  # noqa: PTH112  Path.is_dir raises on a name too long
            raise InputError("is not a folder of profiles", where=str(folder), hint=f"It needs subfolders: {', '.join(layout)}.")
    return folders


class Profiles:
    """Everything the catalogue knows, by id, read lazily and once."""

    def __init__(self, extra: Sequence[Path] = ()) -> None:
        self.roots = [*shipped(), *extra]
        self.networks = NetworkTable()
        self.extra = list(extra)
        self._read: dict[tuple[str, str], object] = {}

    @cached_property
    def files(self) -> dict[str, dict[str, Path]]:
        """kind of profile -> id -> file; a later root wins."""
        found: dict[str, dict[str, Path]] = {kind: {} for kind in FOLDERS}
        for root in self.roots:
            for kind, folders in FOLDERS.items():
                for folder in folders:
                    for path in sorted((root / folder).glob("*.y*ml")):
                        if path.suffix != ".yaml" or not ID.fullmatch(path.stem):
                            raise InputError(
                                "a profile is named in lower-case letters, digits and . _ -, with .yaml", where=str(path)
                            )
                        found[kind][path.stem] = path
        return found

    def ids(self, kind: str) -> list[str]:
        """Every id of a kind, sorted."""
        return sorted(self.files[kind])

    @cached_property
    def tables(self) -> dict[str, Path]:
        """provider -> its table of prices: shipped, then what ``planner prices`` brought, then the user's own folders.

        A table stands with its provider's file: one from an earlier folder than the file is not of it.
        """
        folders = [*shipped(), home(), *self.extra]
        written = {id: next(i for i in range(len(folders) - 1, -1, -1) if path.is_relative_to(folders[i]))
                   for id, path in self.files["provider"].items()}  # fmt: skip
        found = {}
        for place, folder in enumerate(folders):
            for path in sorted((folder / "offers").glob("*.csv")):
                if place >= written.get(path.stem, len(folders)):
                    found[path.stem] = path
        return found

    def device(self, id: str, where: str = "") -> Device:
        """A device by id, ``id@mode`` in a power mode; its kind must be that of the folder its file lies in."""
        own, _, mode = id.partition(IN_MODE)
        device = self._load("device", own, Device, where)
        if device.kind != (folder := self.files["device"][own].parent.name):
            raise InputError(f"kind is {device.kind}, but the file lies in {folder}/", where=str(self.files["device"][own]))
        return power_modes.device_in(device, mode, where) if mode else device

    def system(self, id: str, where: str = "") -> System:
        """A system by id, ``id@mode`` with its devices in a power mode."""
        own, _, mode = id.partition(IN_MODE)
        system = self._load("system", own, System, where)
        return power_modes.system_in(system, self.device(system.device), mode, where) if mode else system

    def in_modes(self, id: str) -> list[str]:
        """A system in each power mode of its device, as ids; as it stands where that has none, or is in one."""
        device = self.system(id).device
        known = self.device(device).power_modes if own_id(device) in self.files["device"] else {}
        return [id + IN_MODE + mode for mode in known] or [id]

    def provider(self, id: str, where: str = "") -> Provider:
        """A provider with its offers by id: those of its file, and those of its table of prices."""
        if (known := self._read.get(("priced", id))) is None:
            written = self.described(id, where)
            path = self.tables.get(id)
            known = price_table.priced(written, price_table.load(path), str(path)) if path else written
            self._read["priced", id] = sound_offers(known, str(path or self.files["provider"][id]))
        assert isinstance(known, Provider)
        return known

    def described(self, id: str, where: str = "") -> Provider:
        """A provider as its file describes it, without the prices of its table."""
        return self._load("provider", id, Provider, where)

    def written_in(self, kind: str, id: str) -> list[Path]:
        """The files that a profile is read from."""
        table = [self.tables[id]] if kind == "provider" and id in self.tables else []
        return [self.files[kind][own_id(id)], *table]

    def service(self, id: str, where: str = "") -> ServiceList:
        """What a provider charges beside instances."""
        return self._load("service", id, ServiceList, where)

    def grid(self, id: str, where: str = "") -> Grids:
        """A file of grids: ``countries``, ``us-states``, or a provider's regions."""
        return self._load("grid", id, Grids, where)

    def workload(self, id: str, where: str = "") -> Workload:
        """A zoo entry by id."""
        workload = self._load("workload", id, Workload, where)
        path = self.files["workload"][id]
        sound(workload, path)
        return self.with_sums(whole(workload, self._part, path))

    def _part(self, id: str, where: str) -> Workload:
        """A zoo entry as its file has it: what stands in another's parts has none itself."""
        return self._load("workload", id, Workload, where)

    def with_sums(self, workload: Workload) -> Workload:
        """A network with what its graph does, where the tables know it or one of its family."""
        network = workload.network
        return replace(workload, network=self.networks.described(workload.id, "", network)) if network else workload

    def calibration(self, id: str) -> Calibration | None:
        """The calibration of that id, or None: a device need not have one."""
        return self._load("calibration", id, Calibration, "") if id in self.files["calibration"] else None

    def systems(self) -> list[System]:
        """Every system."""
        return [self.system(id) for id in self.ids("system")]

    def systems_of(self, device: str) -> list[System]:
        """Every system built of a device; files that do not name it are not parsed."""
        named = [id for id in self.ids("system") if device in read_text(self.files["system"][id])]
        return [s for s in map(self.system, named) if s.device == device]

    def providers(self) -> list[Provider]:
        """Every provider."""
        return [self.provider(id) for id in self.ids("provider")]

    def _load(self, kind: str, id: str, record: type[T], where: str) -> T:
        known = self._read.get((kind, id))
        if known is None:
            if id not in self.files[kind]:
                raise unknown(kind, id, self.files[kind], where=where, listing=LISTING[kind])
            path = self.files[kind][id]
            ours = not self.extra or any(path.is_relative_to(root) for root in shipped())
            known = self._read[kind, id] = read(path, record, ours=ours, id=id)
        assert isinstance(known, record)
        return known
