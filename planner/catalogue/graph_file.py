"""A graph as the YAML of a workload: one line an operation."""

from typing import Any

import yaml

from planner.schema.graph import Graph, Layer
from planner.schema.workload import Workload

ORDER = ("op", "variant", "name", "count", "shape", "read", "written", "parameters", "fused", "half")
LEFT_OUT: dict[str, Any] = {
    "variant": "", "name": "", "count": 1.0, "read": 0.0, "written": 0.0, "parameters": 0.0, "fused": None, "half": False,
}  # fmt: skip
"""What need not be written: a layer has it anyway."""


def text(workload: Workload) -> str:
    """A workload with a graph as its file; reading it again gives the same."""
    assert workload.graph is not None
    head = {"name": workload.name, "sources": dict(workload.sources)}
    lines = [_block(head), "graph:"]
    lines += ["  " + line for line in _block(_head(workload.graph)).splitlines()]
    lines += ["  operations:", *(f"  - {_line(_row(layer))}" for layer in workload.graph.operations)]
    if workload.notes:
        lines.append(_block({"notes": workload.notes}))
    return "\n".join(line.rstrip("\n") for line in lines) + "\n"


def _head(graph: Graph) -> dict[str, Any]:
    figure = graph.parameters
    head: dict[str, Any] = {"parameters": {"value": _whole(figure.value), "source": figure.source}, "input": graph.input}
    return head | ({"unknown": dict(graph.unknown)} if graph.unknown else {})


def _row(layer: Layer) -> dict[str, Any]:
    row = {name: getattr(layer, name) for name in ORDER}
    kept = {name: value for name, value in row.items() if name not in LEFT_OUT or value != LEFT_OUT[name]}
    kept["shape"] = {axis: _whole(size) for axis, size in layer.shape.items()}
    return {name: _whole(value) if isinstance(value, float) else value for name, value in kept.items()}


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _line(row: dict[str, Any]) -> str:
    return yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True).strip()


def _block(fields: dict[str, Any]) -> str:
    return yaml.safe_dump(fields, sort_keys=False, width=10**6, allow_unicode=True).rstrip("\n")
