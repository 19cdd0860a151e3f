"""Several graphs run one after another for a sample, as one: an encoder and a decoder, the steps of a diffusion."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from planner.errors import InputError
from planner.schema.graph import Graph
from planner.schema.quantity import Figure
from planner.schema.workload import Workload

MOST = 20


def whole(workload: Workload, lookup: Callable[[str, str], Workload], path: Path) -> Workload:
    """``workload`` with the graph that its parts make together; ``lookup``: a part by id and who names it. Raises InputError."""
    if not workload.parts:
        return workload
    if len(workload.parts) > MOST:
        raise InputError(f"has {len(workload.parts)} parts; at most {MOST}", where=str(path))
    graphs = []
    for id, times in workload.parts.items():
        part = lookup(id, f"{path} parts")
        if part.graph is None:
            raise InputError(f"the part '{id}' is not a graph of operations", where=str(path))
        if times <= 0:
            raise InputError(f"the part '{id}' runs {times:g} times", where=str(path))
        graphs.append((part, part.graph, times))
    layers = tuple(
        replace(layer, count=layer.count * times, name=f"{part.id}: {layer.name or layer.op}")
        for part, graph, times in graphs for layer in graph.operations
    )  # fmt: skip
    unknown: dict[str, int] = {}
    for _, graph, _ in graphs:
        unknown |= {name: unknown.get(name, 0) + count for name, count in graph.unknown.items()}
    total = sum(graph.parameters.value for _, graph, _ in graphs)
    joined = Graph(Figure(total, next(iter(workload.sources))), layers, graphs[0][1].input, unknown)
    return replace(workload, graph=joined, parts={})
