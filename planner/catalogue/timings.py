"""Kernel times from a plain CSV or from a record of ``planner bench``, in the columns that a law's study reads.

A CSV has a header; ``law`` says which operator a row times, one of ``seconds``, ``milliseconds`` or ``microseconds`` how long it
took, and the operator's own columns its shape (``COLUMNS``). Rows of several laws may stand in one file; what a law does not
need stays empty.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np

from planner.catalogue.document import read_text
from planner.catalogue.kernels import KernelTable
from planner.errors import InputError, printable, unknown
from planner.schema.hardware import Dtype
from planner.schema.measurement import Cell, Record

UNITS = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6}
LONGEST, SHORTEST = 3600.0, 1e-8  # s that a single operation may take
MATRIX = ("m", "n", "k")
HEADS = ("batch", "heads", "kv_heads", "dim")
# law -> its columns that every row needs; and those that may be left out, with what that means
COLUMNS: dict[str, tuple[str, ...]] = {
    "matmul": (*MATRIX, "dtype"),
    "attention": (*HEADS, "query"),
    "decode_attention": (*HEADS, "past"),
    "collective": ("op", "ranks", "message"),
    "stream": ("bytes",),
}
OPTIONAL: dict[str, Any] = {"dtype": "bf16", "cache_dtype": "bf16", "kernel": "", "window": 0.0, "past": 0.0, "query": 1.0}
TEXT = ("dtype", "cache_dtype", "kernel", "op")
NAMES: dict[str, tuple[str, ...]] = {
    "dtype": get_args(Dtype),
    "cache_dtype": get_args(Dtype),
    "op": ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"),
}
"""What text may be."""
NONE = ("past", "window")
"""Sizes that may be 0."""
LIMIT = 64_000_000


def from_csv(path: Path) -> dict[str, KernelTable]:
    """law -> its rows in a CSV. InputError with line and column where a figure cannot be what it says it is."""
    reader = csv.DictReader(io.StringIO(read_text(path, LIMIT)), strict=True)
    try:
        names = [n.strip() for n in reader.fieldnames or []]
    except csv.Error as error:
        raise InputError(f"is not a CSV: {error}", where=str(path)) from None
    unit = _unit(names, path)
    _known(names, f"{path}:1")
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    try:
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise InputError(f"has {'more' if None in row else 'fewer'} fields than the header", where=where)
            law, values = _row({str(k).strip(): v for k, v in row.items()}, unit, where)
            rows[law].append(values)
    except csv.Error as error:
        raise InputError(f"is not a CSV: {error}", where=f"{path}:{reader.reader.line_num}") from None
    if not rows:
        raise InputError("has no rows", where=str(path))
    return {law: KernelTable(_columns(some), f"{path.name}, {len(some)} rows") for law, some in rows.items()}


def _unit(names: list[str], path: Path) -> str:
    found = [n for n in names if n in UNITS]
    if len(found) == 1:
        return found[0]
    what = f"has {' and '.join(found)}: which is it?" if found else "has no column of times"
    raise InputError(what, where=f"{path}:1", hint=f"One column is named {', '.join(UNITS)}; not us, ms or s.")


def _known(names: list[str], where: str) -> None:
    known = {"law", *UNITS, *OPTIONAL, *(c for columns in COLUMNS.values() for c in columns)}
    for i, name in enumerate(names):
        if name not in known:
            raise unknown("column", name, known, where=where)
        if name in names[:i]:
            raise InputError(f"has the column '{name}' twice", where=where)
    if "law" not in names:
        raise InputError("has no column 'law'", where=where, hint=f"It names the operator: {', '.join(COLUMNS)}.")


def _row(row: Mapping[str, Any], unit: str, where: str) -> tuple[str, dict[str, Any]]:
    law = str(row.get("law") or "").strip()
    if law not in COLUMNS:
        raise unknown("law", law, COLUMNS, where=where)
    values: dict[str, Any] = {"seconds": _number(row.get(unit), unit, where) * UNITS[unit]}
    if not SHORTEST <= values["seconds"] <= LONGEST:
        raise InputError(f"{unit} {row[unit]}: no single operation takes {values['seconds']:.3g} s", where=where,
                         hint=f"Is the column really in {unit}?")  # fmt: skip
    for name in dict.fromkeys([*COLUMNS[law], *OPTIONAL]):
        text = str(row.get(name) or "").strip()
        if not text and name in COLUMNS[law]:
            raise InputError(f"{law} needs {name}", where=where, hint=f"Its columns: {', '.join(COLUMNS[law])}.")
        if not text:
            values[name] = OPTIONAL[name]
        elif name in TEXT:
            values[name] = text
            if text not in NAMES.get(name, (text,)):
                raise unknown(name, text, NAMES[name], where=where)
        else:
            values[name] = _number(text, name, where)
            if values[name] == 0 and name not in NONE:
                raise InputError(f"{name} is 0", where=where, hint="Leave empty what a law does not need.")
    return law, values


def _number(text: Any, name: str, where: str) -> float:
    try:
        value = float(str(text).strip())
    except ValueError:
        value = float("nan")
    if not np.isfinite(value) or value < 0:
        raise InputError(f"{name}: '{printable(str(text or ''))}' is not a number of 0 or more", where=where)
    return value


def from_record(record: Record) -> dict[str, KernelTable]:
    """law -> the cells of a record that time its operator, as they were last measured, hot."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for cell in (c for c in record.latest() if c.cache == "hot"):
        rule = _RULES.get(cell.operation.op)
        found = rule(cell) if rule else None
        if found:
            rows[found[0]].append({**OPTIONAL, "seconds": cell.median, "dtype": cell.operation.dtype, **found[1]})
    torch = record.device.software.get("torch", "")
    source = f"planner bench, record {record.id} of {record.started[:10]}, {record.device.name}, torch {torch}"
    return {law: KernelTable(_columns(some), source) for law, some in rows.items()}


def _matmul(cell: Cell) -> tuple[str, dict[str, Any]] | None:
    o = cell.operation
    quantised = o.dtype in ("fp8", "int8")  # timed without the quantising that an engine's kernels include
    return ("matmul", {n: o.shape[n] for n in MATRIX}) if o.variant == "mm nt" and not quantised else None


def _attention(cell: Cell) -> tuple[str, dict[str, Any]] | None:
    s, o = cell.operation.shape, cell.operation
    heads = {"batch": s["batch"], "heads": s["heads"], "kv_heads": s["heads"], "dim": s["dim"], "cache_dtype": o.dtype}
    if s["query"] == 1 and "backward" not in o.variant:
        return "decode_attention", {**heads, "past": s["context"] - 1}
    return ("attention", {**heads, "query": s["query"], "past": 0.0}) if o.variant == "causal" else None


def _memory(cell: Cell) -> tuple[str, dict[str, Any]] | None:
    o = cell.operation
    return ("stream", {"bytes": o.read + o.written}) if o.variant in ("copy", "scale", "triad") else None


def _collective(cell: Cell) -> tuple[str, dict[str, Any]]:
    s = cell.operation.shape
    return "collective", {"op": cell.operation.variant, "ranks": s["ranks"], "message": s["message"] / 2, "dtype": "bf16"}


_RULES: dict[str, Callable[[Cell], tuple[str, dict[str, Any]] | None]] = {
    "matmul": _matmul, "attention": _attention, "memory": _memory, "collective": _collective,
}  # fmt: skip


def _columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
