"""Tables of published measurements and of architectures, read from CSV as untrusted text."""

import csv
import io
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from planner.catalogue.document import adapter, read_text, why
from planner.catalogue.sizes import unsound
from planner.errors import InputError, nearest, printable
from planner.schema.claim import NUMBERS, REQUIRED, TEXTS
from planner.schema.workload import Architecture

MAX_TABLE = 200_000_000
_RENAMED = {"max_sequence": "max_context"}


def read_claims(path: Path) -> pd.DataFrame:
    """The rows of a table: every known column, text as text and numbers as floats (NaN where empty or not a number).

    ``wrong`` says which size of a row is text, negative or beyond reason; it is empty where none is.
    """
    raw = _table(path)
    missing = [name for name in REQUIRED if name not in raw.columns]
    if missing:
        near = nearest(missing[0], map(str, raw.columns))
        hint = (
            f"Is it '{printable(near[0])}'?"
            if near
            else f"A table of measurements has the columns {', '.join(REQUIRED)} and more."
        )
        raise InputError(f"has no column '{missing[0]}'", where=f"{path}:1", hint=hint)
    table = pd.DataFrame({"wrong": ""}, index=raw.index)
    for name in TEXTS:
        table[name] = raw[name].str.strip() if name in raw else ""
    for name in NUMBERS:
        numbers = pd.to_numeric(raw[name], errors="coerce") if name in raw else pd.Series(float("nan"), index=raw.index)
        table[name] = numbers.where(numbers.abs() < 1e18).astype(float)
        if name in raw and name != "value":
            given = ~raw[name].str.strip().str.lower().isin(["", "nan", "none"])
            wrong = given & ~(table[name].between(0, 1e12)) & (table["wrong"] == "")
            table.loc[wrong, "wrong"] = f"'{name}' is not a size"
    return table


def _table(path: Path) -> pd.DataFrame:
    """Every cell as text; InputError where rows and header do not agree."""
    text = read_text(path, MAX_TABLE)
    try:
        raw = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, on_bad_lines="error")
        header = next(csv.reader(io.StringIO(text)), [])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        raise InputError(f"is not a CSV table: {printable(str(error).strip(), 200)}", where=str(path)) from None
    twice = next((name for i, name in enumerate(header) if name and name in header[:i]), None)
    if twice is not None:
        raise InputError(f"has the column '{printable(twice)}' twice", where=f"{path}:1")
    if not isinstance(raw.index, pd.RangeIndex):
        raise InputError("its rows have more fields than its header names", where=f"{path}:2")
    return raw.fillna("")


def architectures_beside(path: Path) -> dict[str, Architecture]:
    """Model ids and their architectures from an ``architectures.csv`` in the same folder, if there is one."""
    beside = path.parent / "architectures.csv"
    if not beside.is_file() or beside == path:
        return {}
    found: dict[str, Architecture] = {}
    rows = _table(beside)
    if "workload" not in rows.columns:
        raise InputError("has no column 'workload'", where=f"{beside}:1")
    for number, row in enumerate(rows.to_dict(orient="records"), start=1):
        name = row["workload"].strip()
        try:
            found[name] = _architecture({str(k): v.strip() for k, v in row.items()})
            problem = unsound(found[name])
        except ValueError as error:
            problem = why(error)
        if problem:
            raise InputError(f"row {number}, '{printable(name)}', is not usable: {problem}", where=str(beside))
    return found


def _architecture(row: dict[str, str]) -> Architecture:
    known = {f.name for f in fields(Architecture)}
    renamed = {_RENAMED.get(name, name): text for name, text in row.items() if text}
    values: dict[str, Any] = {name: text for name, text in renamed.items() if name in known}
    values["gated_ffn"] = values.get("gated_ffn", "true").lower() in ("true", "1", "yes")
    plain_norm = {} if values["gated_ffn"] else {"norm": "layer", "positions": "learned"}
    architecture: Architecture = adapter(Architecture).validate_python({**plain_norm, **values})
    return architecture
