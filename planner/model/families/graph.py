"""A network written down operation by operation (``schema.graph``), as operators of one pass over p.batch samples.

The pass is columns (N,): batch [samples], weight, activation [bytes an element], fused [1 where a compiler fuses elementwise
work, else 0], ways [devices that share the embedding tables, else 1].
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Op
from planner.model.ops.collective import share
from planner.model.training import backward
from planner.schema.graph import Graph, Layer, flop

LINE = 64.0
"""Bytes that reading a row of a table moves at least: a line of a cache."""
BAG = 1e6
"""Rows of a table from which a network is a recommender: its tables are shared among devices, as TorchRec's
EmbeddingBagCollection shares all of a collection. Smaller ones alone (positions, token types) are on each of them."""


def forward(graph: Graph, p: Columns) -> list[Op]:
    """Operators of a forward pass."""
    return [_RULES.get(layer.op, _stream)(layer, p) for layer in graph.operations] + _exchange(graph, p)


def step(graph: Graph, p: Columns) -> list[Op]:
    """Operators of a training step's forward and backward pass: batch norms need their batch, so that none is folded."""
    whole = replace(graph, operations=tuple(_trained(layer) for layer in graph.operations))
    ops = forward(whole, p)
    return [*ops, *backward(ops)]


def tables(graph: Graph) -> float:
    """Parameters of embedding tables that several devices would share."""
    return sum(layer.parameters for layer in _shared(graph))


def kept(graph: Graph) -> float:
    """Elements of activations a sample that a training step keeps for its backward pass: what is written, unless in place."""
    return sum(layer.count * layer.written for layer in graph.operations if layer.op != "elementwise" or layer.fused is None)


def widest(graph: Graph) -> float:
    """Elements of activations a sample that the largest operation holds at once."""
    return max((layer.read + layer.written for layer in graph.operations), default=0.0)


def tokens(graph: Graph) -> float:
    """Tokens that a sample makes one after another: rows looked up one by one, where attention has one query at a time."""
    attends = any(layer.op == "attention" and layer.shape["query"] == 1 for layer in graph.operations)
    return sum(layer.count for layer in graph.operations if attends and layer.op == "gather" and layer.shape["rows"] == 1)


def _shared(graph: Graph) -> list[Layer]:
    looked_up = [layer for layer in graph.operations if layer.op == "gather"]
    return looked_up if any(layer.shape["table"] / layer.shape["width"] >= BAG for layer in looked_up) else []


def _trained(layer: Layer) -> Layer:
    return replace(layer, fused=None) if layer.op == "normalization" else layer


def _exchange(graph: Graph, p: Columns) -> list[Op]:
    """Rows looked up in tables of other devices, for every sample of all of them: an all-to-all."""
    looked_up = sum(layer.count * layer.written for layer in _shared(graph))
    if "ways" not in p or not looked_up or not np.any(p.ways > 1):
        return []
    volume = share("all_to_all", p.ways) * looked_up * p.batch * p.activation
    shape = {"ranks": p.ways, "volume": volume, "stride": np.ones(len(p))}
    many = (p.ways > 1) * np.ones(len(p))
    return [Op("rows to their samples", "collective", "communication", many, shape, np.zeros(len(p)), variant="all_to_all")]


def _op(layer: Layer, p: Columns, kind: str, part: str, shape: dict[str, Array], moved: dict[str, Array]) -> Op:
    """``moved``: bytes of one run by whether they are weights, activations or kv."""
    n = np.ones(len(p))
    name = layer.name or " ".join(filter(None, (layer.op, layer.variant)))
    half = layer.half and kind in ("matmul", "convolution")
    sizes = {axis: np.broadcast_to(value, n.shape) for axis, value in shape.items()}
    weights, activations, kv = (moved.get(k, 0.0) * n for k in ("weights", "activations", "kv"))
    count, work = layer.count * n, flop(layer) * p.batch
    return Op(name, kind, part, count, sizes, work, half, weight_bytes=weights, activation_bytes=activations, kv_bytes=kv)


def _activations(layer: Layer, p: Columns) -> Array:
    return (layer.read + layer.written) * p.batch * _kept_in(layer, p.activation)


def _kept_in(layer: Layer, size: Array) -> Array:
    """Bytes an element of a layer's weights or activations, where ``size`` is the network's."""
    return np.maximum(size, 2.0) if layer.half else size


def _matmul(layer: Layer, p: Columns) -> Op:
    """Samples are more rows of a product with weights, and more products where both sides are activations."""
    s, n = layer.shape, np.ones(len(p))
    weights = layer.parameters > 0
    shape = {
        "m": s["m"] * (p.batch if weights else n), "n": s["n"] * n, "k": s["k"] * n,
        "groups": s["batch"] * (n if weights else p.batch), "quantise": 1.0 - p.fused, "hot": 0 * n,
    }  # fmt: skip
    held = layer.parameters * _kept_in(layer, p.weight)
    return _op(layer, p, "matmul", "matmul", shape, {"weights": held, "activations": _activations(layer, p)})


def _convolution(layer: Layer, p: Columns) -> Op:
    shape = {axis: size * np.ones(len(p)) for axis, size in layer.shape.items()}
    shape["batch"] = layer.shape["batch"] * p.batch
    held = layer.parameters * _kept_in(layer, p.weight)
    return _op(layer, p, "convolution", "convolution", shape, {"weights": held, "activations": _activations(layer, p)})


def _attention(layer: Layer, p: Columns) -> Op:
    """Scores and what they weigh are computed in 16 bits, and so are read."""
    s, n = layer.shape, np.ones(len(p))
    moved = _activations(replace(layer, half=True), p) + layer.parameters * p.weight
    if s["query"] == 1:
        shape = {"blocks": s["batch"] * s["heads"] * p.batch, "group": n, "context": s["context"] * n, "dim": s["dim"] * n}
        return _op(layer, p, "decode_attention", "decode", shape, {"kv": moved})
    seen = 0.5 if layer.variant == "causal" else 1.0
    shape = {
        "batch": s["batch"] * p.batch, "heads": s["heads"] * n, "query": s["query"] * n, "context": s["context"] * seen * n,
        "longest": s["context"] * n, "dim": s["dim"] * n, "windowed": 0 * n, "products": n,
    }  # fmt: skip
    return _op(layer, p, "attention", "attention", shape, {"activations": moved})


def _gather(layer: Layer, p: Columns) -> Op:
    """Rows out of a table, whole lines of a cache each; of a shared table a device looks up its part for all samples."""
    s = layer.shape
    rows = s["rows"] * p.batch * np.maximum(s["width"] * p.weight, LINE)
    moved = rows + layer.written * p.batch * p.activation
    return _op(layer, p, "stream", "lookup", {"kernels": np.ones(1)}, {"activations": moved})


def _stream(layer: Layer, p: Columns) -> Op:
    """What only moves bytes: as a kernel of its own, or what is left of it inside its neighbour."""
    own = layer.read + layer.written
    inside = (p.fused > 0) & (layer.fused is not None)
    elements = np.where(inside, layer.fused or 0.0, own)
    kernels = np.where(inside, 0.0, 1.0)
    moved = elements * p.batch * _kept_in(layer, p.activation) + np.where(inside, 0.0, layer.parameters) * p.weight
    return _op(layer, p, "stream", "elementwise", {"kernels": kernels}, {"activations": moved})


_RULES: dict[str, Callable[[Layer, Columns], Op]] = {
    "matmul": _matmul, "convolution": _convolution, "attention": _attention, "gather": _gather,
}  # fmt: skip
