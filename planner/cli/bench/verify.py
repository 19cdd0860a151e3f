"""``planner bench verify``: whole networks predicted from a record alone, and held against what they take."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.bench.common import DeviceOption, device, progress
from planner.cli.common import Format, FormatOption, answer, dump, table, write

if TYPE_CHECKING:
    from planner.calibrate.proof import Proof
    from planner.schema.measurement import Record, Trial

EXAMPLES = "Examples: planner bench verify; planner bench verify RECORD --network bert --network 'gpt2 decode' --format json"


def command(
    record: Annotated[
        str, typer.Argument(metavar="RECORD", help="A standard record of this machine: file, start of its id, 'latest'.")
    ] = "latest",
    network: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only networks whose name starts so.")] = None,
    replay: Annotated[bool, typer.Option(help="Also measure each network's own operations, and predict from those.")] = True,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Keep what was measured here (JSON).")
    ] = None,
    trials: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Predict again what an earlier verify kept, and measure nothing.")
    ] = None,
    device_name: Annotated[str, typer.Option("--device", help=DeviceOption.__metadata__[0].help)] = "",
    format: FormatOption = Format.table,
) -> None:
    """Build real networks with random weights, predict each from the record alone, time it in a process of its own, and print
    the errors and how often the interval held."""
    from planner.calibrate.proof import proof
    from planner.catalogue.records import find, load, load_trials, trials_text

    found = load(find(record))
    results = load_trials(trials) if trials else _measure(found, network or [], device(device_name), replay)
    if output:
        write(trials_text(results), output)
    shown = proof(found, results)
    answer(format, lambda: dump(asdict(shown)), lambda: text(shown))


def _measure(record: "Record", names: list[str], chip: Any, replay: bool) -> "list[Trial]":
    from planner.measure.proof import trials as measured
    from planner.measure.subjects import named, subjects

    asked = [s for n in names for s in named(n, chip.type)] or subjects(chip.type)
    results = []
    with progress() as bar:
        task = bar.add_task("", total=len(asked))
        try:
            for trial in measured(asked, record.selection, record.canaries, chip, replay=replay):
                bar.advance(task)
                bar.update(task, description=trial.traced.name)
                results.append(trial)
        except KeyboardInterrupt:
            typer.echo(f"interrupted: {len(results)} of {len(asked)} networks", err=True)
    return results


def text(p: "Proof") -> str:
    """The table of predictions and errors, and what they come to."""
    from planner import units

    rows = []
    for line in p.lines:
        row = [line.name, units.duration(line.measured)]
        for way in (line.grid, line.replay):
            row += (
                ["", "", ""]
                if way is None
                else [
                    units.duration(way.seconds),
                    f"{100 * way.error:+.1f} %",
                    f"{units.duration(way.low)} – {units.duration(way.high)}"
                    + ("" if way.low <= line.measured <= way.high else " *"),
                ]
            )
        rows.append(row)
    header = ["network", "measured", "from the grid", "error", "80 % within", "replayed", "error", "80 % within"]
    blocks = [table(header, rows, "lrrrlrrl")]
    for name, s in (("From the standard grid alone", p.grid), ("With its own operations replayed", p.replay)):
        if s:
            blocks.append(
                f"{name}: median error {100 * s.median:.1f} %, mean {100 * s.mean:.1f} %, worst {100 * s.worst:.1f} %, "
                f"median signed {100 * s.bias:+.1f} %; "
                f"the 80 % interval held {s.held} of {s.count} ({100 * s.held / s.count:.0f} %)."
            )
    blocks += [f"* outside its interval. Canaries moved by up to {100 * (p.drift - 1):.0f} % while the networks ran."]
    blocks += [f"could not run: {name}: {why}" for name, why in p.failures.items()]
    return "\n\n".join(blocks)
