"""``planner bench show``: a record as tables, and its operations under the machine's roof."""

import sys
from collections import defaultdict
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.bench.common import RecordArgument
from planner.cli.common import Format, FormatOption, answer, dump, table

if TYPE_CHECKING:
    from planner.schema.measurement import Cell, Record

EXAMPLES = "Examples: planner bench show latest; planner bench show latest --suite matmul; planner bench show FILE --format json"


def command(
    record: RecordArgument = "latest",
    suite: Annotated[str, typer.Option(help="Every cell of this suite instead of a summary.")] = "",
    format: FormatOption = Format.table,
) -> None:
    """The device as found, what each kind of operation reaches, and a roofline plot."""
    from planner.catalogue.records import find, load
    from planner.errors import unknown

    found = load(find(record))
    suites = {c.operation.op for c in found.cells}
    if suite and suite not in suites:
        raise unknown("suite", suite, suites)
    text = (lambda: _cells(found, suite)) if suite else (lambda: "\n\n".join([_head(found), summary(found), _roofline(found)]))
    answer(format, lambda: dump(asdict(found)), text)


def summary(record: "Record") -> str:
    """By kind of operation and dtype: cells, the best rate, the best bandwidth, how steady."""
    from statistics import median

    groups: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in record.latest():
        groups[cell.operation.op, cell.operation.variant, cell.operation.dtype].append(cell)
    rows = []
    for (op, variant, dtype), cells in sorted(groups.items()):
        rate = max(c.operation.flop / c.median for c in cells)
        moved = max((c.operation.read + c.operation.written) / c.median for c in cells)
        noisy = sum(c.quality != "ok" for c in cells)
        spread = f"{100 * median(c.spread for c in cells):.1f} %"
        rows.append([op, variant, dtype, str(len(cells)), _rate(rate, "FLOP/s"), _rate(moved, "B/s"), spread, str(noisy or "")])
    header = ["suite", "operation", "dtype", "cells", "best rate", "best bandwidth", "spread", "noisy"]
    failed = [f"could not run: {name}: {why}" for name, why in record.failures.items()]
    return "\n".join([table(header, rows, "lllrrrrr"), *failed])


def _head(r: "Record") -> str:
    from planner import units

    facts = {**r.device.hardware, **r.device.software}
    shown = ("cores_usable", "l2_bytes", "l3_bytes", "numa_nodes", "smt", "governor", "driver", "power_limit_w", "torch", "cuda")
    parts = [
        f"{k.removesuffix('_bytes')} {units.show(v, 'byte') if k.endswith('_bytes') else _plain(v)}"  # type: ignore[arg-type]
        for k in shown
        if (v := facts.get(k)) is not None
    ]
    canary = ""
    if r.canaries:
        drift = {
            name: max(getattr(c, name) for c in r.canaries) / min(getattr(c, name) for c in r.canaries) - 1
            for name in ("loop", "product", "triad")
        }
        canary = "Canaries moved by " + ", ".join(f"{name} {100 * d:.0f} %" for name, d in drift.items()) + "."
    again = sum(c.repeats > 0 for c in r.cells)
    what = ", ".join(r.selection.networks or r.selection.suites)
    return "\n".join(
        [
            f"{r.device.name} ({r.device.kind}), {', '.join(parts)}",
            f"Record {r.id}: {r.selection.tier} ({what}), {r.selection.threads} threads, allocator {r.selection.allocator}, "
            f"{len(r.cells)} cells ({again} measured again), {r.started[:19]} to {r.ended[11:19]} UTC",
            *([canary] if canary else []),
        ]
    )


def _cells(r: "Record", suite: str) -> str:
    from planner import units

    rows = []
    for c in sorted(r.latest(), key=lambda c: (c.operation.variant, c.operation.dtype, *c.operation.shape.values())):
        o = c.operation
        if o.op == suite:
            shape = " ".join(f"{k} {v:g}" for k, v in o.shape.items())
            rows.append(
                [
                    o.variant,
                    o.dtype,
                    shape,
                    c.cache,
                    units.duration(c.median),
                    f"{100 * c.spread:.1f} %",
                    str(c.samples * c.inner),
                    _rate(o.flop / c.median, "FLOP/s"),
                    _rate((o.read + o.written) / c.median, "B/s"),
                    c.quality,
                ]
            )
    header = ["operation", "dtype", "shape", "cache", "median", "spread", "runs", "rate", "bandwidth", "quality"]
    return table(header, rows, "llllrrrrrl")


def _roofline(r: "Record") -> str:
    """Rate over arithmetic intensity, both logarithmic, of every hot cell that computes."""
    if find_spec("uniplot") is None:
        return "(a roofline plot needs uniplot: pip install 'planner[bench]')"
    from uniplot import plot_to_string

    cells = [c for c in r.latest() if c.operation.flop and c.cache == "hot"]
    if not cells:
        return ""
    names = sorted({f"{c.operation.op} {c.operation.dtype}" for c in cells})
    of = {n: [c for c in cells if f"{c.operation.op} {c.operation.dtype}" == n] for n in names}
    xs = [[c.operation.flop / (c.operation.read + c.operation.written) for c in of[n]] for n in names]
    ys = [[c.operation.flop / c.median for c in of[n]] for n in names]
    return str(
        plot_to_string(
            xs=xs,
            ys=ys,
            x_as_log=True,
            y_as_log=True,
            width=80,
            height=22,
            color=sys.stdout.isatty(),
            legend_labels=names,
            title="Roofline: FLOP/s over FLOP a byte",
            character_set="braille",
        )
    )


def _rate(value: float, unit: str) -> str:
    from planner import units

    return units.show(value, {"FLOP/s": "flop/s", "B/s": "byte/s"}[unit]) if value else ""


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
