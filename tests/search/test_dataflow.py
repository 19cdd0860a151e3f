"""A spatial design of a network of the zoo on a part of the catalogue."""

import pytest

from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.search.dataflow import spatial

CATALOGUE = Profiles()


def design(network: str, part: str):  # type: ignore[no-untyped-def]
    return spatial(CATALOGUE.workload(network), CATALOGUE.device(part), 8, 200e6, 0)


def test_a_large_part_holds_a_small_network() -> None:
    """ResNet-18 has 11.7 million weights: the 11,520 slices of a U250 do 23,040 products a cycle, so each serves 508."""
    found = design("resnet-18", "xilinx-alveo-u250")
    assert found.fits
    assert found.reuse == 508
    assert found.why == ""


def test_a_small_part_says_what_is_missing() -> None:
    found = design("resnet-50", "xilinx-pynq-z2")
    assert not found.fits
    assert "memory for weights" in found.why


@pytest.mark.parametrize(("network", "part"), [("llama-3.1-8b", "xilinx-alveo-u250"), ("resnet-18", "nvidia-l4")])
def test_what_cannot_be_asked_is_refused(network: str, part: str) -> None:
    with pytest.raises(InputError):
        design(network, part)
