"""A figure with its source, and the marker that says which unit a field is written in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any

from planner import units

STRICT = {"extra": "forbid"}  # for __pydantic_config__: an unknown key is an error, never dropped


@dataclass(frozen=True)
class Figure:
    """A number in SI units, the key of its source in the file's ``sources``, and what a reader should know of it."""

    __pydantic_config__ = STRICT
    value: float
    source: str
    note: str = ""


@dataclass(frozen=True)
class Price:
    """An amount of money, its currency (ISO 4217), the day it was in force and who said so."""

    __pydantic_config__ = STRICT
    value: tuple[float, str]
    date: date
    source: str
    note: str = ""

    @property
    def amount(self) -> float:
        """How much."""
        return self.value[0]

    @property
    def currency(self) -> str:
        """Of what."""
        return self.value[1]


@dataclass(frozen=True)
class Unit:
    """Annotates a float, Figure or Price: how its text is read. Works as a pydantic annotation without importing it."""

    dimension: str
    least: float = 0.0
    above: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> dict[str, Any]:
        read = partial(_read, unit=self)
        return {"type": "function-before", "function": {"type": "no-info", "function": read}, "schema": handler(source)}


def _read(raw: Any, unit: Unit) -> Any:
    if isinstance(raw, dict) and "value" in raw:
        return {**raw, "value": _number(raw["value"], unit)}
    return raw if raw is None else _number(raw, unit)


def _number(raw: object, unit: Unit) -> float | tuple[float, str]:
    if unit.dimension.startswith("money"):
        amount, currency = units.parse_money(raw, unit.dimension)
        if unit.above and not amount:
            raise ValueError(f"{raw!r} is no price: it must be above zero")
        return amount, currency
    value = units.parse(raw, unit.dimension)
    if value < unit.least or (unit.above and value == unit.least):
        raise ValueError(f"{raw!r} must be {'above' if unit.above else 'at least'} {unit.least:g}")
    return value


Bytes = Annotated[Figure, Unit("byte", above=True)]
ByteRate = Annotated[Figure, Unit("byte/s", above=True)]
FlopRate = Annotated[Figure, Unit("flop/s", above=True)]
Frequency = Annotated[Figure, Unit("hertz", above=True)]
Power = Annotated[Figure, Unit("watt")]
Mass = Annotated[Figure, Unit("kilogram", above=True)]
Seconds = Annotated[Figure, Unit("second")]
Count = Annotated[Figure, Unit("count", above=True)]
Amount = Annotated[Figure, Unit("count")]  # a count that may be zero
