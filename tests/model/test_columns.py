"""Columns: what they take, refuse and give back."""

import copy
import pickle

import numpy as np
import pytest

from planner.model.columns import Columns, concat, product


def test_scalars_are_broadcast_and_lengths_must_agree() -> None:
    c = Columns(a=[1, 2, 3], b=4)
    assert len(c) == 3 and c.b.tolist() == [4, 4, 4] and list(c) == ["a", "b"] and "a" in c
    with pytest.raises(ValueError, match="different lengths"):
        Columns(a=[1, 2], b=[1, 2, 3])
    with pytest.raises(ValueError, match="different lengths"):
        Columns(a=[1, 2], length=3)


def test_with_leaves_the_original() -> None:
    c = Columns(a=[1, 2])
    assert c.with_(a=[3, 4], b=0).a.tolist() == [3, 4] and c.a.tolist() == [1, 2] and "b" not in c


def test_an_unknown_column_is_an_attribute_error_that_names_those_there_are() -> None:
    with pytest.raises(AttributeError, match="no column 'c'; there are a, b"):
        _ = Columns(a=1, b=2).c


def test_take_by_index_mask_and_nothing() -> None:
    c = Columns(a=[1, 2, 3])
    assert c.take([2, 0, 2]).a.tolist() == [3, 1, 3]
    assert c.take(np.array([True, False, True])).a.tolist() == [1, 3]
    assert len(c.take(np.array([], int))) == len(c.take(np.zeros(3, bool))) == 0


def test_take_an_empty_list() -> None:
    assert len(Columns(a=[1, 2]).take([])) == 0


def test_columns_can_be_copied_and_pickled() -> None:
    c = Columns(a=[1, 2])
    assert copy.deepcopy(c).a.tolist() == pickle.loads(pickle.dumps(c)).a.tolist() == [1, 2]


def test_unique_and_back() -> None:
    c = Columns(a=[1, 2, 1, 1], b=[0, 0, 5, 0], c=[7, 8, 9, 7])
    distinct, back = c.unique(["a", "b"])
    assert len(distinct) == 3
    assert distinct.a[back].tolist() == c.a.tolist() and distinct.b[back].tolist() == c.b.tolist()


def test_concat_and_product() -> None:
    assert concat([Columns(a=[1], b=[2]), Columns(a=[3, 4], b=[5, 6])]).b.tolist() == [2, 5, 6]
    p = product(x=[1, 2], y=[10, 20, 30])
    assert p.x.tolist() == [1, 1, 1, 2, 2, 2] and p.y.tolist() == [10, 20, 30, 10, 20, 30]


def test_concat_refuses_other_columns() -> None:
    with pytest.raises((ValueError, KeyError)):
        concat([Columns(a=[1]), Columns(a=[2], b=[3])])
