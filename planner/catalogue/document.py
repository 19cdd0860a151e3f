"""One YAML file read into one frozen record, or one clear message that says where it is wrong.

Aliases may not multiply without bound (the "billion laughs"), and depth is limited. pydantic checks the types; positions are
looked up only when something is wrong.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from planner.catalogue.loader import Loader
from planner.errors import InputError, nearest, printable

T = TypeVar("T")
MAX_BYTES = 8_000_000
MAX_NODES = 500_000
MAX_DEPTH = 60
_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
_EXPECTED = {  # by the first word of pydantic's name of the problem
    "tuple": "expected a list",
    "string": "expected text",
    "bool": "expected true or false",
    "dict": "expected fields",
    "int": "expected a whole number",
    "float": "expected a number",
    "date": "expected a date like 2026-01-31",
}


def read_text(path: Path, limit: int = MAX_BYTES) -> str:
    """The UTF-8 text of a file of at most ``limit`` bytes; InputError if it is missing, too large or not text."""
    try:
        if path.is_dir():
            raise InputError("is a directory, not a file", where=str(path))
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be opened"
        raise InputError(f"cannot read the file: {reason}", where=str(path)) from None
    return decode(raw, str(path), limit)


def decode(raw: bytes, name: str, limit: int = MAX_BYTES) -> str:
    """The text of a file's bytes, a byte order mark removed; InputError if it is more than ``limit`` or not UTF-8 text."""
    if len(raw) > limit:
        raise InputError(f"is larger than {limit // 1_000_000} MB", where=name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"is not UTF-8 text (byte {error.start})", where=f"{name}:{line}") from None
    if "\0" in text:
        raise InputError("is not text: it has NUL bytes", where=f"{name}:{text.count(chr(10), 0, text.index(chr(0))) + 1}")
    return text


def parse(text: str, name: str, *, ours: bool = False) -> Any:
    """YAML text to plain values; ``name`` is what messages call the file. What is ``ours`` is not searched for bombs."""
    try:
        if not ours:
            _bound(text, name)
        return yaml.load(text, Loader)  # a SafeLoader: no tag builds an object
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise InputError(f"not valid YAML: {printable(error.problem or 'cannot be parsed', 200)}", where=where) from None
    except yaml.reader.ReaderError as error:
        line = text.encode("utf-8", "replace").count(b"\n", 0, error.position) + 1
        raise InputError(f"not valid YAML: {error.reason}", where=f"{name}:{line}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not valid YAML: {error}", where=name) from None


def read(path: Path, record: type[T], *, ours: bool = False, **known: Any) -> T:
    """The record in a YAML file; ``known`` are fields that the file does not carry (its id, from its name)."""
    text = read_text(path)
    return build(parse(text, str(path), ours=ours), record, str(path), text, **known)


def build(raw: Any, record: type[T], name: str, text: str = "", **known: Any) -> T:
    """``raw`` plain values checked into ``record``; ``text`` is what they were parsed from, to say on which line."""
    if not isinstance(raw, dict):
        raise InputError(f"expected fields like 'name: value', found {_brief(raw)}", where=f"{name}:1")
    for key in known.keys() & raw.keys():
        raise InputError(f"'{key}' is not written in the file: it follows from its name", where=name + line(text, [key]))
    try:
        value: T = adapter(record).validate_python({**raw, **known})
    except ValidationError as error:
        raise _explain(error, record, name, text) from None
    return value


def why(error: ValueError) -> str:
    """The first problem of a ValidationError as ``field: what is wrong``; the message of any other ValueError."""
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, _location(problem)))}: {problem['msg'].removeprefix('Value error, ')}"


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def adapter(record: Any) -> TypeAdapter[Any]:
    """The pydantic adapter of a record type, built once."""
    if record not in _ADAPTERS:
        _ADAPTERS[record] = TypeAdapter(record)
    return _ADAPTERS[record]


def _bound(text: str, name: str) -> None:
    """Refuse a document that is too deep, or whose aliases expand beyond MAX_NODES or MAX_DEPTH."""
    if "*" not in text and len(text) < 4 * MAX_DEPTH:
        return
    known: dict[str, tuple[int, int]] = {}  # anchor -> values in it, levels of it
    stack: list[tuple[str | None, int, int]] = [(None, 0, 0)]
    for event in yaml.parse(text, yaml.CSafeLoader):
        anchor, size, levels = getattr(event, "anchor", None), 1, 0
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append((anchor, 0, 0))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size, levels = stack.pop()
        elif isinstance(event, yaml.AliasEvent) and anchor:
            endless = anchor in [name_ for name_, _, _ in stack]  # it stands inside what it names
            size, levels = (1, MAX_DEPTH) if endless else known.get(anchor, (1, 0))
            anchor = None
        elif not isinstance(event, yaml.ScalarEvent):
            continue
        if len(stack) + levels > MAX_DEPTH:
            raise InputError(f"is nested deeper than {MAX_DEPTH} levels", where=f"{name}:{_at(event)}")
        if isinstance(event, yaml.CollectionStartEvent):
            continue
        if anchor:
            known[anchor] = (size, levels)
        outer, values, deepest = stack[-1]
        stack[-1] = (outer, values + size, max(deepest, levels + 1))
        if stack[-1][1] > MAX_NODES:
            raise InputError(f"expands to more than {MAX_NODES:,} values", where=f"{name}:{_at(event)}")


def _at(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _explain(error: ValidationError, record: Any, name: str, text: str) -> InputError:
    """The first problem pydantic found, in the reader's words and at the reader's line."""
    problems = error.errors(include_url=False)
    problem = next((p for p in problems if p["type"] in _UNKNOWN), problems[0])  # a misspelt field explains a missing one
    loc = _location(problem)
    kind, owner, given = problem["type"], _type_at(record, loc[:-1]), problem["input"]
    dotted, hint = printable(".".join(str(part) for part in loc), 120), ""
    if kind in _UNKNOWN:
        known = [f.name for f in fields(owner)] if is_dataclass(owner) else []
        near = nearest(str(loc[-1]), known)
        what = f"unknown field '{printable(str(loc[-1]))}'"
        hint = f"Did you mean '{near[0]}'?" if near else f"Known here: {', '.join(known)}."
    elif kind in ("missing", "missing_argument"):
        what = f"the field '{loc[-1]}' is missing"
        loc = loc[:-1]
    elif kind == "literal_error" and problem.get("ctx", {}).get("expected") is not None:
        expected = problem["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        near = nearest(str(given), expected)
        what = f"{_brief(given)} is not one of {', '.join(expected)}"
        hint = f"Did you mean '{near[0]}'?" if near else ""
    elif kind == "dataclass_type":
        owner = _type_at(record, loc)
        known = [f.name for f in fields(owner)] if is_dataclass(owner) else []
        what = f"expected the fields {', '.join(known[:6])}{' …' * (len(known) > 6)}, found {_brief(given)}"
        hint = "Write it like {value: …, source: …}." if known[:2] == ["value", "source"] else ""
    else:
        what = problem["msg"].removeprefix("Value error, ")
        what = what if kind == "value_error" else f"{_EXPECTED.get(kind.split('_')[0], what)}, found {_brief(given)}"
    if len(problems) > 1:
        hint = f"{hint} ({len(problems) - 1} more in this file)".strip()
    return InputError(what, where=f"{name}{line(text, loc)} {dotted}".strip(), hint=hint)


def _location(problem: Mapping[str, Any]) -> list[Any]:
    """Where a problem is, without the validators that stand in the way."""
    return [part for part in problem["loc"] if not (isinstance(part, str) and (part == "[key]" or part.startswith("function-")))]


def _brief(value: Any) -> str:
    """``value`` as a message quotes it."""
    if value is None or isinstance(value, (dict, list)):
        return "nothing" if value is None else "a list" if isinstance(value, list) else "fields of its own"
    return printable(repr(value), 60)


def _type_at(record: Any, loc: Sequence[Any]) -> Any:
    """The dataclass that holds what ``loc`` points into."""
    for part in loc:
        if is_dataclass(record) and isinstance(part, str):
            record = get_type_hints(record).get(part)
        else:
            args = get_args(record)
            record = args[-1] if get_origin(record) is dict and args else (args[0] if args else record)
        record = _plain(record)
    return record


def _plain(hint: Any) -> Any:
    """A type hint without Annotated and None."""
    if isinstance(hint, types.GenericAlias) or hint is None:
        return hint
    if get_origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return _plain(next((a for a in get_args(hint) if a is not type(None)), None))
    return hint


def line(text: str, loc: Sequence[Any]) -> str:
    """``:12:7`` of the deepest part of ``loc`` that stands in the text."""
    try:
        node = yaml.compose(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return ""
    mark = None
    for part in loc:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if str(k.value) == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        if found is None:
            break
        mark, node = found[0].start_mark, found[1]
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def plain(record: Any) -> Any:
    """A record as JSON-ready values."""
    dumped: Mapping[str, Any] = adapter(type(record)).dump_python(record, mode="json")
    return dumped
