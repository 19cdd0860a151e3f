"""What holds of every time the model gives, on random machines, models and layouts."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from planner.model import serving, training
from planner.model.columns import Array, Columns
from planner.model.operation import Machine
from tests.properties.space import layouts, machines, models, requests

N = 3
# shrinking takes minutes and ends in columns that read no better: leave it out
FEW = settings(max_examples=25, derandomize=True, phases=(Phase.generate,))
DENSE = ("dense", "mla", "window")  # mixtures hide two exchanges behind the same work: see tests/model/test_training.py
RATES = ("peak", "bandwidth", "up_bandwidth", "out_bandwidth")
Model = tuple[Columns, Columns]


def doubled(machine: Machine, *names: str) -> Machine:
    """The machine with rates doubled; "peak" is that of every precision."""
    more = [*names, *(["peak_half"] if "peak" in names else [])]
    return replace(machine, device=machine.device.with_(**{name: 2 * machine.device[name] for name in more}))


def serve(model: Model, w: Columns, m: Machine) -> serving.Service:
    return serving.continuous(model[0], w, m)


def step(model: Model, p: Columns, m: Machine) -> Array:
    return training.step(model[0], p, model[1], m).seconds


def close(a: Array, b: Array) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-9)


@FEW
@given(models(N), requests(N), machines(N), st.sampled_from(RATES))
def test_a_faster_part_never_slows_serving(model: Model, w: Columns, m: Machine, name: str) -> None:
    one, two = serve(model, w, m), serve(model, w, doubled(m, name))
    for before, after in ((one.ttft, two.ttft), (one.tpot, two.tpot), (1 / one.output_rate, 1 / two.output_rate)):
        assert np.all(np.isfinite(before)) and np.all(before > 0) and np.all(after <= before * (1 + 1e-12))


@FEW
@given(models(N, DENSE), layouts(N), machines(N), st.sampled_from([*RATES, "up_size"]))
def test_a_faster_part_never_slows_training(model: Model, p: Columns, m: Machine, name: str) -> None:
    if name == "up_size":  # a mesh of more devices has thinner wires between any two: only a switch gets better
        m = replace(m, device=m.device.with_(up_peers=np.zeros(N)))
    before, after = step(model, p, m), step(model, p, doubled(m, name))
    assert np.all(np.isfinite(before)) and np.all(before > 0)
    # a shorter step hides less of an exchange, but never so much that the whole gets longer
    assert np.all(after <= before * (1 + 1e-12))


@FEW
@given(models(N), requests(N), layouts(N), machines(N, ideal=True))
def test_doubling_every_rate_halves_every_time(model: Model, w: Columns, p: Columns, m: Machine) -> None:
    fast = doubled(m, *RATES)
    close(serve(model, w, fast).tpot, serve(model, w, m).tpot / 2)
    close(serve(model, w, fast).ttft, serve(model, w, m).ttft / 2)
    close(step(model, p, fast), step(model, p, m) / 2)


@FEW
@given(models(N), requests(N), layouts(N), machines(N))
def test_one_rank_has_no_collective(model: Model, w: Columns, p: Columns, m: Machine) -> None:
    alone = serve(model, w.with_(tp=np.ones(N), expert_tp=np.ones(N)), m)
    assert not np.any(alone.decode.parts.get("communication", 0)) and not np.any(alone.prefill.parts.get("communication", 0))
    single = p.with_(tp=np.ones(N), dp=np.ones(N), pp=np.ones(N))
    assert not np.any(training.step(model[0], single, model[1], m).whole.parts["communication"])


@FEW
@given(models(N), requests(N), layouts(N), machines(N), st.permutations(range(N)))
def test_rows_do_not_touch_each_other(model: Model, w: Columns, p: Columns, m: Machine, order: list[int]) -> None:
    """Row i of N is what it is alone, and shuffling rows shuffles results."""
    whole = (serve(model, w, m).tpot, serve(model, w, m).ttft, step(model, p, m))
    for rows in [[i] for i in range(N)] + [order]:
        some = (model[0].take(rows), model[1].take(rows))
        machine = m.take(np.array(rows))
        found = serve(some, w.take(rows), machine)
        for all_, part in zip(whole, (found.tpot, found.ttft, step(some, p.take(rows), machine)), strict=True):
            close(part, all_[rows])


@FEW
@given(models(N), requests(N), layouts(N), machines(N))
def test_no_pass_exceeds_what_the_device_can(model: Model, w: Columns, p: Columns, m: Machine) -> None:
    """MFU and MBU at most 1 where efficiencies are."""
    service = serve(model, w, m)
    for one in (service.prefill, service.decode, training.step(model[0], p, model[1], m).whole):
        assert np.all(one.flop / one.seconds <= m.device.peak * (1 + 1e-9))
        assert np.all(one.moved / one.seconds <= m.device.bandwidth * (1 + 1e-9))


@FEW
@given(models(N), layouts(N), machines(N))
def test_devices_together_do_at_least_the_model_s_flop(model: Model, p: Columns, m: Machine) -> None:
    """MFU counts the model's FLOP, all of which some device executes."""
    found = training.step(model[0], p, model[1], m)
    assert np.all(found.model_flop <= found.whole.flop * p.tp * p.pp * p.dp * (1 + 1e-9))


GROWS: dict[str, Callable[[serving.Service], Array]] = {
    "input_tokens": lambda s: np.stack([s.ttft, s.decode.seconds]),
    "output_tokens": lambda s: s.decode.seconds,
    "batch": lambda s: s.decode.seconds,
}


@pytest.mark.parametrize("name", GROWS)
@FEW
@given(model=models(N), w=requests(N), m=machines(N), factor=st.sampled_from([1.5, 2.0, 7.0]))
def test_longer_contexts_and_larger_batches_never_take_less_time(
    name: str, model: Model, w: Columns, m: Machine, factor: float
) -> None:
    more = w.with_(**{name: np.ceil(w[name] * factor)})
    assert np.all(GROWS[name](serve(model, more, m)) >= GROWS[name](serve(model, w, m)) * (1 - 1e-9))


@pytest.mark.parametrize("name", ["sequence", "micro_batch", "num_micro"])
@FEW
@given(model=models(N, DENSE), p=layouts(N), m=machines(N))
def test_more_work_in_a_step_never_takes_less_time(name: str, model: Model, p: Columns, m: Machine) -> None:
    assert np.all(step(model, p.with_(**{name: 2 * p[name]}), m) >= step(model, p, m) * (1 - 1e-9))


@FEW
@given(models(N, DENSE), layouts(N), machines(N), st.sampled_from([0.0, 1.0]))
def test_recomputation_only_adds_time(model: Model, p: Columns, m: Machine, stage: float) -> None:
    none, full = (step(model, p.with_(recompute=np.full(N, r), zero_stage=np.full(N, stage)), m) for r in (0.0, 2.0))
    assert np.all(full >= none * (1 - 1e-9))


@FEW
@given(models(N), requests(N), machines(N))
def test_prompts_never_wait_less_under_more_load(model: Model, w: Columns, m: Machine) -> None:
    service = serve(model, w, m)
    light, heavy = (serving.arrivals(service, w.with_(load=np.full(N, load))).ttft for load in (0.2, 0.9))
    assert np.all(service.ttft <= light) and np.all(light <= heavy)
