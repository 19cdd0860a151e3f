"""Small tables that ship with the code."""

import yaml

from planner.catalogue.document import plain, read
from planner.catalogue.profiles import PACKAGE
from planner.schema.coefficients import Intervals


def intervals_text(found: Intervals) -> str:
    """Intervals as the YAML that ``intervals`` reads."""
    return yaml.safe_dump(plain(found), sort_keys=True, width=130, default_flow_style=None)


def intervals() -> Intervals:
    """The spread of estimates by task and evidence."""
    return read(PACKAGE / "data" / "intervals.yaml", Intervals)
