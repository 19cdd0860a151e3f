"""Two records cell by cell: ratios by kind, what moved most, what differs."""

from dataclasses import replace

import pytest

from planner.calibrate.contrast import MOVED, contrast
from planner.errors import InputError
from planner.schema.measurement import Selection
from tests.measure.records import cell, operation, record

SIZES = [2.0**n for n in range(10)]
ONE = [cell(operation(shape={"elements": n}), 1e-6 * n) for n in SIZES]
OTHER = [replace(c, median=c.median * (2 if i else 8)) for i, c in enumerate(ONE)]


def test_ratios_by_kind_and_what_moved_most() -> None:
    found = contrast(record(*ONE, id="a"), record(*OTHER, id="b"))
    (group,) = found.groups
    assert (group.kind, group.cells, group.median) == ("elementwise fp32 hot", 10, 2.0)
    assert group.low == pytest.approx(2.0) and 2 < group.high < 8
    assert len(found.moved) == MOVED and "elements=1 " in found.moved[0].what
    assert (found.moved[0].one, found.moved[0].other) == (1e-6, 8e-6) and found.alone == 0 and found.differences == {}


def test_faster_moves_as_far_as_slower() -> None:
    one, other = (record(cell(operation(key="x"), a), cell(operation(key="y"), b)) for a, b in ((1e-3, 1e-3), (0.9e-3, 1e-4)))
    assert "y" in contrast(one, other).moved[0].what


def test_hot_cold_and_dtypes_are_apart() -> None:
    both = record(ONE[0], replace(ONE[0], cache="cold"), cell(operation(dtype="bf16"), 1e-6))
    assert [g.kind for g in contrast(both, both).groups] == [
        "elementwise bf16 hot",
        "elementwise fp32 cold",
        "elementwise fp32 hot",
    ]


def test_what_only_one_has_is_counted_and_the_last_time_counts() -> None:
    found = contrast(record(*ONE, cell(ONE[0].operation, 3e-6, repeats=1)), record(*ONE[:3], cell(operation(dtype="bf16"), 1.0)))
    assert found.alone == 8 and found.groups[0].cells == 3
    assert found.moved[0].one == 3e-6


def test_what_differs_of_machine_and_software() -> None:
    a = record(*ONE)
    b = replace(
        a, selection=Selection("standard", (), (), 2, "system"),
        device=replace(a.device, software={"torch": "2.1", "cuda": "12"}, state={"load": 9.0}),
    )  # fmt: skip
    assert contrast(a, b).differences == {
        "threads": (1, 2), "allocator": ("pinned", "system"), "torch": ("2.0", "2.1"), "cuda": ("", "12"),
    }  # fmt: skip


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(InputError, match="a and b have no cell in common"):
        contrast(record(*ONE, id="a"), record(cell(operation(dtype="bf16"), 1.0), id="b"))
