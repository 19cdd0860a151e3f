"""Quantities: worked values, round trips, and that wrong text is a ValueError that says what was expected."""

import math
import re
import string
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from planner import units

ANYTHING = st.one_of(
    st.text(),
    st.text(string.digits + " .,_-+eE/%xkKMGTPµmnuBbFLOPsh"),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.text()),
)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("3.35 TB/s", "byte/s", 3.35e12),
        ("80 GB", "byte", 80e9),
        ("80 GiB", "byte", 80 * 2**30),
        ("1,500 GB", "byte", 1.5e12),
        ("1_500 GB", "byte", 1.5e12),
        ("400 Gbit/s", "byte/s", 50e9),
        ("989 TFLOP/s", "flop/s", 989e12),
        ("1979 TOP/s", "flop/s", 1979e12),
        ("1 GMAC", "flop", 2e9),
        ("50 ms", "second", 0.05),
        ("3 years", "second", 3 * 8760 * 3600),
        ("300 billion", "count", 3e11),
        ("300 billion tokens", "count", 3e11),
        ("1e12", "count", 1e12),
        (12, "count", 12),
        ("20 requests/s", "count/second", 20),
        ("1200 images/min", "count/second", 20),
        ("20", "count/second", 20),
        ("60 %", "fraction", 0.6),
        (0.6, "fraction", 0.6),
        ("1.2 kWh", "joule", 4.32e6),
        ("  700 W ", "watt", 700),
    ],
)
def test_worked_values(text: object, dimension: str, value: float) -> None:
    assert units.parse(text, dimension) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "dimension", "says"),
    [
        (80, "byte", "has no unit; write it like '80 GB'"),
        ("80", "byte", "has no unit"),
        ("80 s", "byte", "wrong unit"),
        ("3350 GB", "byte/s", "lacks a unit; write it like '3.35 TB/s'"),
        ("3350 GBps", "byte/s", "unknown unit 'GBps'; write it like '3.35 TB/s'"),
        ("80 gb", "byte", "unknown unit"),
        ("1,5 TB/s", "byte/s", "not a quantity"),  # neither 15 nor 1.5
        ("1.2.3 GB", "byte", "not a quantity"),
        ("5 million ms", "count", "wrong unit"),
        ("5 million GB", "byte", "wrong unit"),
        ("2 million", "count/second", "lacks a unit; write it like '20 requests/s'"),
        ("", "byte", "not a quantity"),
        ("a lot", "byte", "not a quantity"),
        (True, "count", "got True"),
        (None, "count", "got None"),
        ([1], "count", "got"),
        (float("nan"), "count", "not a finite number"),
        (float("inf"), "count", "not a finite number"),
        (10**400, "count", "not a finite number"),
        ("1e400", "count", "not a finite number"),
        ("1e300", "count", "beyond any quantity"),
        ("1" * 10_000, "count", "not a quantity"),
        (12 * 3600 + 1800, "second", "has no unit"),  # what YAML makes of 12:30:00
        ("٣ GB", "byte", "not a quantity"),
    ],
)
def test_wrong_text_says_what_was_expected(text: object, dimension: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        units.parse(text, dimension)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("4.10 USD/h", "money/hour", (4.1, "USD")),
        ("1,999 EUR", "money", (1999.0, "EUR")),
        ("0.12 USD/kWh", "money/kWh", (0.12, "USD")),
    ],
)
def test_worked_prices(text: str, dimension: str, value: tuple[float, str]) -> None:
    assert units.parse_money(text, dimension) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-3 USD/h", "negative"), ("4 USD", "write it like '4.10 USD/h'"), ("4 $/h", "not a price"), (4.1, "not a price"),
        ("4 usd/h", "not a price"), ("1,5 USD/h", "not a price"), ("1.234,56 EUR/h", "not a price"), (["4 USD/h"], "not a price"),
        ("9" * 90 + " USD/h", "beyond any quantity"), ("1" * 500 + " USD/h", "not a price"), (None, "not a price"),
    ],
)  # fmt: skip
def test_wrong_prices(text: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        units.parse_money(text, "money/hour")


@given(ANYTHING, st.sampled_from(sorted(units.EXAMPLES)))
def test_any_input_gives_a_finite_number_or_a_value_error(value: object, dimension: str) -> None:
    money = dimension.startswith("money")
    try:
        found = units.parse_money(value, dimension)[0] if money else units.parse(value, dimension)
    except ValueError as error:
        assert str(error)
    else:
        assert math.isfinite(found)


@pytest.mark.parametrize("dimension", sorted(d for d in units.EXAMPLES if not d.startswith("money")))
def test_the_example_in_a_message_is_itself_right(dimension: str) -> None:
    assert units.parse(units.EXAMPLES[dimension], dimension) > 0


@example(2e-10, "byte")
@given(st.floats(1e-12, 1e17), st.sampled_from(["byte", "byte/s", "flop", "flop/s", "hertz", "watt", "joule", "second", "count"]))
def test_what_is_shown_can_be_read_back(value: float, dimension: str) -> None:
    assert units.parse(units.show(value, dimension, digits=6), dimension) == pytest.approx(value, rel=1e-5)


@given(st.floats(1e-9, 1e15), st.integers(1, 9))
def test_significant_keeps_so_many_digits(value: float, digits: int) -> None:
    assert float(units.significant(value, digits).replace(",", "")) == pytest.approx(value, rel=10.0 ** (1 - digits))


@given(st.floats())
def test_showing_never_fails_and_stays_short(value: float) -> None:
    shown = [units.show(value, "byte"), units.significant(value), units.money(value), units.money(value, "EUR")]
    shown += [units.duration(value)]
    assert all(0 < len(text) < 40 for text in shown)
    assert math.isfinite(value) or shown[0] == "–"


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=12))
def test_amounts_that_are_shown_add_up_to_the_sum_that_is_shown(parts: list[float]) -> None:
    shown, total = units.addends(parts)
    amounts = [Decimal(text.removeprefix("$").replace(",", "")) for text in shown]
    assert sum(amounts) == Decimal(total.removeprefix("$").replace(",", ""))
    assert all(abs(float(amount) - part) < 0.01 + 1e-6 for amount, part in zip(amounts, parts, strict=True))


def test_a_third_each_takes_the_odd_cent_once() -> None:
    assert units.addends([10 / 3] * 3) == (["$3.34", "$3.33", "$3.33"], "$10.00")
    assert units.addends([1234.5, 0.5], "EUR") == (["€1,234.50", "€0.50"], "€1,235.00")
    assert units.addends([0.001, 0.002]) == (["$0.0010", "$0.0020"], "$0.0030")


@pytest.mark.parametrize(
    ("joules", "shown"), [(3.6e6, "1 kWh"), (3.6e9, "1 MWh"), (3600, "1 Wh"), (3.6, "1 mWh"), (9e5, "250 Wh")]
)
def test_energy_as_it_is_bought(joules: float, shown: str) -> None:
    assert units.kilowatt_hours(joules) == shown


@pytest.mark.parametrize(
    ("kilograms", "shown"),
    [(0.3, "300 g"), (12.0, "12 kg"), (2500.0, "2.5 t"), (4.57e-7, "457 µg"), (4.57e-10, "457 ng"), (0.0, "0")],
)
def test_mass_is_written_as_people_write_it(kilograms: float, shown: str) -> None:
    assert units.show(kilograms, "kilogram") == shown
