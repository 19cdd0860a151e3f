"""Networks by name: their own graph, an alias's, a relative's."""

import csv
import re

import pytest

from planner.catalogue.networks import FOLDER, NetworkTable, area
from planner.schema.quantity import Figure
from planner.schema.workload import Network

TABLE = NetworkTable()


def summary(parameters: float, macs: float, like: str = "") -> Network:
    """A network that only its size is known of."""
    return Network(Figure(parameters, "test"), Figure(macs, "test"), like=like)


def graph_of(name: str, image: str, network: Network):  # type: ignore[no-untyped-def]
    found = TABLE.described(name, image, network).sums
    assert found is not None
    return found


@pytest.mark.parametrize(("text", "places"), [("224", 50176), ("512x1024", 524288), ("640x640x3", 409600), ("", 0)])
def test_places_of_an_image(text: str, places: float) -> None:
    assert area(text) == places


def test_resnet50_by_hand() -> None:
    """Its 53 convolutions and one matrix product at 224 x 224: 4.09 G multiply-accumulates, none of them depthwise."""
    g = graph_of("timm/resnet50", "224", summary(25.56e6, 4.11e9))
    assert g.layers == 54
    assert g.macs == pytest.approx(4.089e9, rel=1e-3)
    assert g.depthwise == 0
    assert g.inputs == 3 * 224 * 224


def test_another_size_scales_what_is_done_to_places() -> None:
    small, large = (graph_of("timm/resnet50", size, summary(25.56e6, 4e9)) for size in ("224", "448"))
    assert large.dense == pytest.approx(4 * small.dense, rel=0.02)
    assert (large.weights, large.kernels) == (small.weights, small.kernels)


def test_an_alias_is_the_network_itself() -> None:
    own = graph_of("timm/resnet50", "224", summary(25.56e6, 4.11e9))
    assert graph_of("hailo/resnet_v1_50", "224x224x3", summary(25.53e6, 3.49e9)) == own
    assert graph_of("resnet-fifty", "224", summary(25.5e6, 4e9, like="timm/resnet50")) == own


def test_a_relative_is_widened_to_the_networks_work() -> None:
    g = graph_of("hailo/arcface_r50", "112x112x3", summary(31e6, 6.3e9))
    assert g.macs == pytest.approx(6.3e9)
    assert g.depthwise == 0


def test_a_name_that_belongs_to_another_network_is_not_believed() -> None:
    """A ResNet-50 of 100 million parameters is no ResNet-50: it gets what its work and parameters say."""
    g = graph_of("timm/resnet50", "224", summary(100e6, 20e9))
    assert g.macs == pytest.approx(20e9)


def test_an_unknown_name_gets_the_graph_of_the_nearest_work() -> None:
    assert graph_of("somebody/else_at_all", "", summary(10e6, 2e9)).macs == pytest.approx(2e9)


def test_aliases_name_networks_that_were_counted() -> None:
    with (FOLDER / "aliases.csv").open() as file:
        for row in csv.DictReader(file):
            re.compile(row["pattern"])
            assert row["exact"] in ("yes", "no")
            if "\\" not in row["workload"]:
                assert row["workload"] in TABLE.graphs, row


def test_zoo_entries_name_networks_that_were_counted() -> None:
    for path in (FOLDER.parent / "workloads").glob("*.yaml"):
        like = re.search(r"^  like: (\S+)", path.read_text(), re.MULTILINE)
        assert like is None or like[1] in TABLE.graphs, path


def test_results_are_by_task() -> None:
    """19 classes of Cityscapes and a colour map at each of 256 x 512 places; a detector of COCO with three objectnesses of
    three maps has less, and SuperPoint an exponential a place."""
    g = graph_of("vitis/pt_SemanticFPN_cityscapes_256_512_10G", "256x512", summary(0, 5e9))
    assert g.outputs == 23 * 256 * 512
    assert g.exponentials == 0
    assert graph_of("vitis/tf_yolov4_coco_416_416_60.3G", "416x416", summary(0, 30e9)).outputs < 0.1 * 416 * 416
    assert graph_of("vitis/tf_superpoint_mixed_480_640_52.4G", "480x640", summary(0, 26e9)).exponentials > 480 * 640


def test_results_of_a_run_do_not_ask_for_an_image() -> None:
    """140 scores at each of 200 x 200 places of a map seen from above, whose images have no size, and points into voxels."""
    for image in ("", "64x64"):
        found = graph_of("vitis/pt_pointpillars_nuscenes_40000_64_108G", image, summary(0, 54e9)).outputs
        assert found > 140 * 200 * 200


def test_results_say_where_they_were_looked_up() -> None:
    with (FOLDER / "results.csv").open() as file:
        for row in csv.DictReader(file):
            assert row["per"] in ("place", "run"), row
            assert row["source"] and row["what"], row


def test_what_libraries_have_no_kernels_for() -> None:
    """ResNeXt's groups of 4 to 32 channels are packed, RegNetX's of 56 are not; RexNet's channels are odd, ResNet's are not."""
    packed = graph_of("timm/resnext50_32x4d", "224", summary(25.03e6, 4.26e9))
    loose = graph_of("timm/regnetx_064", "224", summary(26.21e6, 6.49e9))
    assert packed.loose == 0
    assert loose.loose > loose.grouped
    odd = graph_of("timm/rexnet_100", "224", summary(4.8e6, 0.41e9))
    even = graph_of("timm/resnet50", "224", summary(25.56e6, 4.11e9))
    assert odd.odd > 0.3 * odd.moved
    assert even.odd == 0
    assert 0 < odd.channelwise < odd.moved
    assert 0 < odd.gates < odd.rest
