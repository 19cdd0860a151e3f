"""Records of ``planner bench`` on disk: written once and whole, read as data only, and the journal of a run that goes on.

A record is JSON with the hash of its content; a journal is a line an event, flushed as each comes, so that an interrupt loses
nothing that was measured. Nothing in either is ever executed.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from planner.catalogue.document import read_text
from planner.catalogue.home import home as planner_home
from planner.errors import InputError, printable, unknown
from planner.schema.measurement import SCHEMA, Canary, Cell, Found, Record, Selection, Trial

LIMIT = 64_000_000
JOURNAL = ".partial"


def home() -> Path:
    """``$PLANNER_HOME/measurements``, or ``~/.planner/measurements``."""
    return planner_home() / "measurements"


def content(record: Record) -> str:
    """A record as text: its schema, the hash of its content, then a line a cell."""
    body = _dumped(record)
    return f'{{"schema": {SCHEMA}, "sha256": "{_hash(body)}", "record":\n{body}\n}}\n'


def save(record: Record, path: Path) -> Path:
    """Write a record where no file is yet; InputError where one is. It appears whole or not at all, and read-only."""
    try:
        text = content(record)
    except ValueError:
        raise InputError("has a figure that is not a finite number", where=str(path)) from None
    _folder(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o444)
        try:
            _claim(Path(name), path)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError:
        raise InputError("is there already: a record is never overwritten", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None
    return path


def _claim(written: Path, path: Path) -> None:
    """Give a file its name unless another has it: FileExistsError where another run was first."""
    try:
        os.link(written, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the name is taken first, and then its content replaced
        path.open("x").close()
        written.replace(path)


def load(path: Path) -> Record:
    """A record from its file; InputError where it was cut short, edited, or is of a newer schema."""
    text = read_text(path, LIMIT)
    try:
        raw = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        whole = text.rstrip()
        cut = not whole.endswith("}") or getattr(error, "pos", 0) >= len(whole)
        what = "was cut short: its end is missing" if cut else "is not JSON"
        raise InputError(what, where=f"{path}:{line}", hint="A record is written by 'planner bench'.") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("schema"), int) or "record" not in raw:
        raise InputError("is not a record of 'planner bench'", where=str(path), hint="It has no 'schema' and 'record'.")
    if raw["schema"] != SCHEMA:
        newer = "a newer planner" if raw["schema"] > SCHEMA else "an older planner"
        raise InputError(f"is a record of schema {raw['schema']}; this planner reads {SCHEMA}", where=str(path),
                         hint=f"It was written by {newer}: measure again, or use that version.")  # fmt: skip
    record = _checked(Record, raw["record"], path)
    if _hash(_dumped(record)) != raw.get("sha256"):
        raise InputError("was edited after it was measured: its content does not match its hash", where=str(path),
                         hint="Measure again; what you know better belongs in a profile of your own.")  # fmt: skip
    return record


def _folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # FileExistsError where a file has the folder's name
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None


def find(name: str) -> Path:
    """A record's file from a path, or from (the start of) an id under ``home()``; ``latest`` is the newest."""
    path = Path(name)
    if path.suffix == ".json" or path.exists():
        return path
    files = sorted(home().glob("*.json"))
    if name == "latest" and files:
        return max(files, key=lambda f: f.stem)
    found = [f for f in files if f.stem.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"'{printable(name)}' is the start of {len(found)} records", hint=", ".join(f.stem for f in found[:6]))
    if not files:
        raise InputError(f"no record '{printable(name)}': there is none in {home()}", hint="'planner bench' makes one.")
    raise unknown("record", name, [f.stem for f in files], listing=f"They are in {home()}.")


def trials_text(trials: Sequence[Trial]) -> str:
    """Trials as text, a line each."""
    lines = ",\n".join(json.dumps(asdict(t), separators=(",", ":"), allow_nan=False) for t in trials)
    return f'{{"schema": {SCHEMA}, "trials": [\n{lines}\n]}}\n'


def load_trials(path: Path) -> list[Trial]:
    """Trials that ``planner bench verify -o`` kept."""
    try:
        raw = json.loads(read_text(path, LIMIT), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InputError("is not JSON, or was cut short", where=str(path), hint="'planner bench verify -o' writes one.") from None
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA or not isinstance(raw.get("trials"), list):
        raise InputError("does not hold trials of 'planner bench verify' of this version", where=str(path))
    return [_checked(Trial, one, path) for one in raw["trials"]]


class BusyError(InputError):
    """A journal that a run is writing at this moment."""


class Journal:
    """What a run has measured so far, a line an event; locked while it is written."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self.path, self._file = path, file

    @classmethod
    def start(cls, path: Path, header: dict[str, Any]) -> "Journal":
        """A new journal; ``header`` is what the record will say of the run."""
        _folder(path)
        try:
            journal = cls(path, path.open("x", encoding="utf-8"))
        except FileExistsError:
            raise InputError("a run is being written here already", where=str(path), hint="--resume goes on with it.") from None
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None
        journal._lock()
        journal._line({"schema": SCHEMA, **header})
        return journal

    @classmethod
    def resume(cls, path: Path) -> tuple["Journal", dict[str, Any], list[Cell], list[Canary], dict[str, str]]:
        """Go on with a journal: its header and what it holds. A last line that was cut off is dropped."""
        try:
            journal = cls(path, path.open("r+", encoding="utf-8"))
        except OSError as error:
            raise InputError(f"cannot be opened: {error.strerror}", where=str(path)) from None
        try:
            journal._lock()  # before it is read: its writer may be in the middle of a line
            text = read_text(path, LIMIT)
            events = list(_events(text.splitlines(), path))
            header = events[0] if events else {}
            if header.get("schema") != SCHEMA or not all(isinstance(header.get(name), str) for name in HEADER):
                raise InputError("is not the journal of a run of this planner", where=str(path))
            cells = [_checked(Cell, e["cell"], path) for e in events if "cell" in e]
            canaries = [_checked(Canary, e["canary"], path) for e in events if "canary" in e]
            failures = {str(e["failed"]): str(e.get("why", "")) for e in events if "failed" in e}
            journal._mend(text)
        except BaseException:
            journal.close(done=False)
            raise
        return journal, header, cells, canaries, failures

    def add(self, event: Cell | Canary | tuple[str, str]) -> None:
        """Write an event down before anything else happens."""
        if isinstance(event, tuple):
            self._line({"failed": event[0], "why": event[1]})
        else:
            self._line({"cell" if isinstance(event, Cell) else "canary": asdict(event)})

    def close(self, *, done: bool) -> None:
        """Close it; a run that is done needs it no more."""
        self._file.close()
        if done:
            self.path.unlink(missing_ok=True)

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")) + "\n")
        self._file.flush()

    def _mend(self, text: str) -> None:
        """Make the next line begin where the last whole one ended; nothing before it is written again."""
        end = text.rfind("\n") + 1
        if list(_events([text[end:]], self.path)):
            end = len(text)  # only its line end is missing
        self._file.truncate(len(text[:end].encode()))
        self._file.seek(0, os.SEEK_END)
        if not text[:end].endswith("\n"):
            self._file.write("\n")

    def _lock(self) -> None:
        with suppress(ImportError):
            import fcntl

            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._file.close()
                raise BusyError("another run is writing here", where=str(self.path)) from None


def journals(folder: Path) -> list[Path]:
    """Journals of runs that did not end, the newest last."""
    return sorted(folder.glob(f"*{JOURNAL}"))


def header(record_id: str, planner: str, revision: str, device: Found, selection: Selection, started: str) -> dict[str, Any]:
    """What a journal begins with."""
    return {"id": record_id, "planner": planner, "revision": revision, "device": asdict(device),
            "selection": asdict(selection), "started": started}  # fmt: skip


HEADER = ("id", "planner", "revision", "started")
"""What is text in it."""


def from_header(h: dict[str, Any], path: Path) -> tuple[Found, Selection]:
    """Machine and selection of a journal's header."""
    return _checked(Found, h.get("device"), path), _checked(Selection, h.get("selection"), path)


def _events(lines: list[str], path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
        except ValueError:
            if number == len(lines):
                return  # the run was killed while it wrote this
            raise InputError("is not JSON", where=f"{path}:{number}") from None
        if not isinstance(event, dict):
            raise InputError("is not an event of a run", where=f"{path}:{number}")
        yield event


def _checked(kind: Any, raw: Any, path: Path) -> Any:
    try:
        return TypeAdapter(kind).validate_python(raw, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{printable(field, 120)}: {printable(first['msg'], 120)}", where=str(path),
                         hint="It is not what 'planner bench' of this version writes.") from None  # fmt: skip


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _dumped(record: Record) -> str:
    raw = asdict(record)
    rest = {k: v for k, v in raw.items() if k not in ("cells", "canaries")}
    lines = [json.dumps(rest, separators=(",", ":"), sort_keys=True, allow_nan=False)[:-1] + ',"canaries":[']
    lines.append(",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in raw["canaries"]) + '],"cells":[')
    lines.append(",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in raw["cells"]) + "]}")
    return "\n".join(lines)


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
