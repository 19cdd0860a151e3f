"""What the verbs of ``planner bench`` share: torch where it is installed, devices, the code's revision, progress."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress


class Allocator(StrEnum):
    """How the C library's allocator is set up while measuring."""

    pinned = "pinned"
    system = "system"


DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, mps; cuda:1 for the second one. The fastest there is by default.")]
ThreadsOption = Annotated[int, typer.Option(min=0, max=4096, help="CPU threads; 0 takes every usable core.")]
AllocatorOption = Annotated[
    Allocator, typer.Option(help="pinned keeps freed memory, as servers do; system leaves the C library as it is.")
]
RecordArgument = Annotated[str, typer.Argument(metavar="RECORD", help="A record's file, (the start of) its id, or 'latest'.")]


def need_torch() -> None:
    """InputError where torch is not installed."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise InputError("torch is not installed", hint="pip install 'planner[bench]'")


def device(name: str) -> Any:
    """The device of that name, or the fastest; InputError where torch is not installed or does not see it."""
    need_torch()
    from planner.measure.devices import device as found

    return found(name)


def threads(asked: int) -> int:
    """As asked, or as many as there are usable cores."""
    from planner.measure.environment import cores

    return asked or cores()


def revision() -> str:
    """The git revision of the planner's own checkout; empty where it is installed from a wheel."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        return ""
    out = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return out.stdout.strip()


@contextmanager
def progress() -> Iterator["Progress"]:
    """A bar with the time left, on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns: list[Any] = [
        TextColumn("{task.description:<32.32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    ]  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar
