"""Kernel tables as the wheel lays them out, made up: which one is read, and in which columns."""

from pathlib import Path

import pytest

from planner.catalogue import kernels
from planner.errors import InputError

parquet = pytest.importorskip("pyarrow.parquet")
GEMM = {"m": [1, 2], "n": [8, 8], "k": [4, 4], "gemm_dtype": ["bfloat16", "sq"], "latency": [0.5, 0.25]}
MOE = {
    "num_tokens": [1], "hidden_size": [2], "inter_size": [3], "topk": [4], "num_experts": [5], "moe_tp_size": [6],
    "moe_ep_size": [7], "moe_dtype": ["nvfp4"], "distribution": ["balanced"], "kernel_source": ["made up"], "latency": [1.0],
}  # fmt: skip


def put(root: Path, path: str, columns: dict[str, list[object]]) -> None:
    import pyarrow as pa

    (root / path).parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), root / path)


def test_columns_are_the_planner_s_own(tmp_path: Path) -> None:
    put(tmp_path, "x/gemm/trtllm/1.0.0/gemm_perf.parquet", GEMM)
    found = kernels.read("x", "matmul", tmp_path)
    assert found is not None and found.source.endswith("x/gemm/trtllm/1.0.0/gemm_perf.parquet")
    assert found.columns["seconds"].tolist() == [5e-4, 2.5e-4] and found.columns["dtype"].tolist() == ["bf16", "int8"]
    assert kernels.read("x", "experts", tmp_path) is None


def test_the_first_backend_s_newest_table_is_read(tmp_path: Path) -> None:
    for version in ("1.3.0rc9", "1.3.0rc20", "0.9.0"):
        put(tmp_path, f"x/gemm/trtllm/{version}/gemm_perf.parquet", GEMM)
    put(tmp_path, "x/gemm/vllm/9.0.0/gemm_perf.parquet", GEMM)
    found = kernels.read("x", "matmul", tmp_path)
    assert found is not None and "trtllm/1.3.0rc20" in found.source


def test_of_tables_that_only_add_to_another_the_whole_one_is_read(tmp_path: Path) -> None:
    put(tmp_path, "x/moe/trtllm/1.0.0/moe_perf.parquet", {name: values * 5000 for name, values in MOE.items()})
    put(tmp_path, "x/moe/trtllm/2.0.0/moe_perf.parquet", MOE)
    found = kernels.read("x", "experts", tmp_path)
    assert found is not None and len(found.columns["seconds"]) == 5000


def test_a_shape_that_an_older_version_timed_too_takes_the_lesser_time(tmp_path: Path) -> None:
    """The newest table's shapes and no others: one that the older had in 2 ms counts so, one it had in 9 ms, as it is."""
    shapes = {
        "batch_size": [1, 2, 4], "num_heads": [8] * 3, "num_key_value_heads": [8] * 3, "head_dim": [64] * 3,
        "window_size": [0] * 3, "isl": [1] * 3, "step": [100] * 3, "attn_dtype": ["bfloat16"] * 3,
        "kv_cache_dtype": ["bfloat16"] * 3, "kernel_source": ["made up"] * 3,
    }  # fmt: skip
    put(tmp_path, "x/attention/vllm/1.0.0/generation_attention_perf.parquet", {**shapes, "latency": [2.0, 9.0, 1.0]})
    fewer = {name: values[:2] for name, values in shapes.items()}
    put(tmp_path, "x/attention/vllm/2.0.0/generation_attention_perf.parquet", {**fewer, "latency": [3.0, 4.0]})
    found = kernels.read("x", "decode_attention", tmp_path)
    assert found is not None and found.columns["seconds"].tolist() == [2e-3, 4e-3] and found.source.endswith("and of 1.0.0")


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    put(tmp_path, "x/gemm/trtllm/1.0.0/gemm_perf.parquet", {name: values for name, values in GEMM.items() if name != "k"})
    with pytest.raises(InputError, match="has no column 'k'"):
        kernels.read("x", "matmul", tmp_path)
