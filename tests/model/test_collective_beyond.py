"""An all-reduce of an inference engine inside a node and over several."""

import numpy as np
import pytest

from planner.model.operation import Op
from planner.model.ops import collective
from tests.model.rows import coefficients, machine


def reduce(ranks: float) -> float:
    """5 us of the engine's own inside a node of eight; 20 us of the library's beyond, and 10 us there and back a node."""
    made = machine(fits={"collective": {"hop": 10e-6}})
    fast, slow = coefficients("collective", a=5e-6), coefficients("collective", a=20e-6)
    made = type(made)(made.device, {**made.laws, "collective_all_reduce": fast, "collective_beyond": slow})
    shape = {"ranks": np.array([ranks]), "volume": np.zeros(1), "stride": np.ones(1)}
    op = Op("sum", "collective", "communication", np.ones(1), shape, np.zeros(1), variant="all_reduce")
    return float(collective.seconds(op, made)[0])


@pytest.mark.parametrize(("ranks", "seconds"), [(8.0, 5e-6), (16.0, 40e-6), (32.0, 80e-6)])
def test_beyond_a_node_the_library_sums(ranks: float, seconds: float) -> None:
    assert reduce(ranks) == pytest.approx(seconds)


def test_other_collectives_cross_the_network_once() -> None:
    """10 us for each further node, on top of what the same collective takes inside one."""
    shape = {"ranks": np.array([8.0, 16.0, 32.0]), "volume": np.zeros(3), "stride": np.ones(3)}
    op = Op("to the experts", "collective", "communication", np.ones(3), shape, np.zeros(3), variant="all_to_all")
    assert collective.seconds(op, machine(3, fits={"collective": {"hop": 10e-6}})).tolist() == pytest.approx([0.0, 10e-6, 30e-6])
