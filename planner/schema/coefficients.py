"""What a fit left behind: a handful of numbers, and how far they were from the truth."""

from dataclasses import dataclass, field, replace
from typing import Literal

from planner.schema.quantity import STRICT

EVERY = "default"
"""Id of the calibration of last resort: the median of every measured device."""
Evidence = Literal["measured", "calibrated", "family", "datasheet"]


@dataclass(frozen=True)
class Fit:
    """Coefficients of one law for one variant (a dtype, a collective, a software stack)."""

    __pydantic_config__ = STRICT
    coefficients: dict[str, float]
    source: str
    points: int = 0
    held_out_error: float | None = None
    """Mean absolute error, as a fraction, on shapes the fit never saw."""
    note: str = ""

    def cited(self, source: str) -> "Fit":
        """The same fit with ``source`` the key of its source."""
        return replace(self, source=source)


@dataclass(frozen=True)
class Calibration:
    """Fits by law and variant for a device, for a family of devices, or for every device of a kind (or of all kinds)."""

    __pydantic_config__ = STRICT
    id: str
    covers: Literal["device", "family", "kind"]
    sources: dict[str, str]
    laws: dict[str, dict[str, Fit]] = field(default_factory=dict)
    notes: str = ""


@dataclass(frozen=True)
class Intervals:
    """task -> evidence -> |ln(published / estimated)| that nine of ten published measurements stayed within."""

    __pydantic_config__ = STRICT
    source: str
    spread: dict[str, dict[str, float]]
