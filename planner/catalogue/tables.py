"""Small tables that ship with the code; records that few plans need are built when their table is read."""

from functools import cache
from typing import TYPE_CHECKING

import yaml

from planner.catalogue.document import plain, read
from planner.catalogue.profiles import PACKAGE
from planner.schema.coefficients import Intervals

if TYPE_CHECKING:
    from planner.schema.compression import Compression
    from planner.schema.technique import Techniques


def intervals_text(found: Intervals) -> str:
    """Intervals as the YAML that ``intervals`` reads."""
    return yaml.safe_dump(plain(found), sort_keys=True, width=130, default_flow_style=None)


@cache
def intervals() -> Intervals:
    """The spread of estimates by task and evidence."""
    return read(PACKAGE / "data" / "intervals.yaml", Intervals, ours=True)


def compression() -> "Compression":
    """Ways to compress a trained model, what they take, and what they did to published scores."""
    from planner.schema.compression import Compression

    return read(PACKAGE / "data" / "compression.yaml", Compression, ours=True)


def techniques() -> "Techniques":
    """What can be done to a model or its serving to make it cheaper, and smaller models with a score of both."""
    from planner.schema.technique import Techniques

    return read(PACKAGE / "data" / "techniques.yaml", Techniques, ours=True)
