"""An ONNX file read as a graph. It is untrusted: nothing in it runs, none of its weights is read, and all its sizes are checked.

Shapes come from ``onnx.shape_inference`` on the graph without its weights, one sample at a time: a symbolic batch is 1.
"""

from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from planner.catalogue.onnx_checks import MOST_ELEMENTS, NESTED, load, ordered, spelled, within
from planner.catalogue.onnx_rules import CONSTANT, MOVES, RULES, VIEWS, Operands, Shape
from planner.errors import InputError, printable
from planner.schema.graph import Found, Node

READ = 4096
"""Elements of an initializer up to which its values are kept: they may be a shape."""
FLOATS = (1, 9, 10, 11, 16, 17, 18, 19, 20, 2, 3)  # float to bfloat16, 8-bit floats, and 8-bit integers of quantised weights
BATCH = ("batch", "batch_size", "batchsize", "n", "bs", "b", "s0", "none", "?", "unk", "dynamic")


def read(path: Path, dims: Mapping[str, int]) -> Found:
    """The graph of a file over one sample; ``dims``: values of its symbolic sizes. Raises InputError."""
    model = load(path)
    graph = model.graph
    spelled(model, path)
    within(graph, path)
    ordered(graph, path)
    symbols = _fixed(graph, dict(dims), path)
    initial = {t.name: tuple(t.dims) for t in graph.initializer}
    weights = _weights(graph)
    opset, notes = _version(model), _opset(model)
    given = [i.name for i in _inputs(graph)]
    shapes = _shapes(model, initial, symbols, path)
    reader = _Reader(shapes, {name: float(prod(s)) for name, s in initial.items()}, path)
    for node in graph.node:
        reader.add(node)
    if not reader.nodes:
        names = ", ".join(sorted(reader.unknown)[:6]) or "none"
        raise InputError(f"none of its {len(graph.node)} nodes could be described: {names}", where=str(path))
    unknown = dict(sorted(reader.unknown.items()))
    sizes = ", ".join("x".join(map(str, shapes[name][1:])) or "1" for name in given if name in shapes)
    outputs = tuple(reader.name(o.name) for o in graph.output)
    source = f"{printable(path.name)}, ONNX opset {opset}"
    return Found(printable(path.stem), source, tuple(reader.nodes), weights, sizes, unknown, tuple(notes), outputs)


def _inputs(graph: Any) -> list[Any]:
    """What a caller gives: inputs that have no value in the file."""
    initial = {t.name for t in graph.initializer}
    return [i for i in graph.input if i.name not in initial]


def _fixed(graph: Any, dims: dict[str, int], path: Path) -> dict[str, int]:
    """Give every size of the inputs a value: 1 to a symbolic batch, ``dims`` to the others. Values by name."""
    symbols = dict(dims)
    missing: dict[str, str] = {}
    used = set[str]()
    for tensor in _inputs(graph):
        for axis, dim in enumerate(tensor.type.tensor_type.shape.dim):
            if dim.HasField("dim_value") and dim.dim_value > 0:
                continue
            name = dim.dim_param or f"{tensor.name}.{axis}"
            if name in dims:
                used.add(name)
                dim.dim_value = dims[name]
            elif axis == 0 and _batch(name, dim.dim_param):
                dim.dim_value = symbols[name] = 1
            else:
                missing.setdefault(name, f"axis {axis} of '{printable(tensor.name)}'")
    if missing:
        what = ", ".join(f"{printable(name)} ({of})" for name, of in list(missing.items())[:6])
        hint = "Give each a value: " + " ".join(f"--dim '{printable(name)}=128'" for name in list(missing)[:6])
        raise InputError(f"sizes of its inputs are not fixed: {what}", where=str(path), hint=hint)
    for name in dims:
        if name not in used:
            raise InputError(f"has no symbolic size '{printable(name)}'", where=str(path))
    return symbols


def _batch(name: str, given: str) -> bool:
    """Whether a symbolic first size is a batch, and not a length."""
    plain = name.lower()
    return not given or plain in BATCH or any(word in plain for word in ("batch", "unk_", "sym")) or plain.startswith("n_")


def _weights(graph: Any) -> float:
    """Elements of all weights; statistics of batch norms and numbers that are shapes are none. Their values are dropped."""
    norms = {name for node in graph.node if node.op_type == "BatchNormalization" for name in list(node.input)[3:5]}
    total = 0.0
    for tensor in graph.initializer:
        elements = prod(tensor.dims)
        if tensor.data_type in FLOATS and tensor.name not in norms:
            total += elements
    return total


def _version(model: Any) -> int:
    return max((int(o.version) for o in model.opset_import if o.domain in ("", "ai.onnx")), default=1)


def _opset(model: Any) -> list[str]:
    """Read an opset newer than is known as the newest known; what that leaves unsaid is told."""
    import onnx

    newest = int(onnx.defs.onnx_opset_version())
    if not 1 <= _version(model) <= newest:
        was = _version(model)
        for o in model.opset_import:
            if o.domain in ("", "ai.onnx"):
                o.version = newest
        return [f"opset {was} is not known: read as opset {newest}"]
    return []


def _shapes(model: Any, initial: Mapping[str, Shape], symbols: Mapping[str, int], path: Path) -> dict[str, Shape]:
    """The shape of every tensor that has one, found without weights."""
    import onnx

    graph = model.graph
    small = [t for t in graph.initializer if prod(t.dims) <= READ and not t.external_data]
    large = [t for t in graph.initializer if prod(t.dims) > READ or t.external_data]
    known = {i.name for i in graph.input}
    graph.input.extend(
        onnx.helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in large if t.name not in known
    )
    kept = [type(t).FromString(t.SerializeToString()) for t in small]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    said = {**_sizes(graph.value_info, symbols), **_sizes(graph.output, symbols)}
    del graph.value_info[:]  # what the file says of shapes between nodes may hold for another batch: inferred ones go first
    for o in graph.output:
        o.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:  # onnx raises its own, ValueError, RuntimeError
        first = next(iter(str(error).strip().splitlines()), "")
        raise InputError(f"its shapes cannot be inferred: {printable(first, 200)}", where=str(path)) from None
    every = (*inferred.input, *inferred.value_info, *inferred.output)
    return {**said, **initial, **_sizes(every, symbols)}


def _sizes(tensors: Iterable[Any], symbols: Mapping[str, int]) -> dict[str, Shape]:
    """The shapes of tensors whose sizes are numbers, or symbols with a value."""
    found = {}
    for tensor in tensors:
        kind = tensor.type.tensor_type
        sizes = tuple(d.dim_value if d.HasField("dim_value") else symbols.get(d.dim_param, -1) for d in kind.shape.dim)
        if kind.HasField("shape") and all(d >= 0 for d in sizes) and prod(sizes) <= MOST_ELEMENTS:
            found[tensor.name] = sizes
    return found


class _Reader:
    """Nodes one after another, with which tensors are constants and which are another one seen otherwise."""

    def __init__(self, shapes: Mapping[str, Shape], constants: dict[str, float], path: Path) -> None:
        self.shapes, self.constants, self.path = shapes, constants, path
        self.alias: dict[str, str] = {}
        self.nodes: list[Node] = []
        self.unknown: dict[str, int] = {}

    def name(self, tensor: str) -> str:
        """The tensor that it is a view of, or itself."""
        return self.alias.get(tensor, tensor)

    def add(self, node: Any) -> None:
        """One node more."""
        inputs, kind = list(node.input), node.op_type
        nested = any(a.type in NESTED for a in node.attribute)
        given = [i for i in inputs if i]
        fixed = kind in CONSTANT or (given and all(self.name(i) in self.constants for i in given))
        if fixed and not nested:
            self.constants |= {o: float(prod(self.shapes.get(o, (1,)))) for o in node.output if o}
            return
        if given and node.domain in ("", "ai.onnx") and (kind in VIEWS or self._picks(node, given)):
            self.alias |= {output: self.name(given[0]) for output in node.output if output}
            return
        try:
            self._describe(node, inputs)
        except (KeyError, ValueError, IndexError, TypeError, ZeroDivisionError):
            self._left_out(node)

    def _picks(self, node: Any, given: list[str]) -> bool:
        """Whether a node picks one place of an axis, as q, k and v out of their product: a view, as torch has it."""
        one = len(given) == 2 and self.shapes.get(given[1]) == () and self.name(given[1]) in self.constants
        return node.op_type == "Gather" and one and self.name(given[0]) not in self.constants

    def _describe(self, node: Any, inputs: list[str]) -> None:
        made = [o for o in node.output if o and o in self.shapes]
        outputs = tuple(self.shapes[o] for o in made)
        shapes = tuple(self.shapes.get(i) if i else None for i in inputs)
        if not outputs:
            raise ValueError("no output has a known shape")
        if not all(prod(s) for s in outputs):
            return  # nothing comes out: nothing is done
        constant = tuple(self.name(i) in self.constants for i in inputs)
        operands = Operands(shapes, outputs, constant, {a.name: _value(a) for a in node.attribute})
        layers = RULES[node.op_type](operands)
        each = zip(inputs, shapes, constant, strict=True)
        used = tuple((self.name(i), float(prod(s))) for i, s, c in each if i and s is not None and not c)
        moves = node.op_type in MOVES.split() or layers[0].op == "gather"
        for layer in layers:
            if min(layer.shape.values()) < 1:
                raise ValueError("a size of less than one")
            self.nodes.append(Node(layer, used, made[0], moves))
        for other in made[1:]:
            self.alias[other] = made[0]

    def _left_out(self, node: Any) -> None:
        domain = "" if node.domain in ("", "ai.onnx") else f"{printable(node.domain)}."
        known = " (shapes unknown)" if node.op_type in RULES else ""
        name = f"{domain}{printable(node.op_type)}{known}"
        count = 1 + sum(len(g.node) for a in node.attribute if a.type in NESTED for g in (a.g, *a.graphs))
        self.unknown[name] = self.unknown.get(name, 0) + count


def _value(attribute: Any) -> Any:
    """An attribute's number or numbers; None for what rules do not read."""
    return {1: attribute.f, 2: attribute.i, 7: list(attribute.ints)}.get(attribute.type)
