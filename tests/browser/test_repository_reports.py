"""The repository's own reports: on paper charts beside their captions, scales that hold their lines; on a phone whole names."""

import io
from pathlib import Path
from typing import Any

import pytest

REPORTS = Path(__file__).parents[2] / "reports"
FIGURES = """[...document.querySelectorAll('figure.figure')].map(f => [
    f.querySelector('figcaption').textContent,
    [...f.querySelectorAll('.static svg text')].map(t => t.textContent).sort((a, b) => b.length - a.length)[0] || ''])"""
DOLLARS = """(how) => [...document.querySelectorAll(`[data-chart='own-spent'] .${how} svg text`)].map(t => t.textContent)
    .filter(t => t.startsWith('$'))"""


@pytest.fixture
def opened(browser: Any, request: pytest.FixtureRequest) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((REPORTS / request.param / "report.html").as_uri(), wait_until="load")
    yield page
    page.close()


def squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@pytest.mark.parametrize("opened", ["edge-60-cameras", "own-64-h100", "pretrain-70b"], indirect=True)
def test_a_printed_chart_is_on_the_page_of_its_caption(opened: Any) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed: pip install pypdf")
    figures = [(squeezed(caption)[:40], squeezed(words)) for caption, words in opened.evaluate(FIGURES)]
    printed = pypdf.PdfReader(io.BytesIO(opened.pdf(prefer_css_page_size=True, print_background=True)))
    pages = [squeezed(page.extract_text()) for page in printed.pages]
    parted = [caption for caption, words in figures if not any(caption in page and words in page for page in pages)]
    assert figures and parted == []


@pytest.mark.parametrize("opened", ["edge-60-cameras", "own-64-h100"], indirect=True)
def test_a_still_chart_has_the_scale_of_the_live_one(opened: Any) -> None:
    still, live = opened.evaluate(DOLLARS, "static"), opened.evaluate(DOLLARS, "live")
    assert live and still == live


@pytest.mark.parametrize("opened", ["own-64-h100", "train-recommender"], indirect=True)
def test_names_in_tables_do_not_break_into_letters_on_a_phone(opened: Any) -> None:
    opened.set_viewport_size({"width": 390, "height": 900})
    for table in ("ways", "energy"):
        assert opened.locator(f"table.{table} tbody th").first.bounding_box()["width"] >= 115
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
