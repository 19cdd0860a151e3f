"""A Result as Markdown for a pull request: the verdict, the figures, the best options, what it rests on."""

import re

from planner.report.odds import safer, share, worth_measuring
from planner.report.text import brief, percent, plain
from planner.report.view import (
    LATENCY_HEADS,
    Format,
    chosen,
    headroom,
    latency_form,
    latency_keys,
    money_of,
    rate,
    shown,
)
from planner.search.candidate import Candidate, Estimate
from planner.search.result import Result

ROWS = 20
_SPECIAL = re.compile(r"([\\`*_\[\]<>#!|~@&$]|^[-+=])")


def markdown(result: Result) -> str:
    """A short report in GitHub's Markdown; nothing in a name can become markup, a mention or a link."""
    verdict = result.verdict
    lines = [f"## {_safe(result.title, 300)}", "", _meta(result), "", f"> {_safe(result.goal, 600)}", ""]
    lines += [f"**{_safe(verdict.headline, 400)}**", ""]
    lines += [f"{_safe(text, 1200)}\n" for text in (verdict.why,) if text]
    choice = chosen(result)
    if choice:
        lines += _choice(result, choice)
    lines += _list("The answer changes if", verdict.flips) + _list("Mind", verdict.cautions)
    lines += _table(result)
    lines += _list("Own or rent", result.ownership.said if result.ownership else ())
    lines += _list("Taken for granted", result.assumptions) + _list("Left out", result.exclusions)
    lines += _list("How far such estimates were from published measurements", result.accuracy)
    lines += ["### Make it again", "", "```sh", "planner report plan.yaml", "```", ""]
    lines += [", ".join(f"{_safe(k)} {_safe(v, 90)}" for k, v in (result.versions | result.hashes).items())]
    return "\n".join(lines).rstrip() + "\n"


def _meta(result: Result) -> str:
    parts = [result.status, result.date, result.owner and f"owner {result.owner}"]
    parts.append(result.oldest_price and f"oldest price {result.oldest_price}")
    return " · ".join(_safe(part, 60) for part in parts if part)


def _choice(result: Result, c: Candidate) -> list[str]:
    lines = [f"- Cost a {_safe(result.cost_period)}: {_figure(c.cost, money_of(result))}"]
    unit = _safe(result.throughput_unit)
    lines.append(f"- Throughput: {_figure(c.throughput, rate)} {unit}, {rate(result.demand)} needed")
    lines += [f"- {_head(k)}: {_figure(e, latency_form(k))}" for k, e in c.latency.items()]
    lines.append(f"- Memory free: {percent(headroom(c))}")
    if c.odds is not None:
        lines.append(
            f"- The cheapest in {share(c.odds.cheapest)} of {result.draws:,} draws, within every limit in {share(c.odds.keeps)}"
        )
    lines += [f"- {_safe(text, 400)}" for text in (safer(result), worth_measuring(result)) if text]
    if result.verdict.runner_up:
        lines.append(f"- Runner-up: {_safe(result.verdict.runner_up)}. {_safe(result.verdict.gap, 400)}")
    return [*lines, ""]


def _figure(estimate: Estimate, form: Format) -> str:
    figure = shown(estimate, form)
    return f"**{_safe(figure.text)}** ({', '.join(_safe(p) for p in (figure.interval, figure.evidence) if p)})"


def _head(key: str) -> str:
    return LATENCY_HEADS.get(key) or _safe(plain(key), 40)


def _table(result: Result) -> list[str]:
    keys = latency_keys(result)
    heads = ["Option", f"Cost a {_safe(result.cost_period)}", _safe(result.throughput_unit), *map(_head, keys)]
    heads += ["Memory", "Cheapest in", "Limited by", "Evidence", "Fits"]
    lines = ["### Options", "", _cells(heads), _cells([":--", *["--:"] * (len(keys) + 4), ":--", ":--", ":--"])]
    for c in result.candidates[:ROWS]:
        times = [latency_form(k)(c.latency[k].value) if k in c.latency else "–" for k in keys]
        row = [_safe(c.label), _safe(money_of(result)(c.cost.value)), rate(c.throughput.value), *times]
        row += [
            percent(1 - headroom(c)),
            share(c.odds.cheapest) if c.odds else "–",
            _safe(plain(c.bottleneck)),
            _safe(c.throughput.evidence),
        ]
        lines.append(_cells([*row, _safe(c.rejected, 200) or "yes"]))
    left = len(result.candidates) - ROWS
    return [*lines, "", *([f"And {left} more.", ""] if left > 0 else [])]


def _cells(values: list[str]) -> str:
    return f"| {' | '.join(values)} |"


def _list(title: str, items: tuple[str, ...]) -> list[str]:
    return [f"### {title}", "", *(f"- {_safe(item, 600)}" for item in items), ""] if items else []


def _safe(text: str, limit: int = 120) -> str:
    """``text`` on one line with everything Markdown could read as markup escaped; a mention loses its grip."""
    return _SPECIAL.sub(r"\\\1", brief(text, limit)).replace("\\@", "@\u2060").replace("://", ":\u2060//")
