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


BENCHMARK = ROW | {
    "workload": "mlperf-retinanet", "hardware": "nvidia-l40s", "precision": "int8", "metric": "samples_per_s", "input_tokens": "",
    "output_tokens": "", "source": "mlcommons/inference_results_v5.1",
}  # fmt: skip


def test_benchmarks_of_networks_go_operation_by_operation(tmp_path: Path) -> None:
    """Under a limit of latency some of the rate is lost; eight samples of a query are one batch."""
    asked: list[dict[str, str]] = [
        {"scenario": "offline"}, {"scenario": "server"}, {"scenario": "multistream", "metric": "Latency (ms)"},
        {"scenario": "offline", "batch": "8"}, {"scenario": "offline", "devices": "8"},
    ]  # fmt: skip
    rows = [BENCHMARK | {"case": str(i)} | one for i, one in enumerate(asked)]
    pd.DataFrame(rows).to_csv(tmp_path / "runs.csv", index=False)
    t = estimate(tmp_path / "runs.csv", Profiles(user_folders(None)))
    offline, server, milliseconds, eight, node = t["estimate"]
    assert server < offline < 1.2 * server
    assert milliseconds == pytest.approx(8 / eight * 1e3)
    assert node == pytest.approx(8 * offline)


def test_a_chip_without_memory_is_asked_for_the_networks_sums(tmp_path: Path) -> None:
    row = BENCHMARK | {"case": "1", "workload": "mlperf-resnet", "hardware": "hailo-8", "scenario": "offline"}
    pd.DataFrame([row]).to_csv(tmp_path / "runs.csv", index=False)
    (found,) = estimate(tmp_path / "runs.csv", Profiles(user_folders(None)))["estimate"]
    assert found > 0
