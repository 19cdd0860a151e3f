"""Traces of requests: sorted, from zero on, whole; and one message for what is none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from planner.catalogue.traces import read_trace
from planner.errors import InputError

HEADER = "arrival_time,input_tokens,output_tokens\n"


def trace(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "t.csv"
    file.write_text(text)
    return file


def test_requests_come_in_order_and_from_zero_on(tmp_path: Path) -> None:
    file = trace(tmp_path, "model, output_tokens,arrival_time,input_tokens\nx,20,7.5,100\ny,10,5,200\n")
    arrival, tokens_in, tokens_out = read_trace(file)
    assert arrival.tolist() == [0.0, 2.5]
    assert (tokens_in.tolist(), tokens_out.tolist()) == ([200, 100], [10, 20])


@pytest.mark.parametrize("line", ["a,1,1", "1,,1", "1,0,1", "1,1,0", "-1,1,1", "inf,1,1", "1,1.5,1", "nan,1,1", "=1+1,1,1"])
def test_lines_that_are_no_requests_are_named(line: str, tmp_path: Path, refused: Callable[..., InputError]) -> None:
    said = refused(read_trace, trace(tmp_path, f"{HEADER}0,1,1\n{line}\n2,1,1\n{line}\n"))
    assert "2 of 4 lines are no requests (line 3, 5)" in str(said)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEADER, "has no requests"),
        ("", "is no CSV"),
        ("arrival,input_tokens,output_tokens\n1,1,1\n", "arrival_time"),
        (HEADER + '1,1,"1\n', "is no CSV"),
        ("\x00\x01\x02", ""),
    ],
)
def test_what_is_no_trace_gets_one_message(text: str, says: str, tmp_path: Path, refused: Callable[..., InputError]) -> None:
    assert says in str(refused(read_trace, trace(tmp_path, text)))


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path, refused: Callable[..., InputError]) -> None:
    assert "No such file" in str(refused(read_trace, tmp_path / "none.csv"))
    assert "is a directory" in str(refused(read_trace, tmp_path))
