"""Several graphs run one after another for a sample, as one: an encoder and a decoder, the steps of a diffusion."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from planner.errors import InputError
from planner.schema.graph import Graph, Kind, Layer
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
        replace(_wide(layer, workload.together), count=layer.count * times, name=f"{part.id}: {layer.name or layer.op}")
        for part, graph, times in graphs for layer in graph.operations
    )  # fmt: skip
    if unnamed := set(workload.half) - {layer.name for layer in layers}:
        raise InputError(f"no operation of its parts is called '{min(unnamed)}'", where=f"{path} half")
    layers = tuple(replace(layer, half=layer.half or layer.name in workload.half) for layer in layers)
    unknown: dict[str, int] = {}
    for _, graph, _ in graphs:
        unknown |= {name: unknown.get(name, 0) + count for name, count in graph.unknown.items()}
    total = sum(graph.parameters.value for _, graph, _ in graphs)
    joined = Graph(Figure(total, next(iter(workload.sources))), layers, graphs[0][1].input, unknown)
    return replace(workload, graph=joined, parts={}, together=1.0, half=())


def _wide(layer: Layer, samples: float) -> Layer:
    """``samples`` runs of an operation side by side as one: more rows of a product with weights, more of everything else."""
    axis = "m" if layer.op == "matmul" and layer.parameters else _SAMPLES[layer.op]
    shape = {**layer.shape, axis: layer.shape[axis] * samples}
    fused = None if layer.fused is None else layer.fused * samples
    return replace(layer, shape=shape, read=layer.read * samples, written=layer.written * samples, fused=fused)


_SAMPLES: dict[Kind, str] = {
    "matmul": "batch", "convolution": "batch", "attention": "batch", "gather": "rows",
    "normalization": "elements", "elementwise": "elements", "pooling": "elements",
}  # fmt: skip
"""The axis that grows with samples side by side."""
