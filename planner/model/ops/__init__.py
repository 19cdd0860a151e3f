"""Operators: one a file, each with ``COEFFICIENTS`` (name -> what a bare datasheet implies) and ``seconds(op, machine)``.

A module is found by being in this folder; ``Op.kind`` is its name. One whose formula is bent by a fitted surface has
``SURFACE``, the knots of it, and multiplies its time with ``surface.factor``.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol

from planner.model.columns import Array
from planner.model.operation import Machine, Op
from planner.model.surface import Axes


class Law(Protocol):
    """What every module in this folder offers."""

    COEFFICIENTS: Mapping[str, float]

    def seconds(self, op: Op, machine: Machine) -> Array:
        """Time of one run of ``op`` (N,) [s]."""


@cache
def laws() -> dict[str, Law]:
    """Every operator in this folder by name."""
    return {m.name: import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__)}


def axes(law: str) -> Axes:
    """The knots of a law's surface; empty where it has none. ``matmul_half`` is matmul."""
    return getattr(laws().get(law.removesuffix("_half")), "SURFACE", {})
