"""A spatial pipeline by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model.columns import Columns
from planner.model.dataflow import design

NETWORK = Columns(macs=1e9, weights=1e6, layers=10.0, bits=8.0, length=1)
PART = Columns(dsp=1000.0, bram36=300.0, uram=0.0, clock=200e6, reuse=0.0, length=1)


def test_the_least_reuse_that_fits() -> None:
    """1,000 slices do 2,000 products of 8 bits a cycle: each serves 500 of a million weights; 1e9 / 2,000 products are 500,000
    cycles, 2.5 ms at 200 MHz: 400 samples a second, and ten layers in turn 25 ms. 300 blocks of 36 Kib hold 1.38 MB.
    """
    d = design(NETWORK, PART)
    assert (d.reuse[0], d.multipliers[0], d.dsp[0], d.cycles[0]) == (500, 2000, 1000, 500_000)
    assert d.interval[0] == pytest.approx(2.5e-3)
    assert d.latency[0] == pytest.approx(25e-3)
    assert d.room[0] == pytest.approx(1_382_400)
    assert d.fits[0]


def test_wide_weights_take_a_slice_each_and_more_memory() -> None:
    """16 bits: one product a slice and cycle, so half as fast; 2 MB do not fit 1.38."""
    d = design(NETWORK.with_(bits=16.0), PART)
    assert d.cycles[0] == 1_000_000
    assert not d.fits[0]


def test_too_little_reuse_needs_too_many_slices() -> None:
    assert design(NETWORK, PART.with_(reuse=100.0)).dsp[0] == 5000
    assert not design(NETWORK, PART.with_(reuse=100.0)).fits[0]


@given(st.floats(10, 1e5), st.floats(1e5, 1e8))
def test_a_larger_part_is_never_slower(dsp: float, weights: float) -> None:
    network = NETWORK.with_(weights=weights)
    small, large = (design(network, PART.with_(dsp=slices)) for slices in (dsp, 2 * dsp))
    assert large.interval[0] <= small.interval[0] * (1 + 1e-9)
