"""Charts drawn to static SVG while the page is built, by the same code that draws them in the browser."""

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from planner.report.text import STEADY, dumps
from planner.report.view import Chart

STATIC = Path(__file__).parent / "static"
WIDTH = 880
"""Pixels: near the printed width, so that text in a chart is as large on paper as the table's."""

_DRAW = """
globalThis.setTimeout = function () { return 0; };
globalThis.clearTimeout = function () {};
function draw(build, json, width) {
  var made = PlannerCharts[build](JSON.parse(json), width);
  var chart = echarts.init(null, null, {renderer: "svg", ssr: true, width: width, height: made.height});
  chart.setOption(made.option);
  var svg = chart.renderToSVGString();
  chart.dispose();
  return JSON.stringify(svg);  // a plain string may reach Python as a rope, which the binding cannot read
}
"""


@cache
def asset(name: str) -> str:
    """The text of a file in ``static/``."""
    return (STATIC / name).read_text(encoding="utf-8")


def static_charts(charts: Sequence[Chart]) -> dict[str, str]:
    """SVG text by chart id; empty where the embedded engine is missing: the page then draws them in the browser only."""
    try:
        import quickjs
    except ImportError:
        return {}
    context: Any = quickjs.Context()
    for script in (_DRAW, asset("echarts.min.js"), asset("charts.js"), asset("curves.js")):
        context.eval(script)
    context.eval("PlannerCharts.still = true;")
    draw = context.get("draw")
    return {chart.id: clean(json.loads(draw(chart.build, dumps(chart.data, digits=STEADY), WIDTH)), chart.id) for chart in charts}


def clean(svg: str, prefix: str) -> str:
    """``svg`` fit for a strict policy and for standing beside others: no styles, no classes, ids of its own."""
    svg = re.sub(r"<style\b.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<svg width="\d+" height="\d+"[^>]*?viewBox', '<svg aria-hidden="true" focusable="false" viewBox', svg)
    svg = re.sub(r'<rect width="\d+" height="\d+" x="0" y="0" fill="none"></rect>\n?', "", svg, count=1)
    svg = re.sub(r' (?:class="zr[^"]*"|xml:space="preserve"|pointer-events="visible")', "", svg)
    svg = re.sub(r' style="([^"]*)"', lambda match: _attributes(match[1]), svg)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r'href="#', f'href="#{prefix}-', svg)
    svg = re.sub(r"(?<=[\d.])(\d*\.\d\d)\d+(?=[ ,)LMCZAa\"-])", r"\1", svg)
    return re.sub(r"\n\s*", "", svg)


def _attributes(style: str) -> str:
    """``font-size:12px;font-weight:bold`` as presentation attributes; the family is the page's own."""
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    return "".join(f' {name.strip()}="{value.strip()}"' for name, value in pairs if name.strip() != "font-family")
