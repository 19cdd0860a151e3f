"""CSV, JSON and Markdown: they round-trip, and no name in them is a formula, a link or a mention."""

import csv
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from planner.report.build import csv_text, json_text, markdown
from planner.report.text import brief, script_json, visible
from planner.search.result import SCHEMA_VERSION, Result
from planner.units import money

Make = Callable[..., Result]


def test_csv_has_a_row_a_candidate_and_numbers_stay_numbers(make: Make) -> None:
    result = make(12)
    rows = list(csv.DictReader(io.StringIO(csv_text(result))))
    assert [row["label"] for row in rows] == [candidate.label for candidate in result.candidates]
    for row, candidate in zip(rows, result.candidates, strict=True):
        assert float(row["cost_USD_per_month"]) == pytest.approx(candidate.cost.value, rel=1e-5)
        assert float(row["throughput_output_tokens_per_s"]) == pytest.approx(candidate.throughput.value, rel=1e-5)
        assert row["rejected_because"] == candidate.rejected


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cells_that_would_be_formulas_are_text(make: Make, start: str) -> None:
    result = make(2)
    bad = replace(result.candidates[0], label=f"{start}1+1", layout={f"{start}x": -3}, mfu=-0.5, mbu=math.nan)
    rows = list(csv.reader(io.StringIO(csv_text(replace(result, candidates=(bad,))), newline="")))
    assert not any(cell.startswith(start) and not _is_number(cell) for row in rows for cell in row)
    named = dict(zip(rows[0], rows[1], strict=True))
    assert named["label"] == f"'{start}1+1" and named["mfu"] == "-0.5" and named["mbu"] == ""


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e[-+]\d+)?", cell) is not None


def test_json_round_trips_with_null_for_what_is_not_known(make: Make) -> None:
    result = make(5)
    odd = replace(result.candidates[0], mfu=math.nan, power=math.inf)
    read = json.loads(json_text(replace(result, candidates=(odd, *result.candidates[1:]))), parse_constant=str)
    assert read["schema_version"] == SCHEMA_VERSION and list(read) == list(asdict(result))
    assert read["candidates"][0]["mfu"] is None and read["candidates"][0]["power"] is None
    assert read["candidates"][1] == json.loads(json.dumps(asdict(result.candidates[1])))


def test_exports_are_the_same_every_time(make: Make) -> None:
    for write in (csv_text, json_text, markdown):
        assert write(make(12)) == write(make(12))


def test_hostile_texts_survive_json_and_harm_no_export(poisoned: Result, poison: str) -> None:
    read = json.loads(json_text(poisoned))
    assert read["title"] == poisoned.title
    for text in (json_text(poisoned), csv_text(poisoned), markdown(poisoned)):
        text.encode("utf-8")
    shown = markdown(poisoned)
    assert not re.search(r"(?<!\\)<\w", shown) and "@everyone" not in shown and "[x](" not in shown
    assert len(max(shown.splitlines(), key=len)) < 8000


def test_markdown_says_the_verdict_and_lists_the_options(make: Make) -> None:
    result = make(12)
    text = markdown(result)
    assert text.startswith("## ") and "### Options" in text and "planner report plan.yaml" in text
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(table) == 2 + len(result.candidates)
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert "Nothing fits" in markdown(make(7, feasible=False))


def test_hidden_characters_are_made_visible() -> None:
    assert visible("a\u202eb\x00\ud800") == "a[U+202E]b[U+0000][U+D800]"
    assert visible("line\nnext\ttab ×–é") == "line\nnext\ttab ×–é"
    assert len(brief("W" * 10_000, 50)) == 50 and brief("a\n b") == "a b"


def test_script_json_is_json_without_markup() -> None:
    value = {"a": ["</script>&", 1.5, math.nan, "\u2028", "\ud800"]}
    text = script_json(value)
    assert json.loads(text) == {"a": ["</script>&", 1.5, None, "\u2028", "\ud800"]}
    assert not re.search("[<>&\u2028]", text)


def test_a_fraction_of_a_cent_keeps_its_digits() -> None:
    assert [money(amount, "USD") for amount in (0.0042, 0.42, 4321.0)] == ["$0.0042", "$0.42", "$4,321"]
