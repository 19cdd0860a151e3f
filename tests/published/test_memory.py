"""Every published training run of a language model that ran is said to fit."""

import os
from pathlib import Path

import pytest

from planner.catalogue.profiles import Profiles
from planner.validate.published_training import fits
from planner.validate.tables import translated

FOLDER = Path(os.environ.get("PLANNER_PUBLISHED", Path(__file__).parents[3] / "shared" / "published"))
RUNS = ["mosaic_a100", "megatron_seqsel", "maxtext_v5e", "torchtitan_8b", "megatron_bridge_nemo_h100_gb200"]


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no published measurements at {FOLDER}")
@pytest.mark.parametrize("name", RUNS)
def test_what_ran_fits(name: str) -> None:
    profiles = Profiles()
    table = fits(translated(FOLDER / f"{name}.csv", profiles), profiles.calibration)
    assert len(table) > 5 and table["fits"].all(), table[~table["fits"]]
