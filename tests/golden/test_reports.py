"""The committed reports are what their plans give today, byte for byte."""

from pathlib import Path

import pytest

from planner.catalogue.plan import gather, read_plan
from planner.catalogue.profiles import Profiles
from planner.cli.report import PAGE
from planner.decide.decision import decide, shortened
from planner.report import build

PLANS = sorted((Path(__file__).parents[2] / "reports").glob("*/plan.yaml"))


@pytest.fixture(scope="module")
def profiles():
    return Profiles()


@pytest.mark.parametrize("path", PLANS, ids=lambda p: p.parent.name)
def test_report_is_current(path, profiles):
    plan, text = read_plan(path)
    rendered = build.html(shortened(decide(gather(plan, text, path, profiles)), PAGE))
    committed = path.with_name("report.html").read_text(encoding="utf-8")
    assert rendered == committed, "render it again: make reports"
