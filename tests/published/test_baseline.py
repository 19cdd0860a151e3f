"""Errors on published measurements held against a committed baseline.

A change fails if a table's median or 90th percentile gets worse by two points, or if a row that could be predicted no
longer can. An improvement updates the baseline in the same change: ``python tests/published/test_baseline.py``.
"""

import json
import os
from pathlib import Path

import pytest

BASELINE = Path(__file__).with_name("baseline.json")
PUBLISHED = Path(os.environ.get("PLANNER_PUBLISHED", Path(__file__).parents[3] / "shared" / "published"))
SLACK = 0.02


def current():
    from planner.catalogue.profiles import Profiles
    from planner.validate.tables import validate

    files = sorted(p for p in PUBLISHED.glob("*.csv") if p.name != "architectures.csv")
    return {
        f["file"]: {k: f[k] for k in ("cases", "estimated", "median_ape", "p90_ape")}
        for f in validate(files, Profiles())["files"]
    }


@pytest.fixture(scope="module")
def now():
    if not PUBLISHED.is_dir():
        pytest.skip("published measurements are not here: set PLANNER_PUBLISHED to their folder")
    return current()


@pytest.mark.parametrize("name", sorted(json.loads(BASELINE.read_text())) if BASELINE.exists() else [])
def test_no_table_got_worse(name, now):
    if name not in now:
        pytest.skip(f"{name} is not among the published measurements here")
    before, after = json.loads(BASELINE.read_text())[name], now[name]
    assert after["estimated"] >= before["estimated"], "a row that could be predicted no longer can"
    for error in ("median_ape", "p90_ape"):
        assert after[error] <= before[error] + SLACK, f"{error} rose from {before[error]:.3f} to {after[error]:.3f}"


if __name__ == "__main__":
    BASELINE.write_text(json.dumps(current(), indent=1) + "\n")
