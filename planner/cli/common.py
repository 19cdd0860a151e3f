"""What the verbs share: options, writing a file whole or not at all, and lookups into the catalogue."""

import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.errors import InputError, visible

if TYPE_CHECKING:
    from planner.catalogue.profiles import Profiles


class Format(StrEnum):
    """How figures are printed."""

    table = "table"
    json = "json"


class Optimizer(StrEnum):
    """The optimizers that the planner knows."""

    adamw = "adamw"
    adamw_8bit = "adamw_8bit"
    adafactor = "adafactor"
    muon = "muon"


ProfilesOption = Annotated[
    Path | None, typer.Option("--profiles", metavar="DIR", help="A folder of your own profiles; they win over the shipped ones.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="A table for people or JSON for programs.")]


def profiles(option: Path | None) -> "Profiles":
    """The catalogue with the user's folders on top."""
    from planner.catalogue.profiles import Profiles, user_folders

    return Profiles(user_folders(option))


def quantity(option: str, text: str, dimension: str) -> float | None:
    """What an option says in units of ``dimension``, above zero; None where it was not given."""
    from planner import units

    try:
        value = units.parse(text, dimension) if text else None
    except ValueError as error:
        raise InputError(str(error), where=option) from None
    if value is not None and value <= 0:
        raise InputError(f"'{text}' is not above zero", where=option)
    return value


def plan_text(plan: Path) -> tuple[str, Path]:
    """A plan's text, from stdin where it is ``-``, and the path that messages give it."""
    from planner.catalogue.document import decode, read_text

    limit = 1_000_000
    if str(plan) != "-":
        return read_text(plan, limit), plan
    return decode(sys.stdin.buffer.read(limit + 1), "stdin", limit), Path("stdin")


@contextmanager
def about(path: Path) -> Iterator[None]:
    """An InputError that does not say where it is from is about the file at ``path``."""
    try:
        yield
    except InputError as error:
        raise error if error.where else InputError(error.what, where=str(path), hint=error.hint) from None


@contextmanager
def standard_output() -> Iterator[None]:
    """Writes to stdout: a reader that went away (``| head``) is no error, a full disk is an InputError."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise InputError(f"cannot be written: {error.strerror}", where="stdout") from None


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr for what takes over a second."""
    from time import monotonic

    start = monotonic()
    bars: list[Any] = []

    def tick(done: int, of: int) -> None:
        if not bars and monotonic() - start > 1 and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            bars.append(Progress(console=Console(stderr=True), transient=True))
            bars[0].start()
            bars[0].add_task(what)
        for bar in bars:
            bar.update(bar.task_ids[0], completed=done, total=of)

    try:
        yield tick
    finally:
        for bar in bars:
            bar.stop()


def say(text: str) -> None:
    """Print ``text`` for people: characters that a terminal would act on are replaced."""
    write(visible(text), None)


def answer(format: Format, as_json: Callable[[], str], as_text: Callable[[], str]) -> None:
    """Print the one that was asked for."""
    if format is Format.json:
        write(as_json(), None)
    else:
        say(as_text())


def write(text: str, output: Path | None) -> None:
    """Print ``text``, or write it to a file: a temporary one beside it, renamed when complete."""
    if output is None or str(output) == "-":
        with standard_output():
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    try:
        output = output.resolve()  # what a link points to is replaced, not the link
        if output.exists() and not output.is_file() and not output.is_dir():  # /dev/null, a pipe
            output.write_text(text, encoding="utf-8", newline="\n")
            return
        output.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name[:40]}.")
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"cannot be written: {getattr(error, 'strerror', None) or error}", where=str(output)) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(output)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"cannot be written: {error.strerror}", where=str(output)) from None
        raise


def same_file(one: Path, other: Path) -> bool:
    """Whether both are there and are the same file."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def dump(value: Any) -> str:
    """JSON with stable keys; what is not finite is null."""
    return json.dumps(_finite(value), indent=1, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, (list, tuple)) else value


def table(header: list[str], rows: list[list[str]], right: str = "") -> str:
    """Aligned columns for the terminal; ``right`` has an 'r' for each right-aligned column, e.g. ``"lrr"``."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    side: Callable[[int], Callable[[str, int], str]] = lambda i: str.rjust if right[i : i + 1] == "r" else str.ljust  # noqa: E731
    shown = ["  ".join(side(i)(cell, widths[i]) for i, cell in enumerate(line)).rstrip() for line in lines]
    return "\n".join([shown[0], "  ".join("-" * w for w in widths), *shown[1:]])
