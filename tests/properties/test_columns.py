"""Laws of Columns over arbitrary rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planner.model.columns import Columns, concat, product

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(-1e9, 1e9)), min_size=1, max_size=30)


def table(rows: list[tuple[int, int, float]]) -> Columns:
    a, b, x = zip(*rows, strict=True)
    return Columns(a=a, b=b, x=x)


def same(one: Columns, other: Columns) -> bool:
    return len(one) == len(other) and list(one) == list(other) and all(np.array_equal(one[n], other[n]) for n in one)


@given(ROWS, st.data())
def test_taking_twice_is_taking_the_taken(rows: list[tuple[int, int, float]], data: st.DataObject) -> None:
    c = table(rows)
    first = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1))
    second = data.draw(st.lists(st.integers(0, len(first) - 1), min_size=1))
    assert same(c.take(first).take(second), c.take(np.array(first)[second]))
    assert same(c.take(np.arange(len(c))), c)


@given(ROWS, st.data())
def test_a_mask_takes_what_its_indices_take(rows: list[tuple[int, int, float]], data: st.DataObject) -> None:
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    assert same(table(rows).take(mask), table(rows).take(np.flatnonzero(mask)))


@given(ROWS)
def test_unique_rows_come_back(rows: list[tuple[int, int, float]]) -> None:
    c = table(rows)
    distinct, back = c.unique(["a", "b"])
    assert len(distinct) == len({(a, b) for a, b, _ in rows}) and len(back) == len(c)
    assert same(Columns(a=distinct.a[back], b=distinct.b[back]), Columns(a=c.a, b=c.b))


@given(ROWS, ROWS, ROWS)
def test_concat_is_associative_and_keeps_order(a: list[tuple], b: list[tuple], c: list[tuple]) -> None:  # type: ignore[type-arg]
    one, two, three = map(table, (a, b, c))
    assert same(concat([concat([one, two]), three]), concat([one, concat([two, three])]))
    assert same(concat([one, two]).take(np.arange(len(one))), one)


@given(st.lists(st.integers(), max_size=5), st.lists(st.integers(), max_size=5), st.lists(st.integers(), max_size=5))
def test_product_has_every_combination_once_in_order(x: list[int], y: list[int], z: list[int]) -> None:
    p = product(x=x, y=y, z=z)
    assert list(zip(p.x, p.y, p.z, strict=True)) == [(i, j, k) for i in x for j in y for k in z]
