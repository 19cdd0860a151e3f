"""The page: well formed, complete, self-contained, the same every time, and safe whatever the names are."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from planner.report import engine
from planner.report.build import SCRIPTS, html
from planner.report.sections import found, pareto, provenance
from planner.search.result import Result

Make = Callable[..., Result]
VOID = {"meta", "link", "br", "input", "img", "hr"}


class Page(HTMLParser):
    """Reads a page, checks that its elements nest, and keeps what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] == "style":
            self.styles.append(data)
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_nests_and_names_every_candidate(make: Make) -> None:
    result = make(12)
    page = Page(html(result))
    assert page.open == []
    assert all(candidate.label in page.text for candidate in result.candidates)
    assert all(candidate.rejected in page.text for candidate in result.candidates)
    assert result.verdict.headline in page.text and result.verdict.flips[0] in page.text
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [str(attributes["href"])[1:] for tag, attributes in page.tags if tag == "a" and str(attributes["href"])[0] == "#"]
    assert set(targets) <= set(ids)


def test_the_same_result_gives_the_same_bytes(make: Make) -> None:
    assert html(make(12)) == html(make(12))


def test_the_policy_comes_first_and_its_hashes_are_those_of_what_stands_in_the_page(make: Make) -> None:
    text = html(make(12))
    page = Page(text)
    meta = re.search(r'<head>\s*<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert meta
    policy = meta[1].replace("&#39;", "'")
    scripts = [body for body in page.scripts if not body.startswith("{")]
    assert len(scripts) == len(SCRIPTS) and len(page.styles) == 1
    for body in scripts + page.styles:
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
    assert "base-uri 'none'" in policy and "form-action 'none'" in policy


def test_nothing_is_fetched_and_nothing_is_styled_or_scripted_inline(make: Make) -> None:
    page = Page(html(make(12)))
    for tag, attributes in page.tags:
        assert "style" not in attributes and not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert "src" not in attributes and "srcset" not in attributes
        assert tag not in {"iframe", "object", "embed", "base", "form"}
        if tag == "link":
            assert attributes["href"] == "data:,"


def test_no_text_can_become_markup(poisoned: Result, poison: str) -> None:
    text = html(replace(poisoned, plan_text=poison[:100]))
    page = Page(text)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= KNOWN_TAGS
    assert sum(tag == "script" for tag, _ in page.tags) == len(SCRIPTS) + 1
    assert not any(name.startswith("on") or name == "style" for _, attributes in page.tags for name in attributes)
    assert ("{{7*7}}" in poison) is ("{{7*7}}" in page.text)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", text)
    assert "W" * 2000 not in page.text
    assert all(address.startswith(("#", "https://", "http://", "data:,")) for address in _addresses(page))
    text.encode("utf-8")


KNOWN_TAGS = set(
    re.findall(
        r"\w+",
        "html head meta title link style body a header p span bdi code h1 h2 h3 nav main section footer div script "
        "strong svg rect path text g defs clippath polyline line circle polygon ul li dl dt dd table caption thead tbody "
        "tr th td label input select option button details summary figure figcaption small pre br noscript "
        "fieldset legend output",
    )
)


def _addresses(page: Page) -> list[str]:
    return [str(attributes["href"]) for _, attributes in page.tags if "href" in attributes]


def test_the_data_in_the_page_is_json_and_cannot_end_its_script(poisoned: Result) -> None:
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', html(poisoned), re.DOTALL)
    assert block and not re.search("[<>&\u2028\u2029]", block[1])
    data = json.loads(block[1], parse_constant=_refuse)
    assert set(data["charts"]) == CHARTS


TABLE = re.compile("[Tt]able ")
CHARTS = {
    "pareto", "cost-parts", "memory-fit", "time-shares", "odds-bands", "tornado", "break-evens", "latency-curve", "roofline",
    "own-spent", "own-use",
}  # fmt: skip


def _refuse(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


def test_where_nothing_fits_the_page_says_so_and_why(make: Make) -> None:
    result = make(7, feasible=False)
    page = Page(html(result))
    assert "Nothing fits" in page.text and "Key figures" not in page.text
    assert all(page.text.count(candidate.rejected) >= 2 for candidate in result.candidates)


def test_a_result_without_candidates_still_makes_a_page(make: Make) -> None:
    assert "No option was found" in Page(html(make(0))).text


def test_unknown_figures_are_shown_as_unknown(make: Make) -> None:
    result = make(3)
    nan = float("nan")
    blank = replace(result.candidates[0].cost, value=nan, low=nan, high=nan)
    odd = replace(
        result.candidates[0], cost=blank, unit_cost=blank, throughput=blank, latency={}, memory={}, memory_capacity=nan,
        time={}, cost_parts={}, mfu=nan, mbu=nan, power=nan, energy_per_unit=nan, layout={}, cited=(),
    )  # fmt: skip
    text = Page(html(replace(result, candidates=(odd, *result.candidates[1:]), demand=nan))).text
    assert " nan" not in text.lower() and "–" in text


@pytest.mark.parametrize(("level", "warned"), [("datasheet", True), ("family", True), ("calibrated", False)])
def test_a_choice_on_weak_evidence_alone_carries_a_banner(make: Make, level: str, warned: bool) -> None:
    result = make(7)
    best = result.candidates[0]
    weak = replace(
        best,
        throughput=replace(best.throughput, evidence=level),
        latency={name: replace(estimate, evidence=level) for name, estimate in best.latency.items()},
    )
    text = Page(html(replace(result, candidates=(weak, *result.candidates[1:])))).text
    assert ("Not measured yet." in text) is warned


def test_sources_name_each_figure_once_and_count_its_options(make: Make) -> None:
    result = make(12)
    groups: Any = provenance.context(result)["groups"]
    figures = [(group["source"], figure["what"], figure["value"]) for group in groups for figure in group["figures"]]
    cited = {(c.source, c.what, c.value) for candidate in result.candidates for c in candidate.cited}
    assert len(figures) == len(set(figures)) and set(figures) == cited
    assert sum(figure["used"] for group in groups for figure in group["figures"]) == sum(len(c.cited) for c in result.candidates)
    assert all(group["url"] == "" or group["url"].startswith("https://") for group in groups)


def test_rejected_outliers_do_not_squeeze_the_scatter(make: Make) -> None:
    result = make(12)
    far = replace(result.candidates[-1], label="far", cost=replace(result.candidates[-1].cost, value=1e9), rejected="too dear")
    chart: Any = pareto.context(replace(result, candidates=(*result.candidates[:-1], far)))["chart"]
    assert "far" not in [point["label"] for point in chart.data["points"]] and "1 rejected option" in chart.caption


def test_a_hundred_candidates_stay_under_the_ceiling(make: Make) -> None:
    assert len(html(make(100)).encode()) < 1_200_000


def test_every_chart_stands_in_the_page_as_a_drawing_with_a_text_beside_it(make: Make) -> None:
    pytest.importorskip("quickjs", reason="the embedded engine quickjs-ng is not installed")
    page = Page(html(make(12)))
    charts = [attributes for _, attributes in page.tags if "data-chart" in attributes]
    assert len(charts) == len(CHARTS) and all("has-static" in str(chart["class"]) for chart in charts)
    assert all(chart["role"] == "img" and TABLE.search(str(chart["aria-label"])) for chart in charts)


def test_without_the_engine_the_page_still_has_its_charts_data(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.report.build.static_charts", lambda charts: {})
    text = html(make(12))
    assert "has-static" not in text.partition("<body>")[2].partition("<script")[0]
    assert "This chart needs scripts" in text and '"points"' in text


def test_every_section_is_a_module_with_a_template_beside_it() -> None:
    orders = [module.ORDER for module in found()]
    assert orders == sorted(set(orders)) and len(orders) >= 10
    for module in found():
        assert module.TITLE and module.context.__doc__
        assert (engine.STATIC.parent / "sections" / f"{module.__name__.rpartition('.')[2]}.html.j2").is_file()


def test_the_vendored_bundle_is_the_one_its_note_describes() -> None:
    bundle = (engine.STATIC / "echarts.min.js").read_bytes()
    assert hashlib.sha256(bundle).hexdigest() in (engine.STATIC / "ECHARTS.md").read_text()
    assert b"</script" not in bundle.lower() and b"<!--" not in bundle


def test_the_report_room_imports_nothing_slow() -> None:
    slow = "{'numpy', 'pandas', 'scipy', 'torch', 'pydantic', 'yaml'}"
    script = f"import sys, planner.report.build; print(*sorted({slow} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
