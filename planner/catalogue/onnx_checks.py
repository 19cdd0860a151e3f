"""What an ONNX file must be before anything of it is believed: of a size, text where names are, no deeper or larger than networks
are, its weights beside it, and its nodes in an order."""

from collections.abc import Iterator
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from planner.errors import InputError, printable

LARGEST = 2_000_000_000
"""Bytes of a file: what a protocol buffer may have; weights of more are kept outside of it."""
MOST_NODES = 200_000
DEEPEST = 8
"""Graphs inside graphs (If, Loop, Scan)."""
MOST_ELEMENTS = 10**13
NESTED = (5, 10)  # attribute types: a graph, graphs


def load(path: Path) -> Any:
    """The protocol buffer of a file; InputError where it is none, or too large."""
    try:
        import onnx
    except ImportError:
        raise InputError("reading an ONNX file needs the package onnx", hint="pip install 'planner[import]'") from None
    from google.protobuf.message import DecodeError

    try:
        size = path.stat().st_size
        raw = b"" if size > LARGEST else path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the file: {getattr(error, 'strerror', None) or error}", where=str(path)) from None
    if size > LARGEST:
        hint = "Export it with its weights as external data."
        raise InputError(f"is larger than {LARGEST / 1e9:g} GB", where=str(path), hint=hint)
    try:
        model = onnx.ModelProto.FromString(raw)
    except (DecodeError, ValueError, RecursionError):
        raise InputError("is not an ONNX file, or it is cut off", where=str(path)) from None
    if not model.graph.node:
        raise InputError("is an ONNX file without any nodes" if raw else "is empty", where=str(path))
    return model


def inside(graph: Any) -> Iterator[tuple[Any, int]]:
    """Every node of a graph and of the graphs inside it, with how deep it lies."""
    stack = [(graph, 0)]
    while stack:
        here, depth = stack.pop()
        for node in here.node:
            yield node, depth
            for attribute in node.attribute:
                if attribute.type in NESTED and depth <= DEEPEST:
                    stack += [(g, depth + 1) for g in (attribute.g, *attribute.graphs) if g.node]


def spelled(model: Any, path: Path) -> None:
    """Refuse names that are not text: the protocol buffer hands over what is no UTF-8 as bytes."""
    graph = model.graph
    names = [
        graph.name,
        *(o.domain for o in model.opset_import),
        *(t.name for t in (*graph.initializer, *graph.input, *graph.output)),
    ]
    names += [dim.dim_param for i in graph.input for dim in i.type.tensor_type.shape.dim]
    names += [text for t in graph.initializer for entry in t.external_data for text in (entry.key, entry.value)]
    for node, _ in inside(graph):
        names += [node.op_type, node.domain, node.name, *node.input, *node.output, *(a.name for a in node.attribute)]
    if not all(isinstance(name, str) for name in names):
        raise InputError("has names that are not UTF-8 text", where=str(path))


def within(graph: Any, path: Path) -> None:
    """Refuse what is larger or deeper than any network, and weights that lie outside the file's folder."""
    for count, (_, depth) in enumerate(inside(graph)):
        if count >= MOST_NODES:
            raise InputError(f"has more than {MOST_NODES:,} nodes", where=str(path))
        if depth > DEEPEST:
            raise InputError(f"has graphs inside graphs, more than {DEEPEST} deep", where=str(path))
    for tensor in graph.initializer:
        if any(d < 0 for d in tensor.dims) or prod(tensor.dims) > MOST_ELEMENTS:
            raise InputError(f"the weights '{printable(tensor.name)}' have an impossible shape", where=str(path))
        for entry in tensor.external_data:
            if entry.key == "location" and _outside(entry.value):
                what = f"the weights '{printable(tensor.name)}' lie outside its folder: {printable(entry.value)}"
                raise InputError(what, where=str(path), hint="They must lie beside the file, under a relative path.")


def _outside(location: str) -> bool:
    kinds = (PurePosixPath(location), PureWindowsPath(location))
    return any(p.is_absolute() or ".." in p.parts or p.drive for p in kinds) or "\0" in location


def ordered(graph: Any, path: Path) -> None:
    """Put nodes in an order in which each follows what it reads (Kahn, 1962); InputError where there is none."""
    made = {name: i for i, node in enumerate(graph.node) for name in node.output if name}
    left = [{made[name] for name in node.input if name in made} for node in graph.node]
    readers: dict[int, list[int]] = {}
    for i, before in enumerate(left):
        for j in before:
            readers.setdefault(j, []).append(i)
    ready, order = [i for i, before in enumerate(left) if not before], []
    ready.reverse()
    while ready:
        i = ready.pop()
        order.append(i)
        for j in readers.get(i, ()):
            left[j].discard(i)
            if not left[j]:
                ready.append(j)
    if len(order) < len(graph.node):
        stuck = next(node for node, before in zip(graph.node, left, strict=True) if before)
        raise InputError(f"its nodes form a cycle, through '{printable(stuck.name or stuck.op_type)}'", where=str(path))
    if order != sorted(order):
        nodes = [graph.node[i] for i in order]
        copies = [type(n).FromString(n.SerializeToString()) for n in nodes]
        del graph.node[:]
        graph.node.extend(copies)
