"""The law of whole networks, its overlays and its chips without memory, each by hand."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model.columns import Columns
from planner.model.families import network
from planner.model.operation import Machine
from planner.model.passes import run
from planner.schema.workload import Sums
from tests.model.rows import machine

IDEAL: dict[str, object] = {
    "dense": 1.0, "pointwise": 1.0, "grouped": 1.0, "attention": 1.0, "depthwise": 0.1, "thin": 0.0, "moved": 1.0, "norm": 1.0,
    "batchnorm": 1.0, "rest": 1.0, "scores": 1.0, "weights": 1.0, "kernel": 0.0, "threads": 1.0, "shared": 1.0, "hold": 0.0,
    "multiplied": 1e6, "loose": 1e6, "odd": 1e6, "channelwise": 1e6, "gates": 1e6,
}  # fmt: skip
EMPTY = {f.name: 0.0 for f in fields(Sums)}
P = Columns(batch=8.0, weight=2.0, activation=2.0, length=1)


def graph(**sums: float) -> Columns:
    """One sample's sums; what is not named is nothing."""
    return Columns({**EMPTY, **sums}, length=1)


def ideal(device: dict[str, object] | None = None, **changed: object) -> Machine:
    """100 TFLOP/s and 1 TB/s that are reached, unless told."""
    return machine(fits={"network": {**IDEAL, **changed}}, **(device or {}))


def test_parts_add_up() -> None:
    """4 GMAC, 20 M elements moved, 25 M weights in 2 bytes, 50 kernels, batch 8, on 100 TFLOP/s and 1 TB/s.

    64 GFLOP take 0.64 ms, 320 MB 0.32 ms, 50 MB of weights 0.05 ms, and 50 starts of 10 us 0.5 ms.
    """
    ops = network.forward(graph(dense=4e9, moved=20e6, weights=25e6, kernels=50), P)
    found = run(ops, ideal(kernel=1e-5))
    assert found.parts["matmul"][0] == pytest.approx(0.64e-3)
    assert found.parts["elementwise"][0] == pytest.approx(0.32e-3)
    assert found.parts["weights"][0] == pytest.approx(0.05e-3)
    assert found.parts["overhead"][0] == pytest.approx(0.5e-3)
    assert found.seconds[0] == pytest.approx(1.51e-3)


@pytest.mark.parametrize(("sustained", "milliseconds"), [(0.5, 1.28), (1.0, 0.64), (1.3, 0.64)])
def test_whole_networks_lose_of_little_power_and_gain_nothing_of_more(sustained: float, milliseconds: float) -> None:
    ops = network.forward(graph(dense=4e9), P)
    assert run(ops, ideal({"sustained": sustained})).seconds[0] == pytest.approx(milliseconds * 1e-3)


def test_training_is_three_passes() -> None:
    ops = network.step(graph(dense=4e9, moved=20e6, kernels=50), P)
    assert sum(op.flop[0] for op in ops) == 3 * 64e9
    assert run(ops, ideal(kernel=1e-5)).seconds[0] == pytest.approx(3 * 1.46e-3)


def test_depthwise_runs_outside_the_matrix_units() -> None:
    """0.1 GMAC at batch 8, 1.6 GFLOP: at a tenth of 20 TFLOP/s vector rate 0.8 ms; of the matrix units where none is given."""
    ops = network.forward(graph(depthwise=0.1e9), P)
    assert run(ops, ideal({"vector": 20e12})).seconds[0] == pytest.approx(0.8e-3)
    assert run(ops, ideal()).seconds[0] == pytest.approx(0.16e-3)


def test_thin_products_take_longer() -> None:
    """1 GMAC that makes 32 channels out of 64 inputs: at 20 channels a product takes 1 + 20/32 + 20/64 times as long."""
    thin = 1e9 * (1 / 32 + 1 / 64)
    ops = network.forward(graph(dense=1e9, dense_thin=thin), P)
    assert run(ops, ideal(thin=20.0)).seconds[0] == pytest.approx(0.16e-3 * (1 + 20 / 32 + 20 / 64))


def test_loose_groups_and_odd_channels_cost_more() -> None:
    """1 GMAC over loose groups, 8 GMAC as padded, at a fifth of 100 TFLOP/s: 16 + 640 GFLOP at batch 8 take 0.16 + 6.4 ms; 10 M
    odd elements and as many of single channels in 2 bytes at half of 1 TB/s: 0.32 ms each on top of 0.16 for moving them.
    """
    loose = network.forward(graph(grouped=1e9, loose=8e9), P)
    assert run(loose, ideal(loose=0.2)).seconds[0] == pytest.approx(6.56e-3)
    moved = network.forward(graph(moved=10e6, odd=10e6, channelwise=10e6), P)
    assert run(moved, ideal(odd=0.5, channelwise=0.5)).seconds[0] == pytest.approx(0.8e-3)
    assert run(moved, ideal()).seconds[0] == pytest.approx(0.16e-3, rel=1e-4)


def test_overlay_cores_share_host_and_memory() -> None:
    """Three cores of 1 TFLOP/s: 2 GFLOP take 2 ms on one, 0.667 ms apart when three work; a host of 1.5 ms on two threads
    needs 0.75 ms a frame: a fourth power between them gives (0.667^4 + 0.75^4)^(1/4) = 0.847 ms. Alone, 2 + 1.5 ms.
    """
    ops = network.forward(graph(dense=1e9), P.with_(batch=1.0))
    board = ideal({"peak": 3e12, "overlay": 3.0}, t1=1.5e-3, threads=2.0)
    assert network.alone(ops, board).seconds[0] == pytest.approx(3.5e-3)
    assert network.stream(ops, board)[0] == pytest.approx(0.8467e-3, rel=1e-4)


def test_several_outputs_of_a_channel_by_itself_come_on_top() -> None:
    """16 GFLOP of 3 channels with 8 outputs each, padded to 85.3, at 5 and 3.125 % of 100 TFLOP/s."""
    ops = network.forward(graph(depthwise=1e9, multiplied=1e9 * 16 / 3), P)
    taken = run(ops, ideal(depthwise=0.05, multiplied=0.03125)).parts["depthwise"][0]
    assert taken == pytest.approx(3.2e-3 + 27.3067e-3, rel=1e-4)


def test_a_host_goes_over_what_comes_in_and_out_at_its_clock() -> None:
    """8 samples of 1 ms, 1000 values in of 1 us, 500 out of 2 us and 10 exponentials of 100 us each at 1.2 GHz: 32 ms, at
    1.6 GHz three quarters of that; a profile without the clock of its host leaves seconds as they are.
    """
    ops = network.forward(graph(inputs=1000.0, outputs=500.0, exponentials=10.0), P)
    costs = {"t1": 1e-3, "host_in": 1e-6, "host_out": 2e-6, "host_exp": 1e-4}
    for clock, seconds in ((1.2e9, 32e-3), (1.6e9, 24e-3), (np.nan, 32e-3)):
        assert run(ops, ideal({"host_clock": clock}, **costs)).parts["host"][0] == pytest.approx(seconds)


@pytest.mark.parametrize(("batch", "milliseconds"), [(1.0, 12.0), (6.0, 12.0), (7.0, 24.0), (12.0, 24.0)])
def test_an_overlay_of_several_frames_waits_for_all_of_them(batch: float, milliseconds: float) -> None:
    """Six frames of 2 GFLOP at 1 TFLOP/s take 12 ms, and so does one; weights are read once whatever their number."""
    ops = network.forward(graph(dense=1e9, weights=1e6), P.with_(batch=batch, weight=1.0))
    parts = run(ops, ideal({"peak": 1e12, "overlay": 1.0, "frames": 6.0})).parts
    assert parts["matmul"][0] == pytest.approx(milliseconds * 1e-3)
    assert parts["weights"][0] == pytest.approx(1e-6)


@pytest.mark.parametrize(("held", "streamed"), [(1.0, 0.0), (100.0, 0.5), (10_000.0, 1.0)])
def test_weights_that_a_chip_holds_are_not_loaded_again(held: float, streamed: float) -> None:
    """A chip of 1 TFLOP/s that holds 1e-10 B a FLOP/s, 100 bytes: with one byte it loads none, with a hundred half (the
    compiler may decide either way), with ten thousand all: a second each, whatever its link.
    """
    ops = network.forward(graph(weights=held), P.with_(weight=1.0))
    chip = ideal({"peak": 1e12, "bandwidth": 1e9}, hold=1e-10, hold_layers=1.0, hold_norm=1.0, load=1.0)
    assert run(ops, chip).parts["weights"][0] == pytest.approx(streamed * held, abs=1e-6 * held)


def test_a_memory_of_the_chips_own_makes_changes_of_parts_faster() -> None:
    """10,000 bytes and 5 products that never fit: 10,000 x 1 ns and 5 x 2 us over a link; four times as fast from 4 GB/s."""
    ops = network.forward(graph(weights=10_000.0, layers=5.0), P.with_(weight=1.0))
    costs = {"hold": 1e-14, "hold_layers": 1.0, "hold_norm": 1.0, "load": 1e-9, "switch": 2e-6}
    for dram, seconds in ((np.nan, 20e-6), (4e9, 5e-6)):
        taken = run(ops, ideal({"peak": 1e12, "dram": dram}, **costs)).parts["weights"][0]
        assert taken == pytest.approx(seconds)


def test_each_further_part_of_a_network_makes_its_work_longer() -> None:
    """Room for 100 bytes of weights: 50 are one part, 300 three, whose products and traffic take 1 + 0.5 x 2 times as long."""
    coefficients = {"hold": 1e-10, "hold_layers": 1.0, "hold_norm": 1.0, "turns": 0.5}

    def parts(held: float) -> dict[str, float]:
        ops = network.forward(graph(dense=1e9, depthwise=1e8, moved=1e7, weights=held), P.with_(weight=1.0))
        return {name: float(t[0]) for name, t in run(ops, ideal({"peak": 1e12, "bandwidth": 1e9}, **coefficients)).parts.items()}

    one, three = parts(50.0), parts(300.0)
    for name in ("matmul", "depthwise", "elementwise"):
        assert three[name] == pytest.approx(2 * one[name]) and one[name] > 0


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_faster_parts_never_make_a_pass_longer(peak: float, bandwidth: float) -> None:
    ops = network.forward(graph(dense=1e9, depthwise=1e8, moved=1e7, weights=1e7), P)
    slow = run(ops, ideal({"peak": peak * 1e12, "bandwidth": bandwidth * 1e12})).seconds[0]
    assert run(ops, ideal({"peak": 2 * peak * 1e12, "bandwidth": bandwidth * 1e12})).seconds[0] < slow
    assert run(ops, ideal({"peak": 2 * peak * 1e12, "bandwidth": 2 * bandwidth * 1e12})).seconds[0] == pytest.approx(slow / 2)


def test_each_row_is_timed_by_itself() -> None:
    two = Columns({**EMPTY, "dense": np.array([1e9, 4e9])}, length=2)
    both = run(
        network.forward(two, Columns(batch=8.0, weight=2.0, activation=2.0, length=2)), machine(2, fits={"network": IDEAL})
    )
    one = [run(network.forward(two.take([i]), P), ideal()).seconds[0] for i in (0, 1)]
    assert both.seconds == pytest.approx(one)
