"""Rows of published tables to stacks: what the row says of its software decides, never the name of its model."""

from pathlib import Path

import pandas as pd
import pytest

from planner.catalogue.profiles import Profiles
from planner.schema.claim import REQUIRED, TEXTS, precision
from planner.validate.tables import translated


@pytest.mark.parametrize(
    ("row", "stack"),
    [
        ({"software": "vLLM 0.9"}, "vllm"),
        ({"software": "NeMo 25.02"}, "megatron"),
        ({"workload": "nemotron-4-340b"}, "default"),
        ({"workload": "mistral-nemo-12b"}, "default"),
        ({"workload": "megatron-22b"}, "default"),
        ({"workload": "gpt3-175b", "source": "arXiv:2205.05198"}, "megatron-2022"),
        ({"workload": "timm/resnet50"}, "timm"),
        ({"workload": "acme/nemo", "notes": "SGLang"}, "sglang"),
    ],
)
def test_a_stack_is_what_a_row_says_of_its_software(row: dict[str, str], stack: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    pd.DataFrame([dict.fromkeys((*REQUIRED, *TEXTS), "") | {"value": "1"} | row]).to_csv(path, index=False)
    assert translated(path, Profiles()).table["stack"].tolist() == [stack]


@pytest.mark.parametrize(
    ("row", "blocks"),
    [
        ({"workload": "deepseek-r1"}, True), ({"workload": "mlperf-deepseek-r1"}, True), ({"workload": "llama-3.1-8b"}, False),
        ({"workload": "deepseek-v3", "task": "training"}, False),
    ],
)  # fmt: skip
def test_what_is_published_in_blocks_is_served_in_blocks(row: dict[str, str], blocks: bool, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    plain = {"value": "1", "task": "inference", "precision": "fp8", "hardware": "nvidia-b200-sxm"}
    pd.DataFrame([dict.fromkeys((*REQUIRED, *TEXTS), "") | plain | row]).to_csv(path, index=False)
    found = translated(path, Profiles())
    assert found.settings[found.table["setting"].iloc[0]].blocks is blocks


TOGETHER = {"software": "trtllm 1.2.0rc6.post2", "scenario": "concurrency", "tp": "8", "attention_dp": "1"}
LAID_OUT = {
    "scenario": "concurrency_disaggregated", "input_tokens": "1024", "output_tokens": "1024", "concurrency": "4096",
    "notes": "image=nvcr.io/nvidia/ai-dynamo/tensorrtllm-runtime:0.8.1.post2; prefill: workers None, tp 8, attention dp 1, "
    "moe tp 1, moe ep 8, batch None; decode: workers None, batch None",
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "many"),
    [
        ({}, False), ({"tp": "1", "attention_dp": "8"}, True), ({"software": "trtllm 1.1.0rc2.post2"}, True),
        ({"tp": "1", "attention_dp": "8", "precision": "fp4"}, False), (LAID_OUT | {"ep": "8"}, True),
        ({"precision": "fp4", "notes": "MoE models run attention data parallel"}, True),
    ],
    ids=["together", "apart", "release", "fp4", "apart by its layout", "overview"],
)  # fmt: skip
def test_experts_go_by_kernels_for_many_tokens_where_the_engine_is_told_to(
    row: dict[str, str], many: bool, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    plain = {"value": "1", "task": "inference", "precision": "fp8", "hardware": "nvidia-b200-sxm", "workload": "deepseek-r1"}
    pd.DataFrame([dict.fromkeys((*REQUIRED, *TEXTS), "") | plain | TOGETHER | row]).to_csv(path, index=False)
    found = translated(path, Profiles())
    assert found.settings[found.table["setting"].iloc[0]].many is many


@pytest.mark.parametrize(
    ("notes", "tp", "ep", "ranks", "expert_tp", "ends_as"),
    [
        ("db-dump/2026-04-27; config_id=1", 64, 8, 1, 8, (8.0, 1.0, 8.0)),
        ("source_file=2026-04-06.csv", 1, 4, 16, 4, (1.0, 4.0, 4.0)),
        ("source_file=/data/h100_sxm/trtllm.csv", 4, 2, 1, 2, (4.0, 1.0, 4.0)),
        ("db-dump/2026-04-27", 8, 4, 1, 2, (8.0, 1.0, 8.0)),
    ],
)
def test_ranks_that_a_dump_counts_squared_are_counted_once(
    notes: str, tp: int, ep: int, ranks: int, expert_tp: int, ends_as: tuple[float, float, float], tmp_path: Path
) -> None:
    """tp x attention_dp is ep x moe_tp in both readings; a dump that says ep twice means ep ranks."""
    row = dict.fromkeys([*REQUIRED, *TEXTS], "") | {
        "case": "a", "task": "inference", "scenario": "concurrency", "workload": "deepseek-v3", "hardware": "nvidia-b200-sxm",
        "precision": "fp8", "metric": "tpot_s", "value": "0.01", "software": "sglang", "notes": notes, "tp": str(tp),
        "ep": str(ep),
        "attention_dp": str(ranks), "moe_tp": str(expert_tp), "devices": str(tp * ranks),
    }  # fmt: skip
    pd.DataFrame([row]).to_csv(tmp_path / "runs.csv", index=False)
    t = translated(tmp_path / "runs.csv", Profiles(())).table
    assert (t["tp"][0], t["attention_dp"][0], t["devices"][0]) == ends_as


@pytest.mark.parametrize(
    ("system", "workload", "metric", "devices", "scored"),
    [
        ("1-node-4x-BMG-Pro-B60-Dual", "mlperf-llama3.1-8b", "output_tokens_per_s", 8.0, "output_tokens_per_s"),
        ("D75E-4U_H200-NVL-141GBx4_TRT", "mlperf-llama3.1-8b", "queries_per_s", 4.0, "output_tokens_per_s"),
        ("D75E-4U_H200-NVL-141GBx4_TRT", "mlperf-resnet", "queries_per_s", 4.0, "queries_per_s"),
    ],
)
def test_submissions_to_mlperf_are_counted_as_they_mean_it(
    system: str, workload: str, metric: str, devices: float, scored: str, tmp_path: Path
) -> None:
    """Cards with two devices each are two; models that generate text are scored by tokens, whatever the summary calls them."""
    row = dict.fromkeys([*REQUIRED, *TEXTS], "") | {
        "case": "a", "source": "mlcommons/inference_results_v5.1", "ref": f"closed/X/results/{system}/b/Interactive",
        "task": "inference", "scenario": "interactive", "workload": workload, "metric": metric, "value": "1", "devices": "4",
    }  # fmt: skip
    pd.DataFrame([row]).to_csv(tmp_path / "runs.csv", index=False)
    t = translated(tmp_path / "runs.csv", Profiles(())).table
    assert (t["devices"][0], t["metric"][0]) == (devices, scored)


@pytest.mark.parametrize(
    ("notes", "degrees"),
    [
        ("Parallelism Type=Pipeline Parallelism", {"pp": 4.0}),
        ("tokens counted; Parallelism Type=TP", {"tp": 4.0}),
        ("Parallelism Type=EP", {"tp": 4.0, "ep": 4.0}),
        ("Parallelism Type=Hybrid TP = 2 and EP = 2", {"tp": 4.0, "ep": 2.0}),
        ("Parallelism Type=Hybird Tensor (2) and Pipeline (2) Parallelism", {"tp": 2.0, "pp": 2.0}),
        ("nothing of the kind", {}),
    ],
)
def test_degrees_that_only_notes_say_are_taken_from_them(notes: str, degrees: dict[str, float], tmp_path: Path) -> None:
    row = dict.fromkeys((*REQUIRED, *TEXTS), "") | {"value": "1", "devices": "4", "notes": notes}
    pd.DataFrame([row]).to_csv(tmp_path / "runs.csv", index=False)
    t = translated(tmp_path / "runs.csv", Profiles(())).table
    assert {way: t[way][0] for way in ("tp", "pp", "ep") if pd.notna(t[way][0])} == degrees


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("FP8", "fp8"), ("bfloat16", "bf16"), ("uint4", "w4a16"), ("fp8,fp16,int8", "fp8"), ("fp8, int8, int8", "int8"),
        ("{'clip1': 'fp32', 'unet': 'fp8', 'vae': 'fp32'}", "fp8"), ("clip1:fp32,clip2:fp32,unet:fp8,vae:fp32", "fp8"),
    ],
)  # fmt: skip
def test_a_submitter_s_precisions_by_part_are_that_of_the_part_with_the_work(text: str, name: str) -> None:
    assert precision(text) == name
