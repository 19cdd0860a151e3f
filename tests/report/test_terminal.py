"""The decision in a terminal: no wider than it, whole without one, coloured only where asked, and safe whatever the names are."""

import re
from collections.abc import Callable

import pytest

from planner.report.terminal import terminal
from planner.search.result import Result

Make = Callable[..., Result]
ESCAPE = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize("width", [60, 80, 100, 140, 220])
def test_no_line_is_wider_than_the_terminal(make: Make, width: int) -> None:
    result = make(21)
    for line in ESCAPE.sub("", terminal(result, list(result.candidates), width, True)).splitlines()[2:]:
        assert len(line) <= max(width, 76), line


def test_without_a_terminal_nothing_is_shortened_or_coloured(make: Make) -> None:
    result = make(21)
    text = terminal(result, list(result.candidates), None, False)
    assert "\x1b" not in text and all(c.label in text and c.device_name in text for c in result.candidates)
    assert result.verdict.headline in text and all(flip in text for flip in result.verdict.flips)


def test_the_wider_the_terminal_the_more_columns(make: Make) -> None:
    result = make(12)
    heads = [terminal(result, list(result.candidates), width, False).splitlines()[3] for width in (70, 110, 240)]
    counts = [len(re.split("  +", head.strip())) for head in heads]
    assert counts == sorted(counts) and counts[0] < counts[-1]


def test_colours_name_the_choice_and_what_is_out(make: Make) -> None:
    result = make(12)
    text = terminal(result, list(result.candidates), 240, True)
    assert f"\x1b[1;32m{result.verdict.choice}" in text
    assert ESCAPE.sub("", text) == terminal(result, list(result.candidates), 240, False)


def test_no_name_can_colour_or_move_anything(poisoned: Result) -> None:
    for width in (80, None):
        text = terminal(poisoned, list(poisoned.candidates), width, False)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)


def test_where_nothing_fits_it_says_so(make: Make) -> None:
    result = make(3, feasible=False)
    text = terminal(result, list(result.candidates), 100, False)
    assert "Nothing fits" in text and "There is no candidate" in terminal(result, [], 100, False)
