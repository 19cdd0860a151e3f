"""The published schema of ``--format json`` is that of the records, and results keep it.

A change of the records updates it in the same change: ``python tests/report/test_schema.py``; one that a reader of the old form
would stumble over raises SCHEMA_VERSION too.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from planner.report.export import json_text
from planner.search.result import SCHEMA_VERSION, Result

SCHEMA = Path(__file__).parents[2] / "docs" / "result.schema.json"


def current() -> dict[str, Any]:
    """JSON Schema of a result: what is not known is null, where the planner has NaN."""
    schema = TypeAdapter(Result).json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    found: dict[str, Any] = _nullable(schema)
    return found


def _nullable(value: Any) -> Any:
    if isinstance(value, dict):
        value = {k: _nullable(v) for k, v in value.items() if k not in ("default", "title")}
        return value | {"type": ["number", "null"]} if value.get("type") == "number" else value
    return [_nullable(v) for v in value] if isinstance(value, list) else value


def test_the_published_schema_is_current() -> None:
    assert json.loads(SCHEMA.read_text()) == current(), "write it again: python tests/report/test_schema.py"


def test_results_keep_it(make: Callable[..., Result]) -> None:
    for result in (make(12), make(3, feasible=False), make(0)):
        assert _problems(json.loads(json_text(result)), current(), current()["$defs"]) == []


def _problems(value: Any, schema: dict[str, Any], defs: dict[str, Any], at: str = "") -> list[str]:
    """As much of JSON Schema as ours needs: types, properties, items, const, anyOf."""
    if "$ref" in schema:
        return _problems(value, defs[schema["$ref"].rpartition("/")[2]], defs, at)
    if "anyOf" in schema:
        each = [_problems(value, one, defs, at) for one in schema["anyOf"]]
        return [] if [] in each else each[0]
    if "const" in schema:
        return [] if value == schema["const"] else [f"{at} is {value!r}"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    known = {
        "object": dict,
        "array": list,
        "string": str,
        "number": (int, float),
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    if kinds and not any(isinstance(value, known[kind]) for kind in kinds):  # type: ignore[arg-type]
        return [f"{at} is {value!r}, not {kinds}"]
    found = [f"{at} lacks {name}" for name in schema.get("required", []) if isinstance(value, dict) and name not in value]
    if isinstance(value, dict):
        more = schema.get("additionalProperties")
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name, more if isinstance(more, dict) else {})
            found += _problems(item, inner, defs, f"{at}.{name}")
    if isinstance(value, list):
        items = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
        for i, (item, inner) in enumerate(zip(value, items, strict=True)):
            found += _problems(item, inner, defs, f"{at}[{i}]")
    return found


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(current(), indent=1) + "\n")
