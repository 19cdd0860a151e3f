"""Made-up measurements: operations, cells and records of a machine that does not exist."""

from dataclasses import replace

from planner.schema.measurement import Canary, Cell, Found, Operation, Record, Selection, Traced, Visit


def operation(op: str = "elementwise", variant: str = "add", dtype: str = "fp32", **more: object) -> Operation:
    """An elementwise sum of 1024 unless said otherwise."""
    return replace(Operation(op, variant, dtype, {"elements": 1024.0}), **more)  # type: ignore[arg-type]


def cell(o: Operation, seconds: float, **more: object) -> Cell:
    """``o`` timed at ``seconds``, hot and quite still unless said otherwise."""
    return replace(Cell(o, "hot", seconds, seconds, seconds, seconds, 10, 4), **more)  # type: ignore[arg-type]


def record(*cells: Cell, id: str = "20260102T030405Z-abcdef", kind: str = "cpu", **more: object) -> Record:
    """A record of a made-up machine."""
    found = Found(kind, "Made-up 9000", {"cores_usable": 2.0, "model": "mk. 1"}, {"torch": "2.0"}, {"load": 0.1})  # type: ignore[arg-type]
    selection = Selection("standard", ("elementwise",), (), 1, "pinned")
    plain = Record(id, "0.1", "abc", found, selection, "2026-01-02T03:04:05+00:00", "2026-01-02T03:05:00+00:00", cells)
    return replace(plain, **more)  # type: ignore[arg-type]


def passed(*visits: tuple[Operation, tuple[tuple[float, float], ...]], name: str = "net") -> Traced:
    """A network's pass: each operation with (bytes, distance) of what it touches."""
    return Traced(name, tuple(o for o, _ in visits), tuple(Visit(i, touched) for i, (_, touched) in enumerate(visits)))


CANARY = Canary(0.5, 1e-3, 2e-3, 3e-3)
