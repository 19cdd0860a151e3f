"""``planner bench peaks``: what the suites reach beside what the machine can."""

from dataclasses import asdict
from typing import Annotated

import typer

from planner.cli.bench.common import DeviceOption, device
from planner.cli.bench.common import threads as usable
from planner.cli.common import Format, FormatOption, answer, dump, table

EXAMPLES = "Example: planner bench peaks --threads 1"


def command(
    device_name: Annotated[str, typer.Option("--device", help=DeviceOption.__metadata__[0].help)] = "",
    threads: Annotated[int, typer.Option(min=0, max=4096, help="CPU threads; 0 takes every usable core.")] = 0,
    format: FormatOption = Format.table,
) -> None:
    """The memory suite's triad beside a compiled C triad, and the matmul suite's best beside plain torch's best."""
    chip = device(device_name)
    from planner import units
    from planner.measure.peaks import peaks

    found = peaks(chip, usable(threads))
    rows = [[p.what, units.show(p.suite, p.unit), units.show(p.other, p.unit), f"{100 * p.share:.1f} %"] for p in found]
    answer(
        format,
        lambda: dump([{**asdict(p), "share": p.share} for p in found]),
        lambda: table(["", "suite", "there is", "share"], rows, "lrrr"),
    )
