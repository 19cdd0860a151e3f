"""Torch modules as graphs: FLOP and parameters are torch's own count, nothing is computed, no pickle is opened."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from planner.errors import InputError
from planner.measure import exported
from planner.measure.importing import built, fake, filled, from_name, graph
from planner.model.fusion import workload
from planner.schema.graph import Found, Graph, total_flop

HERE = f"{__name__}"
IMAGE = [(3, 224, 224)]


class Shared(nn.Module):
    """One product with weights, used twice, and a table of positions that no sample changes."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.table, self.positions, self.layer = nn.Embedding(50, width), nn.Embedding(8, width), nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.table(tokens) + self.positions(torch.arange(8))
        return self.layer(self.layer(x))


class Recurrent(nn.Module):
    """An LSTM over a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(12, 20, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(x)[0]


class Upward(nn.Module):
    """A convolution down and a transposed one up."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 8, 3, 2, 1, groups=1), nn.ConvTranspose2d(8, 4, 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(torch.relu(self.down(x)))


@contextmanager
def plain_attention() -> Iterator[None]:
    """Attention as two products: torch's counter does not know its kernel for CPUs, nor the layers it keeps whole."""
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def counted(name: str, sizes: list[tuple[int, ...]], **settings: object) -> tuple[float, float]:
    """FLOP and parameters by torch's counter."""
    network = built(name, settings)
    with fake():
        filled(network)
        with FlopCounterMode(display=False) as counter, plain_attention(), torch.no_grad():
            network(*(torch.randn(1, *size) for size in sizes))
    return counter.get_total_flops(), sum(p.numel() for p in network.parameters())


def made(found: Found) -> Graph:
    graph_ = workload(found).graph
    assert graph_ is not None
    return graph_


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "mobilenet_v2",
        "mobilenet_v3_large",
        "efficientnet_b0",
        "vit_b_16",
        "convnext_tiny",
        "swin_t",
        "shufflenet_v2_x1_0",
    ],
)
def test_flop_and_parameters_are_those_of_torchs_counter(name: str) -> None:
    found = made(from_name(f"torchvision.models:{name}", IMAGE, {}))
    flop, parameters = counted(f"torchvision.models:{name}", IMAGE)
    assert total_flop(found.operations) == pytest.approx(flop, rel=0.01)
    assert found.parameters.value == parameters
    assert sum(o.count * o.parameters for o in found.operations) == pytest.approx(parameters, rel=0.02)  # and statistics of norms
    assert not found.unknown


def test_a_transposed_convolution_by_hand() -> None:
    """8x8 places in, each times 3 x 8 x 9 down to 4x4; up: 16 places x 8 in x 4 out x 4 taps, two FLOP each."""
    found = made(from_name(f"{HERE}:Upward", [(3, 8, 8)], {}))
    down, up = (o for o in found.operations if o.op == "convolution")
    assert (down.shape["places"], up.shape["places"], up.shape["cin"], up.shape["cout"], up.shape["taps"]) == (16, 16, 8, 4, 4)
    assert total_flop(found.operations) == 2 * 16 * 8 * 3 * 9 + 2 * 16 * 8 * 4 * 4 == counted(f"{HERE}:Upward", [(3, 8, 8)])[0]


def test_what_no_sample_changes_is_no_work() -> None:
    """Positions are looked up once and for all; weights used twice count once; rows of a table are gathered."""
    found = made(from_name(f"{HERE}:Shared", [(8,)], {"width": 16}))
    gather, add, product = found.operations
    assert (gather.op, gather.shape) == ("gather", {"rows": 8, "width": 16, "table": 800}) and gather.written == 128
    assert (add.op, add.read, add.parameters) == ("elementwise", 128, 128)
    assert (product.op, product.count, product.shape) == ("matmul", 2, {"batch": 1, "m": 8, "n": 16, "k": 16})
    assert found.parameters.value == 50 * 16 + 8 * 16 + 16 * 17


def test_a_recurrent_network_runs_step_by_step() -> None:
    """The inputs of all 5 steps at once: 5 x 12 to 4 x 20 gates; then 20 states a step, but for the first, whose are zero."""
    found = made(from_name(f"{HERE}:Recurrent", [(5, 12)], {}))
    assert total_flop(found.operations) == 2 * 80 * (5 * 12 + 4 * 20)


def test_nothing_is_computed_and_no_weight_exists() -> None:
    network = built("torchvision.models:resnet18", {})
    assert all(p.device.type == "meta" for p in network.parameters())
    found = from_name("torch.nn:Linear", [(300_000,)], {"in_features": 300_000, "out_features": 300_000})  # 360 GB
    assert total_flop(made(found).operations) == 2 * 300_000**2


@pytest.mark.parametrize(
    ("name", "sizes", "settings", "says"),
    [
        ("torchvision.models:resne18", IMAGE, {}, "unknown name 'resne18'"),
        ("torchvision.models:resnet18", [(1, 4, 4)], {}, "cannot run on 1x4x4"),
        ("torchvision.models:resnet18", IMAGE, {"depth": 3}, "cannot be built: TypeError"),
        ("no_such_library:thing", IMAGE, {}, "cannot be imported"),
        ("torch:float32", IMAGE, {}, "is not a class or function"),
        ("torch:Size", IMAGE, {}, "not a torch.nn.Module"),
    ],
)
def test_what_cannot_be_imported_says_why(
    name: str, sizes: list[tuple[int, ...]], settings: dict[str, object], says: str
) -> None:
    with pytest.raises(InputError, match=says.replace("(", r"\(")):
        from_name(name, sizes, settings)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("pt2") / "upward.pt2"
    batch, side = torch.export.Dim("batch"), 2 * torch.export.Dim("half", min=4)
    saved = torch.export.export(Upward().eval(), (torch.randn(2, 3, 16, 8),), dynamic_shapes=({0: batch, 2: side},))
    torch.export.save(saved, path)
    return path


def test_an_exported_program_is_its_module(tmp_path: Path) -> None:
    network = Upward().eval()
    path = tmp_path / "upward.pt2"
    program = torch.export.export(network, (torch.randn(2, 3, 8, 8),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, path)
    with fake():
        filled(network)
        expected = graph(network, (torch.randn(1, 3, 8, 8),), "upward", "")
    assert made(exported.read(path, {})).operations == made(expected).operations


def test_weights_of_a_program_are_never_opened(tmp_path: Path) -> None:
    """Every file of the archive but its graph replaced by rubbish: it reads the same."""
    path, bare = tmp_path / "a.pt2", tmp_path / "b.pt2"
    torch.export.save(torch.export.export(Upward().eval(), (torch.randn(1, 3, 8, 8),)), path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) if "/models/" in name else b"\x80\x04cos\nsystem\n")
    assert made(exported.read(bare, {})).operations == made(exported.read(path, {})).operations


def test_a_size_that_is_not_fixed_must_be_given(program: Path) -> None:
    with pytest.raises(InputError, match="not fixed") as caught:
        exported.read(program, {})
    name = str(caught.value).partition("--dim '")[2].partition("=")[0]
    assert name
    with pytest.raises(InputError, match="has no symbolic size 'length'"):
        exported.read(program, {"length": 3, name: 8})


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"not a zip" * 99])
def test_a_broken_program_is_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.pt2"
    path.write_bytes(raw)
    with pytest.raises(InputError, match="is not an exported program"):
        exported.read(path, {})


def test_a_program_cut_off_anywhere_is_refused(program: Path, tmp_path: Path) -> None:
    raw = program.read_bytes()
    for part in range(1, 12):
        path = tmp_path / "x.pt2"
        path.write_bytes(raw[: len(raw) * part // 12])
        with pytest.raises(InputError):
            exported.read(path, {})
