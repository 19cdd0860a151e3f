"""Traces of requests: a CSV of arrival times and tokens in and out."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalogue.document import read_text
from planner.errors import InputError, unknown

COLUMNS = ("arrival_time", "input_tokens", "output_tokens")
LARGEST = 500_000_000
NAMED = 5


def read_trace(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """arrival [s, from 0 on, ascending], tokens in, tokens out (N,); InputError names the lines that are none."""
    from io import StringIO

    text = read_text(path, LARGEST)
    try:
        table = pd.read_csv(StringIO(text), dtype=str, skipinitialspace=True)
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"is no CSV: {str(error).splitlines()[0]}", where=str(path)) from None
    table.columns = [str(c).strip() for c in table.columns]
    for name in COLUMNS:
        if name not in table.columns:
            raise unknown("column", name, list(table.columns), where=f"{path}:1", listing=f"A trace has {', '.join(COLUMNS)}.")
    numbers = table[list(COLUMNS)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    good = np.isfinite(numbers).all(axis=1) & (numbers[:, 0] >= 0) & (numbers[:, 1] >= 1) & (numbers[:, 2] >= 1)
    good &= (numbers[:, 1:] % 1 == 0).all(axis=1)
    if not good.all():
        lines = np.flatnonzero(~good) + 2
        first = ", ".join(map(str, lines[:NAMED])) + (" …" if len(lines) > NAMED else "")
        what = f"{len(lines)} of {len(numbers)} lines are no requests (line {first})"
        raise InputError(what, where=str(path), hint="Each has a time from 0 on and whole numbers of tokens from 1 on.")
    if not len(numbers):
        raise InputError("has no requests", where=str(path))
    order = np.argsort(numbers[:, 0], kind="stable")
    arrival, into, out = numbers[order].T
    return arrival - arrival[0], into.astype(int), out.astype(int)
