"""Parameter counts: by hand, against every published count of the zoo, and columns against single rows."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from planner.catalogue.profiles import Profiles
from planner.model.columns import Columns
from planner.model.families.transformer_size import active_parameters, flatten, parameters
from planner.schema.workload import Architecture, Mla, Moe

ZOO = Profiles()
IDS = ZOO.ids("workload")
WORKLOADS = {id: ZOO.workload(id) for id in IDS}
TRANSFORMERS = {id: w.architecture for id, w in WORKLOADS.items() if w.architecture is not None}
PUBLISHED = {id: w.parameters.value for id, w in WORKLOADS.items() if w.parameters is not None}

TINY = {
    "hidden_size": 8, "num_layers": 2, "num_heads": 4, "num_kv_heads": 2, "head_dim": 2, "ffn_size": 16,
    "vocab_size": 100, "max_context": 32,
}  # fmt: skip


def count(architecture: Architecture) -> dict[str, int]:
    sizes = cast(Columns, SimpleNamespace(**flatten(architecture)))
    return {name: int(value) for name, value in parameters(sizes).items()}


def total(**sizes: object) -> int:
    return count(Architecture(**{**TINY, **sizes}))["total"]  # type: ignore[arg-type]


def test_a_small_model_by_hand() -> None:
    # a layer: q 8*8, k and v 2 * 8*4, out 8*8; three matrices of 8*16; two norms of 8. Then 2 * 100 * 8 and a last norm.
    assert count(Architecture(**TINY)) == {  # type: ignore[arg-type]
        "embeddings": 1600, "attention": 2 * 192, "dense_ffn": 2 * 384, "experts": 0, "shared_experts": 0, "router": 0,
        "norms": 2 * 16 + 8, "other": 0, "total": 1600 + 384 + 768 + 40,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sizes", "more"),
    [
        ({"tied_embeddings": True}, -800),
        ({"positions": "learned"}, 32 * 8),
        ({"gated_ffn": False}, -2 * 8 * 16),
        ({"norm": "layer"}, 40),
        ({"norm": "layer_no_bias"}, 0),
        ({"norms_per_layer": 1}, -2 * 8),
        ({"norms_per_layer": 4}, 4 * 8),
        ({"qkv_bias": True}, 2 * 16),
        ({"output_bias": True}, 2 * 8),
        ({"ffn_bias": True}, 2 * (16 + 16 + 8)),
        ({"qk_norm": True}, 2 * 2 * 2),
        ({"attention_sinks": True}, 2 * 4),
        ({"extra_embeddings": 3}, 24),
        ({"extra_norms": 1}, 8),
        ({"extra_parameters": 5}, 5),
    ],
)
def test_what_each_field_adds(sizes: Mapping[str, object], more: int) -> None:
    assert total(**sizes) - total() == more


def test_experts_replace_the_dense_feed_forward_by_hand() -> None:
    moe = Moe(4, 1, expert_ffn_size=8, shared_ffn_size=2, dense_layers=1, router_bias=True, shared_gate=True, expert_bias=True)
    parts = count(Architecture(**TINY, moe=moe))  # type: ignore[arg-type]
    assert parts["dense_ffn"] == 384
    assert parts["experts"] == 4 * (3 * 8 * 8 + 2 * 8 + 8)
    assert parts["shared_experts"] == 3 * 8 * 2 + 8
    assert parts["router"] == 4 * 8 + 4


def test_latent_attention_by_hand() -> None:
    mla = Mla(q_lora_rank=6, kv_lora_rank=5, qk_nope_head_dim=3, qk_rope_head_dim=1, v_head_dim=2)
    layer = 8 * 6 + 6 * 4 * (3 + 1) + 8 * (5 + 1) + 5 * 4 * (3 + 2) + 4 * 2 * 8
    parts = count(Architecture(**TINY, mla=mla))  # type: ignore[arg-type]
    assert parts["attention"] == 2 * layer
    assert parts["norms"] == 40 + 2 * (6 + 5)
    direct = Mla(q_lora_rank=0, kv_lora_rank=5, qk_nope_head_dim=3, qk_rope_head_dim=1, v_head_dim=2)
    assert count(Architecture(**TINY, mla=direct))["attention"] == 2 * (layer - 8 * 6 - 6 * 16 + 8 * 16)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("id", "published"),
    [
        ("llama-3.1-8b", 8_030_261_248),
        ("llama-3.1-70b", 70_553_706_496),
        ("llama-3.1-405b", 405_853_388_800),
        ("mixtral-8x7b", 46_702_792_704),
        ("qwen2-7b", 7_615_616_512),
        ("mistral-7b", 7_241_732_096),
        ("deepseek-v3", 671_026_419_200),
        ("bert-base", 109_482_240),
    ],
)
def test_well_known_counts(id: str, published: int) -> None:
    assert count(TRANSFORMERS[id])["total"] == published


@pytest.mark.parametrize("id", IDS)
def test_each_file_of_the_zoo_describes_one_thing(id: str) -> None:
    workload = WORKLOADS[id]
    described = (workload.architecture, workload.network or workload.graph, workload.of or None)  # sums may stand beside a graph
    assert [what is not None for what in described].count(True) == 1
    assert not workload.of or workload.of in WORKLOADS
    assert workload.name and workload.sources and all(workload.sources.values())
    named = [workload.parameters, *([workload.network.parameters, workload.network.macs] if workload.network else [])]
    assert {figure.source for figure in named if figure is not None} <= set(workload.sources)
    assert workload.requests is None or workload.requests.source in workload.sources


@pytest.mark.parametrize("id", PUBLISHED)
def test_count_equals_the_published_one(id: str) -> None:
    assert count(TRANSFORMERS[id])["total"] == PUBLISHED[id]


@pytest.mark.parametrize("id", TRANSFORMERS)
def test_sizes_are_consistent(id: str) -> None:
    a = TRANSFORMERS[id]
    assert a.num_heads % a.num_kv_heads == 0
    assert a.moe is None or (a.moe.experts_per_token <= a.moe.num_experts and a.moe.dense_layers < a.num_layers)
    assert a.window is None or 0 < a.window.layers <= a.num_layers


@pytest.mark.parametrize(
    ("id", "billions"),
    [("mixtral-8x7b", 12.9), ("qwen3-30b-a3b", 3.3), ("qwen3-235b-a22b", 22), ("llama-4-scout", 17), ("gpt2", 0.124)],
)
def test_active_parameters_as_published(id: str, billions: float) -> None:
    active = active_parameters(cast(Columns, SimpleNamespace(**flatten(TRANSFORMERS[id]))))
    assert float(active) / 1e9 == pytest.approx(billions, rel=0.02)


def test_columns_give_what_single_rows_give() -> None:
    flat = [flatten(a) for a in TRANSFORMERS.values()]
    table = Columns({name: np.array([f[name] for f in flat]) for name in flat[0]})
    columns, active = parameters(table), active_parameters(table)
    for row, (architecture, sizes) in enumerate(zip(TRANSFORMERS.values(), flat, strict=True)):
        assert {name: int(values[row]) for name, values in columns.items()} == count(architecture)
        assert active[row] == active_parameters(cast(Columns, SimpleNamespace(**sizes)))


def test_flat_names_are_the_same_for_all_and_all_are_numbers() -> None:
    flat = [flatten(a) for a in TRANSFORMERS.values()]
    assert len({tuple(f) for f in flat}) == 1
    assert all(isinstance(value, float) for f in flat for value in f.values())
    llama = flatten(TRANSFORMERS["llama-3.1-8b"])
    assert [llama[name] for name in ("num_experts", "q_lora_rank", "window_size", "norm_bias", "gated_ffn")] == [0, 0, 0, 0, 1]
    assert flatten(TRANSFORMERS["gpt-oss-20b"])["window_layers"] == 12
