"""Tables of published measurements and of architectures, read from CSV as untrusted text."""

import csv
import io
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from planner.catalogue.document import adapter, read_text
from planner.errors import InputError, nearest, printable
from planner.schema.claim import NUMBERS, REQUIRED, TEXTS
from planner.schema.workload import Architecture

MAX_TABLE = 200_000_000


def read_claims(path: Path) -> pd.DataFrame:
    """The rows of a table: every known column, text as text and numbers as floats (NaN where empty or not a number)."""
    text = read_text(path, MAX_TABLE)
    try:
        raw = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, on_bad_lines="error", encoding_errors="strict")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        raise InputError(f"is not a CSV table: {printable(str(error).strip(), 200)}", where=str(path)) from None
    missing = [name for name in REQUIRED if name not in raw.columns]
    if missing:
        near = nearest(missing[0], map(str, raw.columns))
        hint = (
            f"Is it '{printable(near[0])}'?"
            if near
            else f"A table of measurements has the columns {', '.join(REQUIRED)} and more."
        )
        raise InputError(f"has no column '{missing[0]}'", where=f"{path}:1", hint=hint)
    table = pd.DataFrame(index=raw.index)
    for name in TEXTS:
        table[name] = raw[name].str.strip() if name in raw else ""
    for name in NUMBERS:
        numbers = pd.to_numeric(raw[name], errors="coerce") if name in raw else pd.Series(float("nan"), index=raw.index)
        table[name] = numbers.where(numbers.abs() < 1e18).astype(float)
    return table


def architectures_beside(path: Path) -> dict[str, Architecture]:
    """Model ids and their architectures from an ``architectures.csv`` in the same folder, if there is one."""
    beside = path.parent / "architectures.csv"
    if not beside.is_file() or beside == path:
        return {}
    known = {f.name for f in fields(Architecture)}
    renamed = {"max_sequence": "max_context", "workload": None, "source": None}
    found: dict[str, Architecture] = {}
    for number, row in enumerate(csv.DictReader(io.StringIO(read_text(beside))), start=2):
        values: dict[str, Any] = {
            renamed.get(k, k) or "": v.strip() for k, v in row.items() if k and v and renamed.get(k, k) in known
        }
        name = (row.get("workload") or "").strip()
        try:
            values["gated_ffn"] = values.get("gated_ffn", "true").lower() in ("true", "1", "yes")
            plain_norm = {} if values["gated_ffn"] else {"norm": "layer", "positions": "learned"}
            found[name] = adapter(Architecture).validate_python({**plain_norm, **values})
        except ValueError as error:
            first = printable(str(error).splitlines()[-2].strip() if "\n" in str(error) else str(error), 160)
            raise InputError(f"the architecture '{printable(name)}' is not usable: {first}", where=f"{beside}:{number}") from None
    return found
