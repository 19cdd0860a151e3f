"""A plan with everything it names, looked up: what the catalogue hands to a search."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.schema.coefficients import Calibration, Intervals
from planner.schema.hardware import Device, Provider, System
from planner.schema.money import Grid, ServiceList
from planner.schema.plan import Plan
from planner.schema.workload import Workload

if TYPE_CHECKING:
    from planner.schema.compression import Compression


@dataclass(frozen=True)
class Life:
    """What a model's life needs beside the records of the hardware that serves it."""

    training: "Inputs"
    """The same question with the records of the hardware that trains."""
    compression: "Compression"
    models: Mapping[str, Workload]
    """Teachers and students by the names that the plan gives them."""
    published: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Scores of a teacher and a student by their ids, in words, with who says so."""


@dataclass(frozen=True)
class Inputs:
    """The question and all records that may answer it. ``systems`` and ``devices`` are by id."""

    plan: Plan
    workload: Workload
    systems: Mapping[str, System]
    devices: Mapping[str, Device]
    providers: tuple[Provider, ...]
    calibrations: Mapping[str, Calibration]
    intervals: Intervals
    draft: Workload | None = None
    """What guesses tokens for the workload, where the plan names a model for it."""
    plan_text: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, ServiceList] = field(default_factory=dict)
    """What providers charge beside instances, by provider."""
    grids: Mapping[str, Grid] = field(default_factory=dict)
    """By ``provider/region``, and the plan's own as ""."""
    life: Life | None = None
    """Of a plan with ``lifetime``, whose serving hardware the other records are of."""


@dataclass(frozen=True)
class Subject:
    """The records a request is about."""

    workload: Workload
    device: Device
    system: System | None
    providers: tuple[Provider, ...]
    intervals: Intervals
    alike: Mapping[str, int] = field(default_factory=dict)
    """Systems of the same device and their devices a node: whose offers price it."""
