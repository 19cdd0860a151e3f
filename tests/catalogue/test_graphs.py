"""The zoo's graphs: parameters and FLOP as published, parts that make one whole, files that read back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from planner.catalogue.document import build, parse
from planner.catalogue.graph_file import text
from planner.catalogue.models import find_workload
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.schema.graph import total_flop
from planner.schema.workload import Workload

Refused = Callable[..., InputError]
PUBLISHED = {
    "resnet-50-graph": (25.56e6, 2 * 4.09e9),  # torchvision.models: num_params and GFLOPS (multiply-adds) of each weight's meta
    "mobilenetv2-graph": (3.50e6, 2 * 0.30e9),
    "mobilenetv3-large-graph": (5.48e6, 2 * 0.22e9),
    "efficientnet-b0-graph": (5.29e6, 2 * 0.39e9),
    "vit-base-16-graph": (86.57e6, 2 * 17.56e9),
    "convnext-tiny": (28.59e6, 2 * 4.46e9),
    "swin-tiny": (28.29e6, 2 * 4.49e9),
    "yolov8n-graph": (3.2e6, 8.7e9),  # ultralytics docs, models/yolov8: params and FLOPs at 640
    "yolov8s-graph": (11.2e6, 28.6e9),
    "yolov8m-graph": (25.9e6, 78.9e9),
    "retinanet": (37.1e6, 2 * 201.6e9),  # planner/data/workloads/mlperf-retinanet.yaml, counted layer by layer
    "unet": (31.0e6, None),  # arXiv:1505.04597 as implemented: 31.0 million
    "bert-base-graph": (109.48e6, None),
    "distilbert-base-graph": (66.36e6, None),
    "t5-base": (222.9e6, None),
    "whisper-large-v3": (1543e6, None),
    "sdxl-unet": (2.567e9, None),  # the SDXL paper (arXiv:2307.01952), table 1: 2.6 billion
    "dlrm-v2": (26.1e9, None),  # 204 million rows of 128
}


@pytest.fixture(scope="module")
def zoo() -> Profiles:
    return Profiles()


@pytest.mark.parametrize("id", PUBLISHED)
def test_a_graph_has_the_published_size(id: str, zoo: Profiles) -> None:
    graph = zoo.workload(id).graph
    assert graph is not None and not graph.unknown
    parameters, flop = PUBLISHED[id]
    assert graph.parameters.value == pytest.approx(parameters, rel=0.02)
    if flop:
        assert total_flop(graph.operations) == pytest.approx(flop, rel=0.03)


def test_every_graph_of_the_zoo_reads_back_as_it_was_written(zoo: Profiles) -> None:
    for id in zoo.ids("workload"):
        workload = zoo.workload(id)
        if workload.graph:
            again = build(parse(text(workload), id), Workload, id, id=workload.id)
            assert again.graph == workload.graph, id


def test_an_image_is_forty_passes_of_the_unet_and_one_of_the_decoder(zoo: Profiles) -> None:
    def work(id: str) -> float:
        graph = zoo.workload(id).graph
        assert graph is not None
        return total_flop(graph.operations)

    parts = 40 * work("sdxl-unet") + work("sdxl-vae-decoder") + 2 * work("sdxl-text-encoder") + 2 * work("sdxl-text-encoder-2")
    assert work("stable-diffusion-xl") == pytest.approx(parts)


def test_a_query_of_candidates_is_so_many_samples_side_by_side(zoo: Profiles) -> None:
    """270 pairs a query: as many rows of every product, and each lookup; the weights are there once."""
    pair, query = zoo.workload("dlrm-v2").graph, zoo.workload("mlperf-dlrm-v2-99").graph
    assert pair is not None and query is not None
    assert total_flop(query.operations) == pytest.approx(270 * total_flop(pair.operations))
    assert query.operations[0].shape["m"] == 270 and query.operations[0].count == 1
    assert query.operations[0].parameters == pair.operations[0].parameters


def test_cross_layers_stay_in_16_bits_for_the_last_of_the_accuracy(zoo: Profiles) -> None:
    for id, kept in (("mlperf-dlrm-v2-99", set()), ("mlperf-dlrm-v2-99.9", {"dlrm-v2: cross"})):
        graph = zoo.workload(id).graph
        assert graph is not None and {layer.name for layer in graph.operations if layer.half} == kept


HEAD = "name: Mine\nsources: {here: made up}\n"
LAYER = "{op: matmul, shape: {batch: 1, m: 2, n: 3, k: 4}, read: 8, written: 6, parameters: 12}"


def graph(*layers: str) -> str:
    lines = "".join(f"    - {layer}\n" for layer in layers)
    return f"{HEAD}graph:\n  parameters: {{value: 12, source: here}}\n  operations:\n{lines}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{HEAD}graph: {{parameters: {{value: 1, source: here}}, operations: []}}", "no operations"),
        (graph(LAYER, "{op: matmul, shape: {m: 2}}"), "operation 2 (matmul) has the shape m; it needs batch, m, n, k"),
        (graph("{op: matmul, shape: {batch: 1, m: 0, n: 3, k: 4}}"), "a size below 1"),
        (graph("{op: matmull, shape: {}}"), "'matmull' is not one of"),
        (graph("{op: pooling, shape: {elements: 4}, count: -1}"), "must be at least 0"),
        (graph("{op: pooling, shape: {elements: 4}, read: 2e15}"), "above 1e+15"),
        (graph("{op: elementwise, shape: {elements: 4}, fuse: 3}"), "unknown field 'fuse'"),
        (f"{HEAD}parts: {{resnet-50: 1}}", "the part 'resnet-50' is not a graph"),
        (f"{HEAD}parts: {{resnet-50-graph: 0}}", "runs 0 times"),
        (f"{HEAD}parts: {{resnet-50-graph: 1}}\nhalf: ['resnet-50-graph: x']", "no operation of its parts is called"),
        (f"{HEAD}parts: {{resnet-51: 1}}", "unknown workload 'resnet-51'"),
        (f"{HEAD}parts: {{resnet-50-graph: 1}}\nof: gpt2\n", "needs exactly one of"),
    ],
)
def test_a_wrong_graph_says_what_is_wrong(text: str, says: str, tmp_path: Path, refused: Refused, zoo: Profiles) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    assert says in refused(find_workload, "./mine.yaml", zoo, tmp_path).what
