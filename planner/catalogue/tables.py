"""Small tables that ship with the code."""

from planner.catalogue.document import read
from planner.catalogue.profiles import PACKAGE
from planner.schema.coefficients import Intervals


def intervals() -> Intervals:
    """The spread of estimates by task and evidence."""
    return read(PACKAGE / "data" / "intervals.yaml", Intervals)
