"""Published runs as the model sees them."""

from pathlib import Path

import pandas as pd
import pytest

from planner.catalogue.profiles import Profiles, user_folders
from planner.schema.claim import REQUIRED, TEXTS
from planner.validate.tables import estimate

ROW = dict.fromkeys([*REQUIRED, *TEXTS], "") | {
    "task": "inference", "scenario": "static_batch", "workload": "llama-3.1-8b", "hardware": "nvidia-l4", "precision": "fp16",
    "metric": "output_tokens_per_s", "value": "100", "devices": "1", "input_tokens": "2048", "output_tokens": "2048",
}  # fmt: skip


@pytest.mark.parametrize(("software", "waits"), [("vllm 0.9", True), ("deepspeed", False)])
def test_of_a_batch_that_does_not_fit_the_rest_waits(software: str, waits: bool, tmp_path: Path) -> None:
    """24 GB less 16 GB of weights hold some ten requests of 4,096 tokens, 131 kB each: 64 and 256 of them run as fast."""
    rows = [ROW | {"case": str(batch), "batch": str(batch), "software": software} for batch in (1, 64, 256)]
    pd.DataFrame(rows).to_csv(tmp_path / "runs.csv", index=False)
    one, some, many = estimate(tmp_path / "runs.csv", Profiles(user_folders(None)))["estimate"]
    assert one < some
    assert (many == pytest.approx(some)) is waits
