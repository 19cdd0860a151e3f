"""``planner bench compare``: two records side by side."""

from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, answer, dump, table

if TYPE_CHECKING:
    from planner.calibrate.contrast import Contrast

EXAMPLES = "Examples: planner bench compare 20261126T0 latest; planner bench compare before.json after.json --format json"


def command(
    one: Annotated[str, typer.Argument(metavar="A", help="A record: file, start of its id, or 'latest'.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    format: FormatOption = Format.table,
) -> None:
    """How much faster or slower B is, by kind of operation, and what of the machine or software differs."""
    from dataclasses import asdict

    from planner.calibrate.contrast import contrast
    from planner.catalogue.records import find, load

    found = contrast(load(find(one)), load(find(other)))
    answer(format, lambda: dump(asdict(found)), lambda: _text(found))


def _text(found: "Contrast") -> str:
    from planner import units

    rows = [[g.kind, str(g.cells), _ratio(g.median), f"{_ratio(g.low)} – {_ratio(g.high)}"] for g in found.groups]
    blocks = [table(["operation", "cells in both", "B's time over A's", "nine of ten within"], rows, "lrrl")]
    worst = [[m.what, units.duration(m.one), units.duration(m.other), _ratio(m.other / m.one)] for m in found.moved]
    blocks.append(table(["moved most", "A", "B", "B over A"], worst, "lrrr"))
    if found.differences:
        blocks.append(
            table(["differs", "A", "B"], [[k, str(a)[:60], str(b)[:60]] for k, (a, b) in found.differences.items()], "lll")
        )
    if found.alone:
        blocks.append(f"{found.alone} cells are in one of the two only.")
    return "\n\n".join(blocks)


def _ratio(value: float) -> str:
    return f"{value:.2f}×"
