"""A report and the plan inside it: found again, made again, and told apart where something changed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from planner.errors import InputError
from planner.report.build import html
from planner.report.verify import differences, embedded
from planner.search.result import Result

Make = Callable[..., Result]


def test_the_plan_and_the_provenance_come_back_as_they_went_in(poisoned: Result) -> None:
    said = embedded(html(poisoned), "here")
    assert said.plan.encode("utf-8", "replace") == poisoned.plan_text.encode("utf-8", "replace")
    assert list(said.hashes) == list(poisoned.hashes) and list(said.versions) == list(poisoned.versions)


def test_the_same_bytes_differ_in_nothing(make: Make) -> None:
    result = make(5)
    page = html(result)
    assert differences(page, html(make(5)), result, embedded(page, "")) == []


@pytest.mark.parametrize(
    ("group", "name", "said"), [("hashes", "catalogue", "catalogue changed"), ("versions", "planner", "is 9.9")]
)
def test_what_changed_is_named(make: Make, group: str, name: str, said: str) -> None:
    page = html(make(5))
    now = replace(make(5), **{group: {**getattr(make(5), group), name: "9.9"}})
    reasons = differences(page, html(now), now, embedded(page, ""))
    assert said in reasons[0] and "reproduce" in reasons[-1]


def test_an_edited_page_is_found_out_and_the_section_named(make: Make) -> None:
    result = make(5)
    page = html(result)
    edited = page.replace(result.verdict.why, "Because we say so.", 1)
    assert edited != page
    reasons = differences(edited, html(make(5)), result, embedded(edited, ""))
    assert "edited" in reasons[0] and reasons[1] == "sections that differ: verdict"


def test_other_code_is_told_from_other_content(make: Make) -> None:
    result = make(3)
    page = html(result)
    older = page.replace("color-scheme: light dark;", "color-scheme: light;", 1)
    assert differences(older, page, result, embedded(older, "")) == [
        "only the page's own style or scripts differ: another version of the planner's code rendered it"
    ]


@pytest.mark.parametrize("page", [
    "", "<html>", '<script type="application/json" id="data">{}</script>',
    '<script type="application/json" id="data">[1]</script>',
    '<script type="application/json" id="data">{"plan": 1, "made": {"versions": {}, "hashes": {}}}</script>',
    '<script type="application/json" id="data">' + "[" * 100_000 + "</script>",
])  # fmt: skip
def test_what_is_no_report_is_refused(page: str) -> None:
    with pytest.raises(InputError, match="no report that can be verified"):
        embedded(page, "x.html")
