"""The journal of a run that may be killed at any moment, or looked at by a second one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planner.catalogue import records
from planner.catalogue.records import Journal, from_header, header, journals, save
from planner.errors import InputError
from planner.schema.measurement import Canary
from tests.measure.records import cell, operation, record

Refused = Callable[..., InputError]
CELLS = tuple(cell(operation(key=f"aten.add({n})"), 1e-6 * n) for n in (1, 2, 3))
RECORD = record(*CELLS)
HEADER = header(RECORD.id, RECORD.planner, RECORD.revision, RECORD.device, RECORD.selection, RECORD.started)
SONG = Canary(0.5, 1e-3, 2e-3, 3e-3)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of two cells, a canary and a failure, whose run was killed."""
    path = tmp_path / f"run{records.JOURNAL}"
    going = Journal.start(path, HEADER)
    for event in (SONG, CELLS[0], ("matmul fp8", "no kernel"), CELLS[1]):
        going.add(event)
    going.close(done=False)
    return path


def resumed(path: Path) -> tuple[list[Any], list[Any], dict[str, str]]:
    """What a journal holds, after it was opened to go on with and closed again."""
    going, _, cells, canaries, failures = Journal.resume(path)
    going.close(done=False)
    return cells, canaries, failures


def test_a_journal_is_gone_on_with(journal: Path) -> None:
    going, head, cells, canaries, failures = Journal.resume(journal)
    assert (cells, canaries, failures) == ([*CELLS[:2]], [SONG], {"matmul fp8": "no kernel"})
    assert from_header(head, journal) == (RECORD.device, RECORD.selection) and head["id"] == RECORD.id
    going.add(CELLS[2])
    going.close(done=False)
    assert resumed(journal)[0] == [*CELLS]
    assert journals(journal.parent) == [journal]


def test_a_journal_that_is_done_is_gone(journal: Path) -> None:
    going, *_ = Journal.resume(journal)
    going.close(done=True)
    assert not journals(journal.parent)


def test_every_event_is_on_disk_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / f"run{records.JOURNAL}"
    going = Journal.start(path, HEADER)
    for i, event in enumerate((SONG, *CELLS)):
        assert len(path.read_text().splitlines()) == 1 + i
        going.add(event)
    going.close(done=False)


def test_a_kill_in_the_middle_of_a_line_loses_that_line_alone(journal: Path) -> None:
    whole = journal.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1  # of the last line, which is CELLS[1]
    for cut in range(start, len(whole) + 1):
        journal.write_bytes(whole[:cut])
        kept = [*CELLS[: 2 if cut >= len(whole) - 1 else 1]]
        going, _, cells, canaries, failures = Journal.resume(journal)
        assert (cells, canaries, failures) == (kept, [SONG], {"matmul fp8": "no kernel"})
        going.add(CELLS[2])
        going.close(done=False)
        assert resumed(journal)[0] == [*kept, CELLS[2]]
        assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_two_writers(journal: Path, refused: Refused) -> None:
    going, *_ = Journal.resume(journal)
    before = journal.read_bytes()
    assert "another run is writing here" in refused(Journal.resume, journal).what
    assert "is being written here already" in refused(Journal.start, journal, HEADER).what
    assert journal.read_bytes() == before
    going.add(CELLS[2])
    going.close(done=False)
    assert resumed(journal)[0] == [*CELLS]


def test_a_second_writer_does_not_tidy_up_after_the_first(journal: Path, refused: Refused) -> None:
    """The first is in the middle of a line when the second looks."""
    going, *_ = Journal.resume(journal)
    with journal.open("a") as file:
        file.write('{"cell":{"oper')
    before = journal.read_bytes()
    refused(Journal.resume, journal)
    assert journal.read_bytes() == before
    going.close(done=False)


@pytest.mark.parametrize(
    ("line", "says", "at"),
    [
        (b"hello", "is not JSON", ":3"),
        (b"[1]", "is not an event", ":3"),
        (b'{"cell": {"median": "fast"}}', "operation", ""),
        (b'{"cell": 7}', "", ""),
        (b'{"canary": {"at": 1}}', "loop", ""),
    ],
)
def test_a_line_that_no_run_wrote(line: bytes, says: str, at: str, journal: Path, refused: Refused) -> None:
    lines = journal.read_bytes().splitlines()
    lines[2] = line
    journal.write_bytes(b"\n".join(lines) + b"\n")
    before = journal.read_bytes()
    error = refused(Journal.resume, journal)
    assert says in error.what and error.where == f"{journal}{at}" and journal.read_bytes() == before


@pytest.mark.parametrize("head", [b"", b"{}\n", b'{"schema": 99}\n', b'{"schema": 1', b"hello\nhello\n", b'{"schema": 1}\n'])
def test_a_journal_without_its_beginning(head: bytes, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / f"run{records.JOURNAL}"
    path.write_bytes(head)
    assert str(path) in refused(Journal.resume, path).where
    assert path.read_bytes() == head


@pytest.mark.parametrize("missing", ["device", "selection"])
def test_a_header_that_lacks_something(missing: str, tmp_path: Path, refused: Refused) -> None:
    assert refused(from_header, {k: v for k, v in HEADER.items() if k != missing}, tmp_path).where == str(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_saved(value: float, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "record.json"
    assert "not a finite number" in refused(save, record(cell(operation(), value)), path).what
    assert not list(tmp_path.iterdir())
