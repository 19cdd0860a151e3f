"""Shapes of other sizes: near the size asked for, in the proportions of the known model."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model.columns import Columns
from planner.model.families.transformer_shape import like
from planner.model.families.transformer_size import flatten, parameters
from planner.schema.workload import Architecture, Moe, Window

LLAMA_8B = Architecture(
    hidden_size=4096, num_layers=32, num_heads=32, num_kv_heads=8, head_dim=128, ffn_size=14336, vocab_size=128256,
    max_context=131072,
)  # fmt: skip


def size(a: Architecture) -> float:
    return float(parameters(Columns(flatten(a), length=1))["total"][0])


def test_its_own_size_is_itself() -> None:
    assert like(LLAMA_8B, size(LLAMA_8B)) == LLAMA_8B


def test_llama_s_own_larger_sister() -> None:
    """70.6e9 parameters in the proportions of the 8B: 8,192 wide within a step, and a fifth from 80 layers at most."""
    shape = like(LLAMA_8B, 70.6e9)
    assert abs(shape.hidden_size - 8192) <= 1024 and 64 <= shape.num_layers <= 96
    assert (shape.num_kv_heads, shape.head_dim, shape.vocab_size) == (8, 128, 128256)


@given(st.floats(2e9, 4e11))
def test_near_the_size_and_in_proportion(target: float) -> None:
    shape = like(LLAMA_8B, target)
    assert size(shape) == pytest.approx(target, rel=0.2)
    assert 0.4 < shape.hidden_size / shape.num_layers / (4096 / 32) < 2.5
    assert shape.num_heads % 8 == 0 and shape.num_layers % 4 == 0 and shape.hidden_size == shape.num_heads * 128
    assert shape.ffn_size / shape.hidden_size == pytest.approx(3.5, rel=0.02)


def test_every_head_of_a_model_without_groups_keeps_its_own_keys() -> None:
    shape = like(replace(LLAMA_8B, num_kv_heads=32), 3e9)
    assert shape.num_kv_heads == shape.num_heads


def test_windowed_layers_keep_their_share() -> None:
    shape = like(replace(LLAMA_8B, window=Window(4096, 16)), 40e9)
    assert shape.window and shape.window.layers == shape.num_layers // 2


def test_a_mixture_has_no_shape_by_its_size() -> None:
    with pytest.raises(ValueError, match="mixture"):
        like(replace(LLAMA_8B, moe=Moe(8, 2, 14336)), 3e9)
