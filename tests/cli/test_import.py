"""``planner import``: one network from two formats gives one estimate, and every wrong input one message."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from planner.measure.importing import built

Refused = Callable[..., str]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ResNet-50 as ONNX, with a symbolic batch; weights beside it."""
    network = built("torchvision.models:resnet50", {})
    with torch.no_grad():
        network = network.to_empty(device="cpu")
        for p in (*network.parameters(), *network.buffers()):
            p.zero_()
    path = tmp_path_factory.mktemp("onnx") / "resnet50.onnx"
    sample = (torch.zeros(2, 3, 224, 224),)
    torch.onnx.export(network, sample, path, dynamo=True, dynamic_shapes=({0: "batch"},), verbose=False)
    return path


@pytest.mark.filterwarnings("default")  # what the exporter says of itself
def test_resnet_50_from_torch_and_from_onnx_is_the_same(exported: Path, planner: Callable[..., object], tmp_path: Path) -> None:
    """FLOP and parameters within 1 %, and the estimate within 2 % on a GPU and a CPU, in two batches, run and trained."""
    one, other = tmp_path / "torch.yaml", tmp_path / "onnx.yaml"
    assert planner("import", "torchvision.models:resnet50", "-o", one).status == 0
    assert planner("import", exported, "-o", other).status == 0
    files = [yaml.safe_load(f.read_text())["graph"]["parameters"]["value"] for f in (one, other)]
    assert files[0] == 25_557_032 and files[1] == pytest.approx(files[0], rel=0.01)
    for more in ((), ("--batch", 64), ("--precision", "fp32")):
        for device in ("nvidia-h100-sxm", "intel-core-i9-10940x"):
            took = [json.loads(planner("estimate", f, device, *more, "--format", "json").out)["figures"] for f in (one, other)]
            rates = [t["samples_per_s"]["value"] for t in took]
            assert rates[0] > 0 and rates[1] == pytest.approx(rates[0], rel=0.02)


def test_a_training_step_of_an_imported_network(planner: Callable[..., object], tmp_path: Path) -> None:
    """Several devices share a step: eight times the samples of one in little more time, and gradients cost something."""
    path = tmp_path / "r.yaml"
    planner("import", "torchvision.models:resnet18", "-o", path)
    rates = []
    for devices in (1, 8):
        run = planner("estimate", path, "nvidia-h100-sxm-x8", "--train", "--devices", devices, "--batch", 64, "--format", "json")
        assert run.status == 0
        found = json.loads(run.out)
        rates.append(found["figures"]["samples_per_s"]["value"])
        assert found["layout"]["global_batch"] == 64 * devices and set(found["memory"]) >= {"weights", "gradients", "optimizer"}
    assert 6 * rates[0] < rates[1] <= 8 * rates[0]


def test_what_is_imported_can_be_shown(planner: Callable[..., object], tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    layers = tmp_path / "layers.yaml"
    layers.write_text("name: Small\ninput: 3x8x8\nlayers: [{conv: {channels: 4}}, {pool: {}}, {linear: {width: 2}}]\n")
    run = planner("import", layers, "-o", path)
    assert run.status == 0 and "3 operations, 3 different ones; 118 parameters" in run.err and not run.out
    assert "convolution dense" in planner("workloads", "show", path).out
    assert yaml.safe_load(planner("import", layers).out) == yaml.safe_load(path.read_text())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("weights.pt",), "is a pickle (.pt)"),
        (("weights.bin",), "is a pickle (.bin)"),
        (("model.safetensors",), "holds weights only"),
        (("nothing",), "no kind of model"),
        (("none.onnx",), "cannot read the file"),
        (("none.pt2",), "is not an exported program"),
        (("none.json",), "cannot read the file"),
        (("none.yaml",), "cannot read the file"),
        (("torchvision.models:resnet18", "--input", "3x-1"), "not a whole number"),
        (("torchvision.models:resnet18", "--input", "1x1x1x1x1x1x1x1x1"), "has 9 axes"),
        (("torchvision.models:resnet18", "--set", "weights"), "is not NAME=VALUE"),
        (("a.onnx", "--dim", "n=0"), "not a whole number from 1"),
        (("x" * 5000,), "no kind of model"),
        (("a\0b.onnx",), "cannot read the file"),
    ],
)
def test_wrong_input_is_one_message(arguments: tuple[str, ...], says: str, refused: Refused) -> None:
    assert says in refused("import", *arguments)
