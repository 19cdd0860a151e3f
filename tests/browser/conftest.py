"""A real Chromium that looks at made-up reports from files, and keeps what it complains about."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from planner.search.result import Result

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
CHROMIUM = os.environ.get("PLANNER_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", function (event) {
  window.__violations.push(event.violatedDirective + " " + event.blockedURI + " " + event.sourceFile);
});
"""


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The made-up results of ``tests/report``."""
    path = Path(__file__).parents[1] / "report" / "conftest.py"
    spec = importlib.util.spec_from_file_location("report_samples", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium with a fresh profile; the tests that need it are skipped by name where it is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if not CHROMIUM:
        pytest.skip("no Chromium on PATH: install chromium or set PLANNER_CHROMIUM to its path")
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class View:
    """A page, and every complaint and request since it was opened."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))
        page.add_init_script(WATCH)

    @property
    def violations(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.__violations")
        return found

    def is_clean(self) -> bool:
        """No complaint, no violation of the policy, and nothing asked for but the file itself."""
        assert self.complaints == [] and self.violations == []
        assert len(self.requests) == 1 and self.requests[0].startswith("file://"), self.requests
        return True


Show = Callable[..., View]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Show]:
    """A function that opens the report of a Result at a width, light or dark, with or without scripts."""
    from planner.report.build import html

    contexts = []

    def open_(result: Result, width: int = 1280, scheme: str = "light", scripts: bool = True) -> View:
        path = tmp_path / "report.html"
        path.write_text(html(result), encoding="utf-8", newline="")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts)
        contexts.append(context)
        view = View(context.new_page())
        view.page.goto(path.as_uri(), wait_until="load")
        return view

    yield open_
    for context in contexts:
        context.close()
