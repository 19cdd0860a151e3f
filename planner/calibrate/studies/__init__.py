"""Studies, one law a module: which measurements it is fitted to, in which form, and between which bounds.

A study turns a table of kernel times and the device's datasheet columns into cases: points, seconds, and groups of shapes
that are held out together. A module is found by being in this folder; its name is the law's.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol

from planner.calibrate.case import Case
from planner.model.columns import Columns

Table = Mapping[str, Any]


class Study(Protocol):
    """What every module in this folder offers."""

    def cases(self, table: Table, device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
        """Every fit a table allows; device has one row (bandwidth, units, up_bandwidth …), peaks FLOP/s by dtype."""


@cache
def studies() -> dict[str, Study]:
    """Every study in this folder by its law."""
    return {m.name: import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__)}


def cases(law: str, table: Table, device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """Every fit a table of ``law`` allows; see ``Study.cases``."""
    return studies()[law].cases(table, device, peaks)
