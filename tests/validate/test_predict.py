"""Published runs as the model sees them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.catalogue.profiles import Profiles, user_folders
from planner.schema.claim import REQUIRED, TEXTS
from planner.validate.predict import _side_by_side
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


def seen(tmp_path: Path, *rows: dict[str, str]) -> list[float]:
    """Estimates of rows that differ from ROW."""
    pd.DataFrame([ROW | {"case": str(i)} | row for i, row in enumerate(rows)]).to_csv(tmp_path / "runs.csv", index=False)
    return list(estimate(tmp_path / "runs.csv", Profiles(user_folders(None)))["estimate"])


def test_inferencemax_draws_its_lengths(tmp_path: Path) -> None:
    """Its runs of 8,192 tokens have 7,373 on average: what other runs of that length take."""
    run = {"scenario": "concurrency", "metric": "ttft_s", "software": "vllm", "concurrency": "4", "tp": "1"}
    drawn = {"input_tokens": "8192", "output_tokens": "1024", "notes": "source_file=2025-10-01.csv"}
    fixed = {"input_tokens": "7372.8", "output_tokens": "921.6", "notes": "source_file=/data/l4.csv"}
    one, other, nominal = seen(tmp_path, run | drawn, run | fixed, run | drawn | {"notes": ""})
    assert one == pytest.approx(other)
    assert one < nominal


def test_a_benchmark_that_says_no_layout_is_taken_to_run_the_best(tmp_path: Path) -> None:
    """Llama 3.1 70B in 4 bits on four L4: stages hand over less than tensor ranks sum, and wait for each other."""
    run = {"scenario": "offline", "workload": "llama-3.1-70b", "precision": "w4a16", "devices": "4", "software": "vllm"}
    layouts = [{"tp": "4"}, {"tp": "2", "pp": "2"}, {"tp": "1", "pp": "4"}]
    free, *named = seen(tmp_path, run, *[run | layout for layout in layouts])
    assert free == pytest.approx(max(named)) and free > 1.2 * min(named)


def test_graphs_pad_batches_where_a_benchmark_captures_them(tmp_path: Path) -> None:
    """1,500 requests at once are computed as 2,048 since TensorRT-LLM's overview runs PyTorch (v0.19), not by engines before."""
    run = {
        "scenario": "offline",
        "workload": "llama-3.2-1b",
        "precision": "fp8",
        "hardware": "nvidia-h200-sxm",
        "software": "trtllm",
    }
    lengths = {"input_tokens": "1000", "output_tokens": "2000", "tp": "1"}
    at = [{"ref": f"docs/source/performance/perf-overview.md ({version})"} for version in ("v0.15", "v0.21", "v1.0")]
    compiled, padded, later = seen(tmp_path, *[run | lengths | ref for ref in at])
    assert padded == later < compiled


INFERENCEMAX = {
    "workload": "deepseek-r1", "precision": "fp8", "hardware": "nvidia-b200-sxm", "devices": "8", "tp": "8", "ep": "1",
    "metric": "tpot_s", "concurrency": "16", "input_tokens": "1024", "output_tokens": "1024",
}  # fmt: skip


def test_a_release_that_guesses_ahead_says_so(tmp_path: Path) -> None:
    """A step of 3 guesses gives 2.5 tokens, and takes longer: each token comes 1.2 to 2.5 times sooner."""
    run = INFERENCEMAX | {"scenario": "concurrency"}
    releases = ("1.2.0rc6.post2", "1.2.0rc6.post3")
    plain, guessed = seen(tmp_path, *[run | {"software": f"trtllm {release}"} for release in releases])
    assert 1.2 < plain / guessed < 2.5
    dense = run | {"workload": "llama-3.1-8b", "tp": "1", "devices": "1"}
    one, other = seen(tmp_path, *[dense | {"software": f"trtllm {release}"} for release in releases])
    assert one == other


APART = INFERENCEMAX | {
    "scenario": "concurrency_disaggregated", "software": "trtllm 0.8.1.post1", "precision": "fp4", "attention_dp": "1",
    "ep": "4",
    "notes": "image=nvcr.io/nvidia/ai-dynamo/tensorrtllm-runtime:0.8.1.post1; prefill: workers None, tp 4, attention dp 1, "
    "moe tp 1, moe ep 4, batch None; decode: workers None, batch None",
}  # fmt: skip


def test_of_runs_that_may_guess_ahead_the_middle_is_estimated(tmp_path: Path) -> None:
    """No layout is known of 17 requests at once: with TensorRT-LLM's release half of such runs guess; another's does not."""
    either, plain = seen(
        tmp_path, *[APART | {"concurrency": "17", "software": f"trtllm {release}"} for release in ("0.8.1.post1", "0.8.0")]
    )
    assert 1.0 < plain / either < 1.6


def test_a_run_is_laid_out_as_the_benchmark_s_own_files_say(tmp_path: Path) -> None:
    """450 requests at once were sent to six workers of eight ranks that guess nothing: 75 each, as when the row says it."""
    said = (
        APART["notes"].replace("prefill: workers None", "prefill: workers 1").replace("decode: workers None", "decode: workers 6")
    )
    said = said.replace("tp 4, attention dp 1", "tp 1, attention dp 4").replace(
        "; decode: workers 6, batch None", "; decode: workers 6, batch 64"
    )
    found, told = seen(
        tmp_path,
        APART | {"concurrency": "450"},
        APART | {"concurrency": "450", "notes": said, "ep": "8", "workload": "deepseek-v3"},
    )
    assert found == pytest.approx(told, rel=1e-6)


def test_of_two_layouts_that_fit_the_middle_is_estimated(tmp_path: Path) -> None:
    """90 requests at once were sent to five workers with guesses and without; 180 and 45 lie to both sides."""
    half, either, twice = seen(tmp_path, *[APART | {"concurrency": c} for c in ("45", "90", "180")])
    assert half < either < twice


def test_a_server_keeps_its_limits_for_almost_all_requests(tmp_path: Path) -> None:
    """MLPerf's limits hold for 99 of 100 requests that come at random: below what queues of any length reach, and the lower the
    tighter they are.
    """
    run = {"workload": "mlperf-llama3.1-8b", "precision": "fp8", "software": "mlperf", "hardware": "nvidia-h100-sxm"}
    lengths = dict.fromkeys(("input_tokens", "output_tokens"), "")
    scenarios = ("offline", "server", "interactive")
    offline, server, interactive = seen(tmp_path, *[run | lengths | {"scenario": s} for s in scenarios])
    assert offline > server > interactive > 0


def test_stages_that_a_row_names_hold_a_part_of_the_model_each(tmp_path: Path) -> None:
    """26 GB of weights leave no room on one L4 for more than the request that was published, and some 20 GB on two stages."""
    lengths = {"input_tokens": "128", "output_tokens": "128"}
    row = lengths | {"scenario": "offline", "workload": "llama-2-13b", "devices": "2", "tp": "1", "software": "vllm"}
    whole, apart = seen(tmp_path, row | {"pp": "1"}, row | {"pp": "2"})
    assert apart > 3 * whole


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


def test_who_has_all_samples_waiting_takes_the_batch_that_gives_the_most(tmp_path: Path) -> None:
    """Never less than at any of the batches; of images of 800 x 800 2,048 would not fit."""
    sizes = ("", "64", "256", "1024", "2048")
    rows = [BENCHMARK | {"case": n, "workload": "mlperf-resnet", "scenario": "offline", "batch": n} for n in sizes]
    rows.append(BENCHMARK | {"case": "large", "workload": "mlperf-retinanet", "scenario": "offline"})
    pd.DataFrame(rows).to_csv(tmp_path / "runs.csv", index=False)
    best, *each, large = estimate(tmp_path / "runs.csv", Profiles(user_folders(None)))["estimate"]
    assert best == pytest.approx(max(each)) and max(each) > 1.2 * each[0]
    assert large > 0


def test_a_chip_without_memory_is_asked_for_the_networks_sums(tmp_path: Path) -> None:
    row = BENCHMARK | {"case": "1", "workload": "mlperf-resnet", "hardware": "hailo-8", "scenario": "offline"}
    pd.DataFrame([row]).to_csv(tmp_path / "runs.csv", index=False)
    (found,) = estimate(tmp_path / "runs.csv", Profiles(user_folders(None)))["estimate"]
    assert found > 0


def test_ranks_of_a_stack_whose_ranks_are_cores_are_half_a_device_of_two_cores(tmp_path: Path) -> None:
    """Twelve Inferentia2 have 24 cores: two models on twelve cores each, or one on all, which is less than twice as fast."""
    row = {"hardware": "aws-inferentia2", "software": "neuron-2.18.0", "precision": "bf16", "batch": "1", "devices": "12"}
    both, one, half = seen(tmp_path, row | {"tp": "12"}, row | {"tp": "24"}, row | {"tp": "12", "devices": "6"})
    assert both == pytest.approx(2 * half)
    assert 0.9 * half < one < 1.9 * half


def test_tokens_of_releases_that_count_both_ways_are_those_of_input_and_output(tmp_path: Path) -> None:
    row = {"hardware": "aws-inferentia2", "precision": "bf16", "batch": "1", "devices": "12", "tp": "24", "output_tokens": "1024"}
    rows = [
        row | {"software": f"neuron-2.{release}.0", "metric": m}
        for m in ("output_tokens_per_s", "tpot_s")
        for release in (17, 18)
    ]
    old, new, old_time, new_time = seen(tmp_path, *rows)
    assert old == pytest.approx(3 * new)
    assert old_time == pytest.approx(new_time / 3)


def test_pieces_of_a_prompt_follow_each_other_through_devices_turn_by_turn() -> None:
    """One piece is on one device at a time; four on four take seven turns' steps; sixteen are four times four."""
    pieces = np.array([512.0, 2048.0, 8192.0, 2560.0])
    assert _side_by_side(pieces, np.full(4, 4.0)) == pytest.approx([1.0, 16 / 7, 16 / 7, 20 / 11])
    assert _side_by_side(pieces, np.ones(4)) == pytest.approx(np.ones(4))


def test_who_reserves_what_requests_will_need_serves_full_waves_and_one_of_what_is_left(tmp_path: Path) -> None:
    """Where six or so of them fit, one more than two full waves takes a third, nearly empty one."""
    base = {"software": "TensorRT-LLM", "metric": "total_tokens_per_s"}
    rates = np.array(seen(tmp_path, *[base | {"batch": str(b)} for b in range(1, 25)]))
    most = int(np.argmax(np.diff(rates) < 0)) + 1
    assert rates[2 * most - 1] == pytest.approx(rates[most - 1])
    assert rates[2 * most] < rates[most - 1]


def test_ranks_of_several_cores_each_share_what_all_cores_have(tmp_path: Path) -> None:
    """Two Trainium2 have sixteen cores: eight ranks of two cores are one model on all of them, as sixteen ranks of one are."""
    row = {"hardware": "aws-trainium2", "software": "neuron-2.26", "precision": "bf16", "batch": "1", "devices": "2"}
    pairs, singles = seen(tmp_path, row | {"tp": "8"}, row | {"tp": "16"})
    assert pairs == pytest.approx(singles, rel=0.5)
    assert pairs > singles / 2
