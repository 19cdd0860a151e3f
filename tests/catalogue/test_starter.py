"""A profile of a machine nobody knows, made of what was measured on it; and whether the catalogue knows it after all."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from planner.catalogue.check import check
from planner.catalogue.profiles import Profiles
from planner.catalogue.starter import known, slug, starter, write_to
from planner.errors import InputError
from planner.schema.measurement import Cell, Found, Operation, Record
from tests.measure.records import cell, operation, record

Refused = Callable[..., InputError]
FACTS: dict[str, str | float] = {"memory_total_bytes": 8e9, "cores_usable": 2.0, "flags": "avx avx2 fma"}
MACHINE = Found("cpu", "Acme Chip 9 CPU @ 3.00GHz", FACTS, {"torch": "2.13.0"})


def product(size: float, seconds: float, dtype: str = "fp32", **more: object) -> Cell:
    return cell(operation("matmul", "mm nt", dtype, flop=2 * size**3), seconds, **more)


def memory(kind: str, size: float, seconds: float) -> Cell:
    return cell(Operation("memory", kind, "fp32", {"bytes": size}, 0.0, size, 0.0), seconds)


MINE = record(
    product(1000, 0.02),  # 100 GFLOP/s
    product(100, 1e-4),  # slower
    product(1000, 0.01, "bf16"),
    product(1000, 0.001, cache="cold"),
    memory("triad", 3e5, 1e-6),  # in a cache: 300 GB/s
    memory("triad", 3e8, 0.02),  # 15 GB/s
    memory("sum", 3e8, 0.001),
    device=MACHINE,
)
GPU = Found("cuda", "NVIDIA H200", {"memory_bytes": 141e9, "compute_units": 132.0, "capability": "9.0"}, {"torch": "2.13.0"})


def on(device: Found) -> Record:
    return replace(MINE, device=device)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the starter profile of our machine in it."""
    path, text = write_to(MINE, tmp_path / "mine")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return tmp_path / "mine"


def test_every_figure_was_measured_or_found(folder: Path) -> None:
    device = Profiles([folder]).device("acme-chip-9")
    assert (device.name, device.vendor, device.kind, device.family) == (MACHINE.name, "Acme", "cpu", "x86-avx2")
    assert {dtype: f.value for dtype, f in device.peak.items()} == {"fp32": 1e11, "bf16": 2e11}
    main = device.level("main")
    assert main and main.capacity and main.bandwidth
    assert (main.capacity.value, main.bandwidth.value) == (8e9, 1.5e10)
    assert "measured" in main.bandwidth.note and "measured" in device.peak["fp32"].note
    assert MINE.id in device.sources["bench"] and "torch 2.13.0" in device.sources["bench"]


def test_the_catalogue_takes_it_and_then_knows_the_machine(folder: Path) -> None:
    assert check(Profiles([folder])).problems == []
    assert known(MINE, Profiles()) == ""
    assert known(MINE, Profiles([folder])) == "acme-chip-9"


@pytest.mark.parametrize(
    ("name", "memory_bytes", "id"),
    [
        ("NVIDIA H200", 141e9, "nvidia-h200-sxm"),
        ("NVIDIA A100-SXM4-80GB", 85e9, "nvidia-a100-sxm-80gb"),
        ("NVIDIA A100-PCIE-40GB", 42.4e9, "nvidia-a100-pcie-40gb"),
        ("NVIDIA A100 80GB PCIe", 85e9, "nvidia-a100-pcie-80gb"),
        ("NVIDIA H100 80GB HBM3", 85e9, "nvidia-h100-sxm"),
        ("NVIDIA H100 PCIe", 85e9, "nvidia-h100-pcie"),
        ("NVIDIA H100 NVL", 100e9, "nvidia-h100-nvl"),
        ("NVIDIA Nothing 9000", 80e9, ""),
        ("NVIDIA H200", 10e9, ""),  # a slice of one is another device
    ],
)
def test_a_device_of_the_catalogue_by_the_name_it_gives_itself(name: str, memory_bytes: float, id: str) -> None:
    found = replace(GPU, name=name, hardware={**GPU.hardware, "memory_bytes": memory_bytes})
    assert known(on(found), Profiles()) == id


def test_a_starter_of_an_accelerator() -> None:
    kind, text = starter(on(replace(GPU, name="NVIDIA Nothing 9000")))
    assert kind == "gpu" and "family: nvidia-hopper" in text and "141 GB" in text and "vendor: NVIDIA" in text


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", "intel-xeon-platinum-8481c"),
        ("../../etc/passwd", "etc-passwd"),
        ("  ", "my-machine"),
        ("x" * 500, "x" * 80),
    ],
)
def test_a_name_as_an_id(name: str, id: str) -> None:
    assert slug(name) == id


def test_a_name_that_would_be_yaml_is_text() -> None:
    _, text = starter(on(replace(MACHINE, name="a: {b: !!python/object:os.system 'x'}\nkind: gpu # ")))
    assert "kind: cpu\n" in text and "\nkind: gpu" not in text


def test_nothing_to_make_a_profile_of(refused: Refused) -> None:
    error = refused(starter, record(cell(operation("overhead"), 1e-6)))
    assert "no matmul and no memory cells" in error.what and "--suite matmul" in error.hint
