"""The report in a real browser: quiet, closed, sortable, hoverable, printable, and no wider than a phone."""

from types import ModuleType
from typing import Any

import pytest

PHONE = 390
CHARTS = 11


def test_the_page_is_quiet_and_asks_for_nothing(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(12))
    assert view.page.locator(".chart.is-live .live svg").count() == CHARTS
    assert view.is_clean()


def test_hovering_every_chart_shows_a_tooltip_and_breaks_no_rule(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(12))
    for name, selector in MARKS.items():
        mark = view.page.locator(f"[data-chart='{name}'] .live svg {selector}").first
        mark.scroll_into_view_if_needed()
        box = mark.bounding_box()
        view.page.mouse.move(box["x"] + box["width"] / 2 - 2, box["y"] + box["height"] / 2 - 2)
        view.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        tip = view.page.locator("#tip")
        tip.wait_for(state="visible", timeout=5000)
        assert len(tip.inner_text().splitlines()) >= 3
        view.page.mouse.move(1, 1)
        tip.wait_for(state="hidden", timeout=5000)
    assert view.is_clean()


MARKS = {
    "pareto": "path[fill^='var(--k-']",
    **dict.fromkeys(("cost-parts", "memory-fit", "time-shares", "latency-curve", "roofline", "tornado"), "path[fill^='var(--s']"),
    "odds-bands": "path[fill^='var(--k-']",
}
"""What to hover in each chart; the points of break-evens are not seen."""


def test_a_lifetime_s_lines_tell_their_figures(show: Any, samples: ModuleType) -> None:
    view = show(samples.lived(6))
    assert view.page.locator(".chart.is-live .live svg").count() >= 5
    for name in ("life", "life-share"):
        mark = view.page.locator(f"[data-chart='{name}'] .live svg path[fill^='var(--s']").nth(3)
        mark.scroll_into_view_if_needed()
        box = mark.bounding_box()
        view.page.mouse.move(box["x"] + box["width"] / 2 - 2, box["y"] + box["height"] / 2 - 2)
        view.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        tip = view.page.locator("#tip")
        tip.wait_for(state="visible", timeout=5000)
        assert "Queries a day" in tip.inner_text() and "Total" in tip.inner_text()
        view.page.mouse.move(1, 1)
        tip.wait_for(state="hidden", timeout=5000)
    assert view.is_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_hostile_lifetime_runs_nothing_and_fits_a_phone(show: Any, samples: ModuleType, scheme: str) -> None:
    for text in ("".join(samples.HOSTILE), samples.HOSTILE[-1]):
        view = show(samples.hostile(samples.lived(5), text), width=PHONE, scheme=scheme)
        assert view.page.evaluate("window.__xss") is None
        assert view.page.evaluate("document.documentElement.scrollWidth") <= PHONE
        assert view.is_clean()


def test_headers_sort_the_table_by_click_and_by_key(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(12))
    head = view.page.locator("table.options thead th", has_text="Output tokens/s")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert _column(view, 5) == sorted(_column(view, 5))
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert _column(view, 5) == sorted(_column(view, 5), reverse=True)
    assert view.page.locator("th[aria-sort]").count() == 1
    view.page.locator("table.options thead th", has_text="Option").locator("button").click()
    names = [name.lower() for name in view.page.locator("table.options tbody th .name").all_inner_texts()]
    assert names == sorted(names)
    assert view.is_clean()


def _column(view: Any, index: int) -> list[float]:
    script = "(i) => [...document.querySelectorAll('table.options tbody tr')].map(r => +r.cells[i].dataset.v)"
    found: list[float] = view.page.evaluate(script, index)
    return found


def test_the_filter_and_the_box_hide_rows_and_say_how_many(show: Any, samples: ModuleType) -> None:
    result = samples.sample(12)
    view = show(result)
    view.page.fill("#filter", "alder spot")
    wanted = [c for c in result.candidates if "alder" in c.label and "spot" in c.label]
    assert view.page.locator("table.options tbody tr:visible").count() == len(wanted)
    view.page.fill("#filter", "")
    view.page.check("#only-feasible")
    fitting = sum(c.feasible for c in result.candidates)
    assert view.page.locator("table.options tbody tr:visible").count() == fitting
    assert f"{fitting} of 12" in view.page.inner_text("#filter-said")


def test_the_table_can_be_saved_as_csv_and_the_plan_copied(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(3))
    with view.page.expect_download() as download:
        view.page.click("[data-download=csv]")
    saved = download.value.path().read_bytes()
    assert saved.startswith(b"\xef\xbb\xbflabel,") and saved.count(b"\r\n") == 4
    view.page.click("[data-copy='plan']")
    view.page.locator("[data-copy='plan']", has_text="Cop").wait_for()
    assert view.complaints == [] and view.violations == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_hostile_result_runs_nothing_and_fits_a_phone(show: Any, samples: ModuleType, scheme: str) -> None:
    for text in ("".join(samples.HOSTILE), samples.HOSTILE[-1]):
        view = show(samples.hostile(samples.sample(5), text), width=PHONE, scheme=scheme)
        assert view.page.evaluate("window.__xss") is None
        assert view.page.evaluate("document.documentElement.scrollWidth") <= PHONE
        assert view.page.locator(".chart.is-live").count() == CHARTS
        assert view.is_clean()


@pytest.mark.parametrize("size", [0, 1, 12, 100])
def test_a_phone_never_scrolls_sideways(show: Any, samples: ModuleType, size: int) -> None:
    for feasible in (True, False):
        view = show(samples.sample(size, feasible=feasible), width=PHONE)
        assert view.page.evaluate("document.documentElement.scrollWidth") <= PHONE
        below = "document.documentElement.scrollHeight - document.querySelector('footer').getBoundingClientRect().bottom"
        assert view.page.evaluate(below) < 100, "something hidden makes the page longer than what is seen"
        assert view.is_clean()


def test_without_scripts_the_charts_and_the_table_stand(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(12), scripts=False)
    assert view.page.locator(".static svg:visible").count() == CHARTS
    assert view.page.locator("table.options tbody tr:visible").count() == 12
    assert not view.page.locator("#filter").is_visible()
    assert view.complaints == []


def test_paper_gets_the_static_charts_and_open_folds(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(12))
    view.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    view.page.emulate_media(media="print")
    assert view.page.locator(".static svg:visible").count() == CHARTS
    assert view.page.locator(".live:visible").count() == 0
    assert view.page.locator("details:not([open])").count() == 0
    view.page.emulate_media(media="screen")
    view.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert view.page.locator(".folds details[open]").count() == 1
    assert len(view.page.pdf(prefer_css_page_size=True)) > 10_000
    assert view.is_clean()


def test_dark_and_light_differ_in_the_static_charts_too(show: Any, samples: ModuleType) -> None:
    colours = set()
    for scheme in ("light", "dark"):
        view = show(samples.sample(4), scheme=scheme, scripts=False)
        text = view.page.locator(".static svg text").first
        assert text.get_attribute("fill").startswith("var(--")
        colours.add(view.page.screenshot(clip={"x": 0, "y": 0, "width": 400, "height": 300}))
    assert len(colours) == 2


def test_the_keyboard_reaches_the_controls_and_focus_is_seen(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(3))
    view.page.keyboard.press("Tab")
    assert view.page.evaluate("document.activeElement.className") == "skip"
    view.page.locator("table.options thead button").first.focus()
    view.page.keyboard.press("Tab")
    width = view.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert view.page.evaluate("document.activeElement.tagName") == "BUTTON" and float(width.removesuffix("px")) >= 2


def test_sliders_move_the_ranking_and_the_verdict_of_the_what_if(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(21))
    before = _ranking(view)
    assert len(before) >= 3 and "plan’s choice" in view.page.inner_text("#whatif-said")
    _slide(view, "price_spot", 1000)  # three times the price
    after = _ranking(view)
    assert after != before and _cost(view, 0) >= 0
    assert view.page.inner_text("#lever-price_spot-out") == "300 %"
    view.page.click("#whatif-reset")
    assert _ranking(view) == before and view.page.evaluate("location.hash") in ("", "#")
    assert view.is_clean()


def test_every_slider_changes_what_something_costs_or_what_fits(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(21))
    sliders = view.page.locator("#whatif input[type=range]").evaluate_all("all => all.map(s => s.name)")
    assert {"traffic", "utilisation", "efficiency", "context"} <= set(sliders)
    for name in sliders:
        before = view.page.inner_text(".answers")
        _slide(view, name, 0 if name in ("context", "utilisation") else 1000)
        assert view.page.inner_text(".answers") != before, name
        view.page.click("#whatif-reset")
    assert view.is_clean()


def _slide(view: Any, name: str, to: int) -> None:
    view.page.locator(f"#lever-{name}").evaluate(
        "(s, to) => { s.value = to; s.dispatchEvent(new Event('input', { bubbles: true })); }", to
    )


def _ranking(view: Any) -> list[str]:
    found: list[str] = view.page.locator("#whatif-rows .name").all_inner_texts()
    return found


def _cost(view: Any, row: int) -> float:
    return float(view.page.locator("#whatif-rows tr").nth(row).locator("td").nth(1).inner_text().strip("$").replace(",", ""))


def test_what_the_reader_chose_stands_in_the_address_and_comes_back(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(21))
    _slide(view, "traffic", 700)
    view.page.uncheck("input[data-term=spot]")
    view.page.fill("#filter", "birch")
    view.page.locator("#whatif-rows button").first.click()
    view.page.locator("table.options thead th", has_text="Output tokens/s").locator("button").click()
    seen = (_ranking(view), view.page.inner_text("#whatif-said"), _column(view, 5), view.page.input_value("#filter"))
    address = view.page.evaluate("location.href")
    assert "#?" in address and "traffic=" in address
    again = view.page.context.new_page()
    again.goto(address)
    view.page = again
    assert (_ranking(view), again.inner_text("#whatif-said"), _column(view, 5), again.input_value("#filter")) == seen
    assert not again.is_checked("input[data-term=spot]")


def test_a_hostile_address_runs_nothing(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(5))
    for text in ("<img src=x onerror=window.__xss=1>", "__proto__", "1e999", "javascript:window.__xss=2", "%ff%", "a" * 5000):
        page = view.page.context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        start = view.page.url.partition("#")[0]
        page.goto(f"{start}#?traffic={text}&filter={text}&hidden={text}&currency={text}&sort={text}&{text}={text}&region={text}")
        assert page.locator("#whatif-rows tr").count() >= 0 and page.evaluate("window.__xss") is None and errors == []
        assert page.evaluate("({}).polluted") is None
        page.close()


def test_another_currency_and_region_are_shown(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(12))
    dollars = _cost(view, 0)
    view.page.fill("#whatif-currency", "eur")
    view.page.press("#whatif-currency", "Tab")
    view.page.fill("#whatif-rate", "0.5")
    view.page.press("#whatif-rate", "Tab")
    shown = view.page.locator("#whatif-rows tr").first.locator("td").nth(1).inner_text()
    assert shown.startswith("€") and float(shown.strip("€").replace(",", "")) == pytest.approx(dollars / 2, rel=0.01)
    view.page.select_option("#whatif-region", "south-2")
    dearer = view.page.locator("#whatif-rows tr").first.locator("td").nth(3).inner_text()
    assert 5 < float(dearer.strip("+ %")) <= 10, "rent is a tenth dearer there, and most of the cost"
    assert view.is_clean()


def test_the_plan_can_be_saved(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(3))
    with view.page.expect_download() as download:
        view.page.click("[data-download=plan]")
    assert download.value.path().read_text() == samples.sample(3).plan_text


def test_break_evens_can_be_drawn_over_every_input(show: Any, samples: ModuleType) -> None:
    view = show(samples.sample(21))
    select = view.page.locator("[data-variants='break-evens']")
    drawings = set()
    for value in select.locator("option").evaluate_all("all => all.map(o => o.value)"):
        select.select_option(value)
        drawings.add(view.page.locator("[data-chart='break-evens'] .live svg").inner_html())
    assert len(drawings) == select.locator("option").count() > 1
    assert view.is_clean()


@pytest.mark.parametrize("width", [1280, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(show: Any, samples: ModuleType, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    view = show(samples.sample(12), width=width, scheme=scheme)
    found = axe.Axe().run(view.page).response["violations"]
    serious = [f"{v['id']}: {v['help']} {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []
