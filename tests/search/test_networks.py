"""Graphs of operations as candidates and alone: what fits, what is shared, and who cannot be asked."""

from math import exp

import pytest

from planner.errors import InputError
from planner.schema.coefficients import Intervals
from planner.schema.goals import Infer
from planner.schema.graph import Graph, Layer
from planner.schema.hardware import Link, Memory
from planner.schema.inputs import Subject
from planner.schema.workload import Workload
from planner.search import networks
from planner.search.find import candidates
from planner.search.intervals import WIDEST
from planner.search.request import Request
from planner.search.single import Single, single
from tests.model.rows import inference, machine
from tests.search.records import SOURCES, VISION, device, figure, fleet, inputs, offer, provider, system

CONV = Layer("convolution", {"batch": 1, "places": 10_000, "cin": 128, "cout": 128, "taps": 9, "stride": 1, "groups": 1},
             variant="dense", read=1.28e6, written=1.28e6, parameters=147_456)  # fmt: skip
TABLE = Layer("gather", {"rows": 8, "width": 128, "table": 128 * 100e6}, read=8, written=1024, parameters=128 * 100e6)
ATTENTION = Layer("attention", {"batch": 1, "heads": 8, "query": 128, "context": 128, "dim": 64}, read=3e5, written=1e5)
GOAL = Infer(samples_per_second=5000.0)


def workload(*layers: Layer) -> Workload:
    total = sum(layer.parameters for layer in layers) or 1.0
    return Workload("net", "Net", SOURCES, graph=Graph(figure(total), layers, "x"))


def alone(of: Workload, *, chip: bool = False, joined: bool = True, **asked: object) -> Single:
    found = device(memory=(Memory("cache", "SRAM", figure(1e8)),), links=(Link("PCIe", figure(1e9)),)) if chip else device()
    subject = Subject(of, found, system(joined=joined), (), Intervals("made", {}))
    return single(Request(**{"mode": "infer", **asked}), subject, {}.get)  # type: ignore[arg-type]


def test_a_candidate_is_what_it_is_alone_and_its_interval_says_that_nothing_bounds_it() -> None:
    found = candidates(inputs(GOAL, workload=workload(CONV), precision=("bf16",)))
    best = next(c for c in found if c.device == "alder" and c.devices == 1)
    one = alone(workload(CONV), batch=int(best.layout["batch"]), precision="bf16").figures["samples_per_s"]
    assert best.throughput.value == pytest.approx(one.value * best.instances)
    assert best.throughput.high / best.throughput.value == pytest.approx(exp(WIDEST))


def test_the_host_spends_on_every_token_of_a_sample() -> None:
    """10 tokens of 3 samples at 50 us in a sequence are 1.5 ms on top of the operators, alone and in a stream."""
    row = Layer("gather", {"rows": 1, "width": 8, "table": 800}, count=10, written=8, parameters=800)
    one = Layer("attention", {"batch": 1, "heads": 2, "query": 1, "context": 5, "dim": 4}, count=10, variant="full")
    rows = inference().with_(batch=3.0)
    free, spent = (machine(fits={"engine": {"sequence": s}}) for s in (0.0, 50e-6))
    decoder = workload(row, one)
    assert (networks.alone(decoder, rows, spent).seconds - networks.alone(decoder, rows, free).seconds)[0] == pytest.approx(
        1.5e-3
    )
    assert (networks.stream(decoder, rows, spent) - networks.stream(decoder, rows, free))[0] == pytest.approx(1.5e-3)


def test_a_table_is_shared_by_the_devices_of_a_node_and_fits_none_alone() -> None:
    """25.6 GB in 16 bits on devices of 16 GB: not on one; an eighth of it on each of eight."""
    small = [device(memory=(Memory("main", "HBM", figure(16e9), figure(1e12)),))]
    shop = provider(offer("alder.1", "alder-x8", devices=1, on_demand=2.0), offer("alder.8", "alder-x8", on_demand=16.0))
    asked = inputs(GOAL, workload=workload(TABLE), precision=("bf16",), devices=small, systems=[system()], providers=(shop,))
    one, eight = sorted(candidates(asked), key=lambda c: c.label.endswith("8, on demand"))
    one, eight = next(c for c in (one, eight) if "alder.1" in c.label), next(c for c in (one, eight) if "alder.8" in c.label)
    assert one.rejected.startswith("does not fit") and "tables" in one.rejected
    assert eight.feasible and eight.memory["tables"] == pytest.approx(25.6e9 / 8) and eight.time["communication"] > 0


def test_what_cannot_be_said_is_said_and_never_a_number() -> None:
    """A table over links that nobody published; a chip without memory beside it; attention without 16 bits."""
    shop = provider(offer("alder.8", "alder-x8", on_demand=16.0))
    asked = inputs(GOAL, workload=workload(TABLE), systems=[system(joined=False)], devices=[device(links=())], providers=(shop,))
    (found,) = candidates(asked)
    assert "nothing is published about how the devices of 8 alder are joined" in found.rejected
    bare = [device(memory=(Memory("cache", "SRAM", figure(1e8)),))]
    (found,) = candidates(inputs(GOAL, workload=workload(CONV), systems=[system()], devices=bare, providers=(shop,)))
    assert "no memory beside its chip" in found.rejected
    with pytest.raises(InputError, match="no memory beside its chip"):
        alone(workload(CONV), chip=True)
    with pytest.raises(InputError, match="cannot be estimated"):
        subject = Subject(workload(ATTENTION), device(dtypes=("int8",)), system(), (), Intervals("made", {}))
        single(Request("infer"), subject, {}.get)


def test_training_shares_samples_and_sums_gradients() -> None:
    """Two devices: twice the samples in the same step, or a little longer where the sum does not hide."""
    one, two = (alone(workload(CONV), mode="train", batch=64, devices=n) for n in (1, 2))
    assert (
        two.layout["global_batch"] == 128 and 1.0 < two.figures["samples_per_s"].value / one.figures["samples_per_s"].value <= 2.0
    )
    assert one.memory["gradients"] == 147_456 * 2 and one.memory["optimizer"] == 147_456 * 12
    with pytest.raises(InputError, match="--tp 2 divides a language model"):
        alone(workload(CONV), mode="train", devices=2, tp=2)
    with pytest.raises(InputError, match="--global-batch 128 is for language models") as caught:
        alone(workload(CONV), mode="train", devices=2, global_batch=128)
    assert caught.value.hint == "Use --batch 64."


def test_a_summary_can_be_trained_too() -> None:
    found = alone(VISION, mode="train", batch=64)
    assert found.figures["samples_per_s"].value < alone(VISION, batch=64).figures["samples_per_s"].value / 2


def test_an_eager_engine_is_slower_and_more_samples_never_are() -> None:
    relu = Layer("elementwise", {"elements": 1.28e6}, variant="relu", read=1.28e6, written=1.28e6, fused=0.0)
    net = workload(CONV, relu)
    assert alone(net, eager=True).figures["latency_s"].value > alone(net).figures["latency_s"].value
    rates = [alone(net, batch=b).figures["samples_per_s"].value for b in (1, 4, 64)]
    assert rates == sorted(rates)


def test_the_fleet_doubled_in_speed_takes_half() -> None:
    slow, fast = (
        candidates(
            inputs(GOAL, workload=workload(CONV, ATTENTION), devices=fleet(s)[0], systems=fleet(s)[1], providers=(fleet(s)[2],))
        )
        for s in (1.0, 2.0)
    )
    by_name = {(c.offer, c.term): c for c in fast}
    for c in slow:
        twice = by_name[c.offer, c.term]
        if c.layout["batch"] == twice.layout["batch"] and c.precision == twice.precision and c.instances == twice.instances:
            assert twice.throughput.value == pytest.approx(2 * c.throughput.value)
