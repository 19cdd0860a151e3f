"""PDF and PNG by the Chromium that is installed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.errors import InputError
from planner.report import chromium
from planner.report.build import html
from planner.search.result import Result

Make = Callable[..., Result]
needs = pytest.mark.skipif(not any(map(shutil.which, chromium.NAMES)), reason="no Chromium on PATH")


@needs
def test_a_report_is_printed(make: Make, tmp_path: Path) -> None:
    chromium.pdf(html(make(3)), tmp_path / "r.pdf")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")


@needs
def test_every_chart_becomes_a_picture(make: Make, tmp_path: Path) -> None:
    pytest.importorskip("quickjs", reason="the embedded engine quickjs-ng is not installed")
    written = chromium.png(html(make(3)), tmp_path / "new" / "charts")
    assert {path.stem for path in written} >= {"pareto", "tornado", "roofline"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_without_a_browser_or_charts_one_message_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLANNER_CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(InputError, match="no Chromium"):
        chromium.pdf("<p>", tmp_path / "r.pdf")
    with pytest.raises(InputError, match="no drawn charts"):
        chromium.png("<p>", tmp_path)
    assert not (tmp_path / "r.pdf").exists()
