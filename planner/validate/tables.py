"""Whole files validated: read, translated, estimated, scored."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from planner.catalogue.claims import architectures_beside, read_claims
from planner.catalogue.profiles import Profiles
from planner.catalogue.runs import disaggregated
from planner.catalogue.tables import intervals
from planner.schema.coefficients import Intervals
from planner.schema.hardware import System
from planner.search.assumed import joined
from planner.validate.conformal import coverage, held_out, spreads, with_intervals
from planner.validate.predict import predict
from planner.validate.score import rows, scores
from planner.validate.translate import Lookup, Translated, translate


def spread(files: Sequence[Path], profiles: Profiles) -> Intervals:
    """The intervals that these files' errors imply."""
    names = ", ".join(path.name for path in files)
    return spreads(held_out([estimate(path, profiles) for path in files]), f"planner validate on {names}")


def covered(files: Sequence[Path], profiles: Profiles) -> list[dict[str, Any]]:
    """How often intervals hold on rows that had no part in them, by file, task and evidence."""
    return list(coverage(held_out([estimate(path, profiles).assign(file=path.name) for path in files])))


GROUPED = ("task", "scenario", "metric", "architecture", "workload", "hardware", "stack", "precision", "batch", "devices")
"""Columns by whose values a table's errors may be told apart; architecture is dense, mixture or network."""


def validate(files: Sequence[Path], profiles: Profiles, by: Sequence[str] = ()) -> dict[str, Any]:
    """``{"files": [...], "rows": [...]}`` as README describes it; raises InputError for a file that is no such table.

    by: columns of GROUPED; each of their values in a file is then scored apart, under ``"group"``.
    """
    tables = {path: estimate(path, profiles) for path in files}
    return {
        "files": [s for path, t in tables.items() for s in scores(path.name, t, by)],
        "rows": [row for t in tables.values() for row in rows(t)],
    }


def estimate(path: Path, profiles: Profiles) -> pd.DataFrame:
    """The rows of one file with estimate, low, high, evidence and skip."""
    return with_intervals(predict(translated(path, profiles), profiles.calibration), intervals())


def translated(path: Path, profiles: Profiles) -> Translated:
    """The rows of one file with what they are about looked up."""
    networks = profiles.networks
    lookup = Lookup(
        profiles.device, lambda id: cluster(id, profiles), profiles.workload, networks.find, networks.described, disaggregated
    )
    return translate(read_claims(path), architectures_beside(path), lookup)


def cluster(device: str, profiles: Profiles) -> System:
    """The system a published run on ``device`` is taken to have used: the one that joins the most, the gaps filled in."""
    able = profiles.systems_of(device)
    best = max(able, key=lambda s: (len(s.tiers), max((t.size for t in s.tiers), default=1), s.devices), default=None)
    return joined(profiles.device(device), best)
