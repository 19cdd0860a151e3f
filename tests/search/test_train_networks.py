"""Networks in training: what a plan says of them, what their devices share, and what a step waits for."""

from dataclasses import replace

import pytest

from planner.errors import InputError
from planner.schema.goals import Reliability, Train
from planner.schema.graph import Graph, Layer
from planner.schema.inputs import Inputs
from planner.schema.workload import Workload
from planner.search.candidate import Candidate
from planner.search.find import candidates
from planner.search.request import Request
from planner.search.single import single
from tests.search.records import LANGUAGE, SOURCES, TRAIN, VISION, device, figure, inputs, offer, provider, subject, system

DENSE = Layer("matmul", {"batch": 1, "m": 1, "n": 1024, "k": 1024}, read=1024, written=1024, parameters=1024 * 1024, count=8)
TABLE = Layer("gather", {"rows": 8, "width": 128, "table": 128 * 100e6}, read=8, written=128, parameters=128 * 100e6)
SMALL = Layer("gather", {"rows": 1, "width": 128, "table": 128 * 1e3}, read=1, written=128, parameters=128 * 1e3)
RECOMMENDER = Workload(
    "ranker", "Ranker", SOURCES, graph=Graph(figure(8 * 1024**2 + 128 * 100e6 + 128e3), (DENSE, TABLE, SMALL), "x")
)
GOAL = Train(global_batch=65536.0, samples=1e12)
NEVER = Reliability(device_mtbf=1e18)
SHOP = provider(offer("alder.1", "alder-x8", devices=1, on_demand=2.0), offer("alder.8", "alder-x8", on_demand=16.0))


def asked(goal: Train = GOAL, workload: Workload = RECOMMENDER, **hardware: int) -> Inputs:
    return inputs(
        goal, workload=workload, precision=("bf16",), devices=[device()], systems=[system()], providers=(SHOP,),
        hardware={"max_devices": 8, **hardware},
    )  # fmt: skip


def of(label: str, found: list[Candidate]) -> Candidate:
    return next(c for c in found if label in c.label)


def test_a_plan_and_a_single_step_agree() -> None:
    whole = of("alder.8", candidates(asked(replace(GOAL, reliability=NEVER))))
    request = Request(mode="train", devices=8, batch=65536 // 8, precision="bf16")
    step = single(request, replace(subject("train"), workload=RECOMMENDER), {}.get)
    assert whole.throughput.value == pytest.approx(step.figures["samples_per_s"].value)
    assert whole.latency["duration"].value == pytest.approx(1e12 / step.figures["samples_per_s"].value)
    assert whole.layout == {"dp": 8, "batch": 8192}


def test_all_tables_of_a_recommender_are_shared_with_a_number_a_row_beside_them() -> None:
    """(100 million + 1,000) rows of 128 in 16 bits and row-wise Adagrad's 4 bytes for 16 elements, an eighth on each."""
    found = candidates(asked())
    tables = (100e6 + 1e3) * 128 * (2 + 0.25)
    assert of("alder.8", found).memory["tables"] == pytest.approx(tables / 8)
    assert of("alder.8", found).memory["gradients"] == pytest.approx(8 * 1024**2 * 2)
    # the rows that a sample looks up, in each of the two tables, come from seven of eight devices: forward and backward
    assert of("alder.8", found).time["communication"] > 0
    assert "communication" not in {k for k, v in of("alder.1", found).time.items() if v > 0}


def test_small_tables_alone_are_on_every_device() -> None:
    tagger = Workload("tagger", "Tagger", SOURCES, graph=Graph(figure(8 * 1024**2 + 128e3), (DENSE, SMALL), "x"))
    memory = of("alder.8", candidates(asked(workload=tagger))).memory
    assert "tables" not in memory and memory["weights"] == pytest.approx((8 * 1024**2 + 128e3) * 2)


def test_a_step_waits_for_samples_that_are_read_more_slowly() -> None:
    """1 MB a sample at 1 GB/s a node: a thousand samples a second, however fast the devices are."""
    slow = of("alder.8", candidates(asked(replace(GOAL, sample_size=1e6, loading=1e9, reliability=NEVER))))
    assert slow.throughput.value == pytest.approx(1000.0)
    assert slow.time["data loading"] > 0.9 * sum(slow.time.values()) and slow.bottleneck == "data loading"
    fast = of("alder.8", candidates(asked(replace(GOAL, sample_size=1.0, loading=1e12))))
    assert "data loading" not in fast.time


def test_a_batch_that_does_not_fit_at_once_is_summed_over_passes() -> None:
    wide = replace(DENSE, written=40e6)  # 80 MB a sample in 16 bits
    one = of("alder.8", candidates(asked(workload=replace(RECOMMENDER, graph=Graph(figure(8 * 1024**2), (wide,), "x")))))
    assert one.feasible and one.layout["micro_steps"] > 1
    assert int(one.layout["batch"]) * int(one.layout["micro_steps"]) * 8 == 65536


def test_parts_of_a_node_are_not_taken_for_a_node() -> None:
    """Eight instances of one device each have no scale-up link among them, and what joins them is not published."""
    found = candidates(asked(max_devices=64))
    assert of("alder.1", found).devices == 1
    assert of("alder.8", found).devices in (8, 16, 32, 64)


def test_a_network_known_by_its_summary_is_trained_too() -> None:
    assert of("alder.8", candidates(asked(workload=VISION))).throughput.value > 0


@pytest.mark.parametrize(
    ("goal", "workload", "says"),
    [
        (GOAL, LANGUAGE, "is a language model, so that 'train:' needs tokens"),
        (Train(64.0), LANGUAGE, "is a language model, so that 'train:' needs tokens"),
        (TRAIN, VISION, "'tiny-cnn' is not a language model, so that 'train:' needs samples"),
        (Train(64.0), RECOMMENDER, "needs samples"),
        (replace(GOAL, sample_size=100.0), RECOMMENDER, "give both or neither"),
        (replace(GOAL, lora_rank=8), RECOMMENDER, "train.lora_rank is for language models"),
        (replace(GOAL, recompute=("full",)), RECOMMENDER, "train.recompute is for language models"),
    ],
)
def test_a_plan_that_asks_a_model_for_another_kinds_training(goal: Train, workload: Workload, says: str) -> None:
    with pytest.raises(InputError, match=says):
        candidates(asked(goal, workload))
