"""``planner bench``: the run itself."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from planner.cli.bench.common import Allocator, AllocatorOption, DeviceOption, ThreadsOption, device, progress, revision, threads
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.catalogue.records import Journal
    from planner.measure.run import Work
    from planner.measure.timing import Clock
    from planner.schema.measurement import Record, Selection, Tier

EXAMPLES = """Examples: planner bench --tier quick; planner bench --suite matmul --suite memory --threads 1;
planner bench --network 'bert infer'; planner bench --resume"""


def command(
    context: typer.Context,
    tier: Annotated[str, typer.Option(help="quick (about 10 s) or standard (about 90 s on 2 cores).")] = "standard",
    suite: Annotated[list[str] | None, typer.Option(metavar="SUITE", help="Only these suites; may be given again.")] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="The exact operations of the networks whose name starts so, hot and cold."),
    ] = None,
    device_name: Annotated[str, typer.Option("--device", help=DeviceOption.__metadata__[0].help)] = "",
    thread_count: Annotated[int, typer.Option("--threads", min=0, max=4096, help=ThreadsOption.__metadata__[0].help)] = 0,
    allocator: AllocatorOption = Allocator.pinned,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest run that was interrupted.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The record; by default in $PLANNER_HOME/measurements.")
    ] = None,
) -> None:
    """Measure this machine with torch: one immutable record a run. Ctrl-C loses nothing that was measured."""
    if context.invoked_subcommand:
        return
    if tier not in ("quick", "standard"):
        raise InputError(f"unknown tier '{tier}'", hint="quick or standard.")
    if output and output.exists():
        raise InputError("is there already: a record is never overwritten", where=str(output))
    chip = device(device_name)
    from planner.catalogue import records
    from planner.measure.allocator import settle
    from planner.measure.subjects import named

    folder = output.parent if output else records.home()
    if resume:
        journal, h, cells, canaries, failures = _interrupted(folder)
        selection = records.from_header(h, journal.path)[1]
        settle(selection.allocator)
    else:
        selection = _selection(
            tier, suite, [s.name for n in network or [] for s in named(n, chip.type)], settle(allocator), threads(thread_count)
        )
        h = _header(chip, selection)
        journal, cells, canaries, failures = records.Journal.start(folder / f"{h['id']}{records.JOURNAL}", h), [], [], {}
    try:
        record = _measure(chip, selection, h, journal, (cells, canaries, failures))
    except KeyboardInterrupt:
        journal.close(done=False)
        again = f"planner bench --resume -o {output}" if output else "planner bench --resume"
        typer.echo(f"{len(cells)} cells are kept: '{again}' goes on ({journal.path})", err=True)
        raise
    path = records.save(record, output or folder / f"{record.id}.json")
    journal.close(done=True)
    from planner.cli.bench.show import summary

    typer.echo(summary(record), err=True)
    typer.echo(str(path))


def _selection(tier: str, suite: list[str] | None, networks: list[str], allocator: str, count: int) -> "Selection":
    from planner.measure.case import chosen
    from planner.schema.measurement import Selection

    if networks:
        return Selection("network", (), tuple(networks), count, allocator)
    return Selection("quick" if tier == "quick" else "standard", chosen(suite or []), (), count, allocator)


def _header(chip: Any, selection: "Selection") -> dict[str, Any]:
    from planner import __version__
    from planner.catalogue.records import header
    from planner.measure.environment import found

    now = datetime.now(UTC)
    return header(f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}", __version__, revision(), found(chip), selection, now.isoformat())


def _interrupted(folder: Path) -> tuple["Journal", dict[str, Any], list[Any], list[Any], dict[str, str]]:
    from planner.catalogue import records

    for path in reversed(records.journals(folder)):
        try:
            return records.Journal.resume(path)
        except records.BusyError:
            continue  # that one was not interrupted
    raise InputError("no interrupted run to go on with", where=str(folder), hint="A run with -o FILE goes on with the same -o.")


def _measure(
    chip: Any, selection: "Selection", h: dict[str, Any], journal: "Journal", so_far: tuple[list[Any], list[Any], dict[str, str]]
) -> "Record":
    from planner.catalogue.records import from_header
    from planner.measure.environment import found, state
    from planner.measure.run import clock
    from planner.schema.measurement import Cell, Record

    cells, canaries, failures = so_far
    then = from_header(h, journal.path)[0]
    if then.name != found(chip).name:
        raise InputError(f"was measured on '{then.name}', and this is '{found(chip).name}'", where=str(journal.path))
    watch = clock(chip, selection.threads, selection.tier)
    done = {c.identity for c in cells}
    work = [w for w in _work(chip, selection, str(journal.path.parent)) if w.identity not in done]
    together = "collective" in selection.suites and not any(c.operation.op == "collective" for c in cells)
    for event in _events(work, watch, selection.tier if together else None):
        journal.add(event)
        if isinstance(event, tuple):
            failures[event[0]] = event[1]
        else:
            (cells if isinstance(event, Cell) else canaries).append(event)
    now = {f"after {k}": v for k, v in state(chip).items()}
    device_found = type(then)(then.kind, then.name, then.hardware, then.software, {**then.state, **now})
    ended = datetime.now(UTC).isoformat()
    return Record(
        h["id"],
        h["planner"],
        h["revision"],
        device_found,
        selection,
        h["started"],
        ended,
        tuple(cells),
        tuple(canaries),
        failures,
    )


def _work(chip: Any, selection: "Selection", folder: str) -> list["Work"]:
    from planner.measure.replay import work_of
    from planner.measure.run import grid, target

    if selection.networks:
        return work_of(selection.networks, chip)
    return grid(selection.suites, selection.tier, target(chip, folder))


def _events(work: list["Work"], watch: "Clock", together_tier: "Tier | None") -> Any:
    from planner.measure import together
    from planner.measure.run import measure

    with progress() as bar:
        task = bar.add_task("warming up", total=len(work))
        for event in measure(work, watch):
            if not hasattr(event, "triad"):
                bar.advance(task)
                name = event[0] if isinstance(event, tuple) else f"{event.operation.op} {event.operation.variant}"
                bar.update(task, description=name)
            yield event
        if together_tier:
            bar.update(task, description="collectives")
            yield from together.events(watch, together_tier)
