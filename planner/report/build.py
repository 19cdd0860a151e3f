"""Builds the report: ``html``, ``markdown``, ``csv_text`` and ``json_text`` of a Result. Same Result, same bytes."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from planner.report.engine import asset, static_charts
from planner.report.export import csv_text, json_text
from planner.report.markdown import markdown
from planner.report.sections import found
from planner.report.text import brief, plain, script_json, visible
from planner.report.view import EVIDENCE, Chart, kind_class
from planner.report.whatif import whatif_data
from planner.search.result import Result

__all__ = ["csv_text", "html", "json_text", "markdown"]

STYLES = ("base.css", "parts.css", "charts.css", "narrow.css", "print.css")
SCRIPTS = ("echarts.min.js", "charts.js", "curves.js", "whatif.js", "controls.js", "page.js")


def html(result: Result) -> str:
    """The whole report as one page that needs nothing else: no network, no server, no clock."""
    contexts = {module.__name__.rpartition(".")[2]: (module.TITLE, module.context(result)) for module in found()}
    charts = [chart for _, context in contexts.values() for chart in context.get("charts", ()) if isinstance(chart, Chart)]
    drawn = {id_: Markup(svg) for id_, svg in static_charts(charts).items()}  # safe: our engine escapes its texts
    data = {
        "charts": {chart.id: _chart(chart) for chart in charts},
        "whatif": whatif_data(result),
        "plan": result.plan_text,
        "made": {"versions": dict(result.versions), "hashes": dict(result.hashes)},
        "csv": csv_text(result),
    }
    env = _environment()
    sections = [
        {"id": name, "title": title, "body": _body(env, name, context, drawn)}
        for name, (title, context) in contexts.items()
        if context
    ]
    style = _inline("\n".join(asset(name) for name in STYLES))
    scripts = [_inline(asset(name)) for name in SCRIPTS]
    return env.get_template("page.html.j2").render(
        result=result,
        input_hash=_input_hash(result),
        sections=sections,
        style=Markup(style),  # safe: our own file
        scripts=[Markup(script) for script in scripts],  # safe: our own files
        data=Markup(script_json(data)),  # safe: escaped by script_json
        policy=_policy(style, scripts),
    )


def _chart(chart: Chart) -> dict[str, object]:
    """What the page's scripts need of a chart."""
    variants = {"variants": [data for _, data in chart.variants]} if len(chart.variants) > 1 else {}
    return {"build": chart.build, "data": chart.data, **variants}


def _body(env: Environment, name: str, context: dict[str, object], drawn: dict[str, Markup]) -> Markup:
    rendered = env.get_template(f"sections/{name}.html.j2").render(**context, drawn=drawn)
    return Markup(rendered)  # safe: came out of an autoescaping template


def _input_hash(result: Result) -> str:
    hashes = result.hashes
    return brief((hashes.get("inputs") or next(iter(hashes.values()), "")).removeprefix("sha256:"), 13)


def _inline(text: str) -> str:
    """``text`` that may stand inside ``<script>`` or ``<style>``: nothing in it ends the element or opens a comment."""
    return text.replace("\r", "").replace("</script", "<\\/script").replace("</style", "<\\/style").replace("<!--", "<\\!--")


def _policy(style: str, scripts: list[str]) -> str:
    """The Content-Security-Policy: nothing runs or styles but what stands here, and nothing is fetched or sent."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'sha256-{_digest(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,  # each template is rendered once: looking for constants in it takes longer than it saves
        # Every text that reaches a template passes here, so no section can forget it.
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    env.filters |= {"brief": brief, "plain": plain, "kind_class": kind_class}
    env.tests["evidence_level"] = lambda value: value in EVIDENCE
    return env
