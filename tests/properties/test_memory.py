"""What holds of memory on random models and layouts."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from planner.model import memory, training_memory
from planner.model.columns import Array, Columns
from planner.model.families.transformer import kv_bytes
from planner.search import estimate
from tests.properties.space import layouts, machines, models, requests

N = 3
# shrinking takes minutes and ends in columns that read no better: leave it out
FEW = settings(max_examples=25, derandomize=True, phases=(Phase.generate,))
Model = tuple[Columns, Columns]


def train(model: Model, p: Columns) -> Array:
    return np.sum(list(training_memory.training(model[1], model[0], p).values()), axis=0)


def serve(model: Model, w: Columns, tokens: Array) -> Array:
    return np.sum(list(memory.serving(model[1], kv_bytes(model[0], w, tokens), w, tokens).values()), axis=0)


@FEW
@given(models(N), layouts(N), st.sampled_from([2.0, 3.0, 8.0]))
def test_more_data_parallel_ranks_never_need_more_memory(model: Model, p: Columns, factor: float) -> None:
    assert np.all(train(model, p.with_(dp=p.dp * factor)) <= train(model, p) * (1 + 1e-12))


@FEW
@given(models(N), layouts(N))
def test_a_higher_zero_stage_never_holds_more_states(model: Model, p: Columns) -> None:
    held = [training_memory.training(model[1], model[0], p.with_(zero_stage=np.full(N, s))) for s in (0.0, 1.0, 2.0, 3.0)]
    states = [h["weights"] + h["gradients"] + h["optimizer"] for h in held]
    assert all(np.all(b <= a) for a, b in pairwise(states))


@pytest.mark.parametrize(("name", "sign"), [("sequence", 1), ("micro_batch", 1), ("tp", -1)])
@FEW
@given(model=models(N), p=layouts(N))
def test_longer_and_wider_micro_batches_need_more_and_tensor_ranks_less(name: str, sign: int, model: Model, p: Columns) -> None:
    assert np.all(sign * (train(model, p.with_(**{name: 2 * p[name]})) - train(model, p)) >= 0)


@FEW
@given(models(N), layouts(N))
def test_full_recomputation_keeps_less(model: Model, p: Columns) -> None:
    kept = [training_memory.activations(model[0], p.with_(recompute=np.full(N, r)))[0] for r in (0, 2)]
    assert np.all(kept[1] <= kept[0])


@FEW
@given(models(N), requests(N), st.floats(1, 1e6), st.floats(1, 10))
def test_more_tokens_never_need_less_memory(model: Model, w: Columns, tokens: float, factor: float) -> None:
    few, many = np.full(N, tokens), np.full(N, tokens * factor)
    assert np.all(serve(model, w, many) >= serve(model, w, few))


@FEW
@given(models(N), requests(N))
def test_tensor_ranks_never_hold_more_weights_or_cache(model: Model, w: Columns) -> None:
    tokens = np.full(N, 1e5)
    assert np.all(serve(model, w.with_(tp=2 * w.tp), tokens) <= serve(model, w, tokens))


@FEW
@given(models(N), requests(N), machines(N))
def test_as_many_requests_as_are_allowed_fit(model: Model, w: Columns, m: object) -> None:
    """With half their output in the cache, the requests a replica may hold and its weights are within the device."""
    most = estimate.most_requests(*model, w, m)  # type: ignore[arg-type]
    held = serve(model, w, most * (w.input_tokens + w.output_tokens / 2))
    assert np.all((held <= memory.usable(m.device.capacity) * (1 + 1e-9)) | (most == 0))  # type: ignore[attr-defined]
    assert np.all(most == np.floor(most)) and np.all(most >= 0)


@FEW
@given(models(N), requests(N), machines(N))
def test_more_capacity_never_holds_fewer_requests(model: Model, w: Columns, m: object) -> None:
    larger = type(m)(m.device.with_(capacity=2 * m.device.capacity), m.laws)  # type: ignore[attr-defined,call-arg]
    assert np.all(estimate.most_requests(*model, w, larger) >= estimate.most_requests(*model, w, m))  # type: ignore[arg-type]
