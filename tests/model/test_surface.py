"""The factor on a law's time: worked by hand, and row by row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model.columns import Columns
from planner.model.operation import Machine
from planner.model.ops import axes, laws
from planner.model.surface import Surfaces, factor, knots, table

GRID = {"m": (1, 16, 256), "n": (64, 4096)}
# ln(factor) by m (rows) and n (columns)
SLOPE = (0, 600, 100, 700, 300, 900)


def at(m: float, n: float, values: tuple[int, ...] = SLOPE) -> float:
    one = Surfaces(table(GRID, values)[None], np.zeros(1, int))
    return float(factor(GRID, {"m": np.array([m]), "n": np.array([n])}, one)[0])


@pytest.mark.parametrize(
    ("m", "n", "log"),
    [(1, 64, 0.0), (16, 4096, 0.7), (256, 64, 0.3), (4, 64, 0.05), (1, 512, 0.3), (64, 512, 0.5 * 0.2 + 0.5 * 0.8)],
)
def test_between_knots_it_is_linear_in_the_logarithms(m: float, n: float, log: float) -> None:
    """4 lies half way from 1 to 16, 512 half way from 64 to 4096, 64 half way from 16 to 256."""
    assert at(m, n) == pytest.approx(np.exp(log))


def test_beyond_the_outermost_knots_it_stays() -> None:
    assert at(1e9, 1) == at(256, 64) and at(0, 1e9) == at(1, 4096) and at(np.nan, 64) == at(1, 64)


def test_where_nothing_is_missed_the_factor_is_exactly_one() -> None:
    assert at(37, 777, (0,) * 6) == 1.0
    assert factor(GRID, {}, None) == 1.0


def test_a_table_has_one_value_a_knot() -> None:
    assert knots(GRID) == 6 and knots({}) == 0
    with pytest.raises(ValueError, match="5 values, and this version of the law takes 6"):
        table(GRID, (1,) * 5)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 2)), min_size=1, max_size=8))
def test_rows_do_not_touch_each_other(rows: list[tuple[float, float, int]]) -> None:
    tables = np.stack([table(GRID, values) for values in (SLOPE, (0,) * 6, SLOPE[::-1])])
    m, n, index = (np.array(column) for column in zip(*rows, strict=True))
    whole = factor(GRID, {"m": m, "n": n}, Surfaces(tables, index))
    for i in range(len(rows)):
        alone = Surfaces(tables, index).take(np.array([i]))
        assert factor(GRID, {"m": m[[i]], "n": n[[i]]}, alone)[0] == whole[i]


def test_a_machine_s_rows_share_their_tables() -> None:
    surfaces = Surfaces(np.zeros((2, 6)), np.array([0, 1, 1]))
    machine = Machine(Columns(peak=np.ones(3)), {}, {"matmul": surfaces}).take(np.array([2, 0]))
    assert machine.surfaces["matmul"].index.tolist() == [1, 0] and machine.surfaces["matmul"].tables is surfaces.tables


@pytest.mark.parametrize("law", [law for law in laws() if axes(law)])
def test_knots_rise_and_are_two_at_least(law: str) -> None:
    assert all(len(knots) > 1 and knots[0] > 0 and list(knots) == sorted(set(knots)) for knots in axes(law).values())
    assert axes("matmul_half") is axes("matmul")
