"""Errors told apart by what was asked."""

from pathlib import Path

import pandas as pd
import pytest

from planner.catalogue.profiles import Profiles, user_folders
from planner.schema.claim import REQUIRED, TEXTS
from planner.validate.tables import validate

ROW = dict.fromkeys([*REQUIRED, *TEXTS], "") | {
    "task": "inference", "scenario": "concurrency", "workload": "llama-3.1-8b", "hardware": "nvidia-l4", "precision": "fp16",
    "concurrency": "4", "devices": "1", "tp": "1", "input_tokens": "1000", "output_tokens": "101", "software": "vllm",
}  # fmt: skip


def test_by_metric_both_times_of_a_run_are_its_throughput_too(tmp_path: Path) -> None:
    """Four requests in flight, 101 tokens each in 0.5 s and 100 steps of 0.05 s: 404 tokens in 5.5 s. One time makes none."""
    whole = [ROW | {"case": "a", "metric": "ttft_s", "value": "0.5"}, ROW | {"case": "b", "metric": "tpot_s", "value": "0.05"}]
    half = ROW | {"case": "c", "metric": "tpot_s", "value": "0.05", "concurrency": "8"}
    pd.DataFrame([*whole, half]).to_csv(tmp_path / "runs.csv", index=False)
    result = validate([tmp_path / "runs.csv"], Profiles(user_folders(None)), ["metric"])
    found = {f["group"]: f for f in result["files"]}
    assert {group: f["cases"] for group, f in found.items()} == {"output_tokens_per_s": 1, "tpot_s": 2, "ttft_s": 1}
    ttft, tpot = (row["estimate"] for row in result["rows"][:2])
    assert found["output_tokens_per_s"]["median_signed_error"] == pytest.approx(5.5 / (ttft + 100 * tpot) - 1)
    assert len(result["rows"]) == 3
