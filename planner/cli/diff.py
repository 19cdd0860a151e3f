"""``planner diff``: what changed between two decisions, and why."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, answer, dump, table

if TYPE_CHECKING:
    from planner.decide.difference import Changed, Difference

EXAMPLES = """Example: planner report plan.yaml -o before.json; (prices change); planner report plan.yaml -o after.json;
planner diff before.json after.json"""
ROWS = 20


def command(
    before: Annotated[Path, typer.Argument(metavar="A.json", help="A result of 'planner report --format json'.")],
    after: Annotated[Path, typer.Argument(metavar="B.json", help="A later one.")],
    every: Annotated[bool, typer.Option("--all", help="Every option that changed, instead of the best.")] = False,
    format: FormatOption = Format.table,
) -> None:
    """Compare two decisions: the choice, every option whose cost or speed changed, and the inputs that changed them.

    The exit status is 1 where the choice is another one.
    """
    from dataclasses import asdict

    from planner.catalogue.results import read_result
    from planner.decide.difference import difference
    from planner.search.result import SCHEMA_VERSION

    found = difference(read_result(before, SCHEMA_VERSION), read_result(after, SCHEMA_VERSION))
    answer(format, lambda: dump({"schema_version": 1, "same": found.same, **asdict(found)}), lambda: _text(found, every))
    if found.choices[0] != found.choices[1]:
        raise typer.Exit(1)


def _text(d: "Difference", every: bool) -> str:
    if d.same:
        return "Nothing changed."
    changed = d.choices[0] != d.choices[1]
    blocks = [f"Before: {d.headlines[0]}\nAfter:  {d.headlines[1]}" if changed else f"The choice is the same: {d.headlines[1]}"]
    if d.inputs:
        rows = [[name, _brief(one), _brief(other)] for name, one, other in d.inputs]
        blocks.append(table(["what it was made from", "before", "after"], rows))
    shown = d.changed if every else d.changed[:ROWS]
    if shown:
        header = ["option", "rank", "cost", "throughput", "because"]
        blocks.append(table(header, [_row(c) for c in shown], "lrrr"))
    if len(d.changed) > len(shown):
        blocks.append(f"{len(d.changed) - len(shown)} more options changed: --all shows them.")
    for word, labels in (("New", d.came), ("Gone", d.went)):
        if labels:
            blocks.append(f"{word}: {', '.join(labels[:10])}{' …' if len(labels) > 10 else ''}")
    return "\n\n".join(blocks)


def _row(c: "Changed") -> list[str]:
    rank = str(c.rank[1]) if c.rank[0] == c.rank[1] else f"{c.rank[0]} → {c.rank[1]}"
    state = {(False, True): ["out now: " + c.rejected[1]], (True, False): ["was out: " + c.rejected[0]]}
    because = [*state.get((bool(c.rejected[0]), bool(c.rejected[1])), []), *c.because] or ["the code, the plan or the model"]
    return [c.label, rank, _moved(*c.cost), _moved(*c.throughput), "; ".join(because[:3]) + (" …" if len(because) > 3 else "")]


def _moved(before: float, after: float) -> str:
    from planner import units

    if math.isnan(before) or math.isnan(after):
        return f"{units.significant(before)} → {units.significant(after)}"
    if math.isclose(before, after, rel_tol=1e-6):
        return units.significant(after)
    share = f" ({100 * (after / before - 1):+.1f} %)" if before else ""
    return f"{units.significant(before)} → {units.significant(after)}{share}"


def _brief(text: str) -> str:
    return (text[:16] + "…" if len(text) > 60 and " " not in text else text) or "–"
