"""Records of the bench: whole or not at all, never overwritten, and refused when they are not what was measured."""

import pickle
from pathlib import Path

import pytest

from planner.catalogue import records
from planner.errors import InputError
from planner.schema.measurement import Canary, Cell, Found, Operation, Record, Selection, Traced, Trial, Visit

CELL = Cell(Operation("matmul", "mm nt", "fp32", {"m": 2.0}, 8.0, 16.0, 4.0, "aten.mm"), "hot", 1e-3, 9e-4, 1.1e-3, 8e-4, 5, 3)
CANARY = Canary(1.0, 1e-3, 2e-3, 3e-3)
FOUND = Found("cpu", "Test processor", {"cores_usable": 2.0}, {"torch": "0"})
SELECTION = Selection("quick", ("matmul",))


def record(id: str = "20260101T000000Z-abc123") -> Record:
    return Record(id, "0.1", "", FOUND, SELECTION, "2026-01-01T00:00:00", "2026-01-01T00:01:00", (CELL,), (CANARY,), {"x": "y"})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return records.save(record(), tmp_path / "r.json")


def test_a_record_comes_back_as_it_was(saved: Path) -> None:
    assert records.load(saved) == record()
    assert saved.stat().st_mode & 0o222 == 0 and [p.name for p in saved.parent.iterdir()] == ["r.json"]


def test_a_record_is_never_overwritten(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(InputError, match="never overwritten"):
        records.save(record("other"), saved)
    assert saved.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t[: len(t) // 2], "cut short"),
        (lambda t: t.replace('"median":0.001', '"median":0.0001'), "edited"),
        (lambda t: t.replace('"schema": 1', '"schema": 2'), "newer planner"),
        (lambda t: t.replace('"schema": 1', '"schema": 0'), "older planner"),
        (lambda t: "not json at all }", "not JSON"),
        (lambda t: "[1, 2]", "not a record"),
        (lambda t: t.replace('"samples":5', '"samples":"five"'), "samples"),
        (lambda t: t.replace('"samples":5', '"samples":5,"extra":1'), "extra"),
        (lambda t: t.replace('"median":0.001', '"median":NaN'), "not JSON"),
    ],
)
def test_what_was_not_measured_is_refused(saved: Path, change, says: str) -> None:
    broken = saved.with_name("broken.json")
    broken.write_text(change(saved.read_text()))
    with pytest.raises(InputError, match=says) as raised:
        records.load(broken)
    assert "broken.json" in str(raised.value)


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path(tmp_path / "sprung").touch, ())

    file = tmp_path / "x.json"
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError):
        records.load(file)
    assert not (tmp_path / "sprung").exists()


def test_records_are_found_by_the_start_of_their_name(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PLANNER_HOME", str(tmp_path))
    with pytest.raises(InputError, match="there is none"):
        records.find("latest")
    for id in ("20260101T1", "20260101T2", "20260202T1"):
        records.save(record(id), records.home() / f"{id}.json")
    assert records.find("latest").stem == records.find("202602").stem == "20260202T1"
    with pytest.raises(InputError, match="start of 2"):
        records.find("202601")
    with pytest.raises(InputError, match="unknown record"):
        records.find("2025")


def test_trials_come_back_as_they_were(tmp_path: Path) -> None:
    trial = Trial(Traced("net", (CELL.operation,), (Visit(0, ((8.0, 1e18),)),)), 1.0, 1.1, (CELL,), 1.2)
    file = tmp_path / "t.json"
    file.write_text(records.trials_text([trial]))
    assert records.load_trials(file) == [trial]
    file.write_text(file.read_text()[:-20])
    with pytest.raises(InputError, match="cut short"):
        records.load_trials(file)
