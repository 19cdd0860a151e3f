"""The section of a lifetime: every model, two charts, exports with what making and serving cost, and no harm from names."""

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from planner.report.build import csv_text, html, json_text, markdown
from planner.report.sections import lifetime
from planner.search.result import Result
from tests.report.conftest import hostile, lived

Make = Callable[..., Result]


def lines(result: Result, chart: int) -> list[dict[str, Any]]:
    charts: Any = lifetime.context(result)["charts"]
    found: list[dict[str, Any]] = charts[chart].data["lines"]
    return found


def test_other_results_have_no_such_section(make: Make) -> None:
    assert lifetime.context(make(3)) == {} and 'id="lifetime"' not in html(make(3))


def test_the_page_has_every_model_both_charts_and_no_scatter() -> None:
    page = html(lived(6))
    assert all(row.label in page for row in lived(6).life.rows)  # type: ignore[union-attr]
    assert 'data-chart="life"' in page and 'data-chart="life-share"' in page and 'data-chart="pareto"' not in page
    assert "from 200 thousand queries a day on" in page


def test_a_line_ends_where_nothing_serves_more() -> None:
    for line in lines(lived(4), 0):
        assert max(x for x, _ in line["points"]) < 5e6 and len(line["said"]) == math.ceil(len(line["points"]) / line["every"])


def test_beside_itself_the_base_is_a_hundred_percent() -> None:
    """The second model costs 2e5 + q / 2 beside 1e5 + q: at a thousand queries 200.5 of 101 thousand, or 198.5 %."""
    base, second = lines(lived(4), 1)[:2]
    assert {y for _, y in base["points"]} == {100.0}
    assert second["points"][0] == [1000.0, pytest.approx(100 * 200.5 / 101, rel=1e-4)]


def test_csv_and_json_have_what_each_model_takes() -> None:
    result = lived(4)
    rows = list(csv.DictReader(io.StringIO(csv_text(result))))
    assert [float(row["making_training_USD"]) for row in rows] == [1e5, 2e5, 3e5, 4e5]
    assert [row["pays"] for row in rows] == ["", "from", "from", "from"] and float(rows[2]["making_conversion_USD"]) == 0.3
    read = json.loads(json_text(result), parse_constant=str)
    assert len(read["life"]["rows"]) == 4 and read["life"]["curves"][result.candidates[0].label][-1] is None


def test_no_name_can_become_markup(poison: str) -> None:
    result = hostile(lived(4), poison)
    page = html(result)
    assert "<script>window.__xss" not in page and "<img src=x" not in page
    for write in (csv_text, json_text, markdown):
        assert write(result)


def test_where_no_model_can_be_served_there_is_no_line() -> None:
    result = lived(3)
    assert result.life
    nothing = {label: (math.inf,) * len(curve) for label, curve in result.life.curves.items()}
    context = lifetime.context(replace(result, life=replace(result.life, curves=nothing, ladder=())))
    assert context["charts"] == [] and context["steps"] == ()
