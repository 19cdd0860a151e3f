"""What a fit left behind: a handful of numbers, and how far they were from the truth."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from planner.schema.quantity import STRICT

EVERY = "default"
"""Id of the calibration of last resort: the median of every measured device."""
Evidence = Literal["measured", "calibrated", "family", "datasheet"]


@dataclass(frozen=True)
class Thousandths:
    """Annotates a surface: written as one text of whole numbers, after COARSE of STEPs. Works as a pydantic annotation without
    importing it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> dict[str, Any]:
        return {"type": "function-before", "function": {"type": "no-info", "function": _numbers}, "schema": handler(source)}


def _numbers(raw: object) -> tuple[int, ...]:
    text = str(raw)
    step = STEP if text.startswith(COARSE) else 1
    try:
        values = tuple(int(value) * step for value in text.removeprefix(COARSE).split())
    except ValueError:
        raise ValueError("expected whole numbers, thousandths of the logarithm of time, with spaces between") from None
    if any(abs(extreme) > STEEPEST for extreme in (min(values, default=0), max(values, default=0))):
        raise ValueError(f"a surface lies within {STEEPEST} thousandths of the logarithm of time, either way")
    return values


STEP, COARSE = 10, "/100"
"""Thousandths that surfaces of this version's fits are rounded to, and what a text that counts in them begins with."""
STEEPEST = 5000
"""A factor of 150: what is further from its law obeys another one."""


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
    formula_error: float | None = None
    """The same error of the formula alone, without its surface."""
    surface: Annotated[tuple[int, ...], Thousandths()] = ()
    """What the formula misses, at the knots of the law's SURFACE, in thousandths of the logarithm of time."""

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
class Cell:
    """How far a class of estimates was from published measurements, and on how many that rests."""

    __pydantic_config__ = STRICT
    spread: float
    """|ln(published / estimated)| that nine of ten stayed within, by the conformal quantile."""
    rows: int
    devices: int


@dataclass(frozen=True)
class Intervals:
    """Errors of estimates on published measurements, pooled (``spread``) and by class (``cells``)."""

    __pydantic_config__ = STRICT
    source: str
    spread: dict[str, dict[str, float]]
    """task -> evidence -> |ln(published / estimated)| that nine of ten published measurements stayed within."""
    shared: dict[Literal["workload", "device"], float] = field(default_factory=dict)
    """Share of the variance of errors within a class that rows of one workload, or on one device, have in common."""
    cells: dict[str, Cell] = field(default_factory=dict)
    """The same by ``task/scenario/device kind/evidence/workload family/stack``; a part that is pooled over is ``*``."""
