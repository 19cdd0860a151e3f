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
    """The knots of a law's surface; empty where it has none."""
    return getattr(laws().get(base(law)), "SURFACE", {})


def base(law: str) -> str:
    """The operator that a law times: "matmul_half" is matmul in 16 bits, "collective_all_reduce" one of the collectives."""
    return "collective" if law.startswith("collective_") else law.removesuffix("_half")
