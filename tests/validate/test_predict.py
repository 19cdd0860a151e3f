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


def estimates(rows: list[dict[str, str]], folder: Path) -> list[float]:
    """What each of these rows, which differ from ROW, is estimated at."""
    pd.DataFrame([ROW | row for row in rows]).to_csv(folder / "runs.csv", index=False)
    found: list[float] = estimate(folder / "runs.csv", Profiles(user_folders(None)))["estimate"].tolist()
    return found


def test_inferencemax_draws_its_lengths(tmp_path: Path) -> None:
    """Its runs of 8,192 tokens have 7,373 on average: what other runs of that length take."""
    run = {"scenario": "concurrency", "metric": "ttft_s", "software": "vllm", "concurrency": "4", "tp": "1"}
    drawn = {"case": "a", "input_tokens": "8192", "output_tokens": "1024", "notes": "source_file=2025-10-01.csv"}
    fixed = {"case": "b", "input_tokens": "7372.8", "output_tokens": "921.6", "notes": "source_file=/data/l4.csv"}
    one, other, nominal = estimates([run | drawn, run | fixed, run | fixed | drawn | {"case": "c", "notes": ""}], tmp_path)
    assert one == pytest.approx(other)
    assert one < nominal


def test_a_benchmark_that_says_no_layout_is_taken_to_run_the_best(tmp_path: Path) -> None:
    """Llama 3.1 70B in 4 bits on four L4 without a fast link: stages hand over less than tensor ranks sum."""
    run = {"scenario": "offline", "workload": "llama-3.1-70b", "precision": "w4a16", "devices": "4", "software": "vllm"}
    free, tensor = estimates([run | {"case": "a"}, run | {"case": "b", "tp": "4"}], tmp_path)
    assert free > tensor


def test_a_server_keeps_its_limits_for_almost_all_requests(tmp_path: Path) -> None:
    """MLPerf's limits hold for 99 of 100 requests that come at random: below what queues of any length reach, and the lower the
    tighter they are.
    """
    run = {"workload": "mlperf-llama3.1-8b", "precision": "fp8", "software": "mlperf", "hardware": "nvidia-h100-sxm"}
    lengths = dict.fromkeys(("input_tokens", "output_tokens"), "")
    scenarios = ("offline", "server", "interactive")
    offline, server, interactive = estimates([run | lengths | {"case": s, "scenario": s} for s in scenarios], tmp_path)
    assert offline > server > interactive > 0


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
