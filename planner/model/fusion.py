"""What an inference compiler makes of a graph: attention found in its products, elementwise work folded into its neighbour.

As TensorRT, OpenVINO and TorchInductor document it: an elementwise operation becomes the end of the operation before it, and
what it reads beside that is still read; a batch norm after a convolution is folded into its weights; two products with a
softmax between them become one attention that writes no scores (FlashAttention, arXiv:2205.14135). What is only put side by
side is written there at once: "merging of concatenation layers by directing layer outputs to the correct eventual
destination" (NVIDIA, TensorRT Developer Guide, "How does TensorRT work").
"""

from dataclasses import replace

from planner.schema.graph import Found, Graph, Layer, Node
from planner.schema.quantity import Figure
from planner.schema.workload import Workload

SCORES = ("softmax", "_softmax")
BETWEEN = 6  # elementwise operations that may stand between a product of scores and its softmax: scale, mask, bias, casts


SOURCE = "model"


def workload(found: Found, name: str = "") -> Workload:
    """What an importer found as an entry of the zoo."""
    missing = sum(found.unknown.values())
    notes = list(found.notes)
    if missing:
        known = len(found.nodes)
        listed = ", ".join(f"{name} ({count})" for name, count in found.unknown.items())
        share = 100 * missing / (known + missing)
        notes.append(f"Left out, for no rule describes them: {listed}: {missing} of {known + missing} nodes ({share:.1f} %).")
    return Workload(
        "imported", name or found.name, {SOURCE: found.source}, graph=graph(found, SOURCE), notes=" ".join(notes)
    )  # fmt: skip


def graph(found: Found, source: str) -> Graph:
    """A graph of distinct layers with what fusing saves; ``source``: the key of the file's source."""
    layers = [node.layer for node in _folded(_attention(list(found.nodes)), set(found.outputs))]
    return Graph(Figure(found.parameters, source), merged(layers), found.input, dict(found.unknown))


def merged(layers: list[Layer]) -> tuple[Layer, ...]:
    """Equal layers together, each with how often it runs, in the order of their first."""
    first: dict[object, Layer] = {}
    order: dict[object, float] = {}
    for layer in layers:
        key = (layer.op, layer.variant, tuple(layer.shape.items()), layer.read, layer.written, layer.parameters, layer.fused)
        first.setdefault(key, layer)
        order[key] = order.get(key, 0.0) + layer.count
    return tuple(replace(layer, count=order[key]) for key, layer in first.items())


def _folded(nodes: list[Node], outputs: set[str]) -> list[Node]:
    """Every elementwise node, and a batch norm behind a product, with what it moves once it is part of the kernel before it.

    It reads what other kernels made; and writes, beside the kernel's last result, what another kernel reads of what came before.
    """
    made = {node.output: node for node in nodes}
    order = {node.output: i for i, node in enumerate(nodes)}
    hosts = [_host(node, made, order) for node in nodes]
    kernel: dict[str, str] = {}
    for node, before in zip(nodes, hosts, strict=True):
        kernel[node.output] = kernel[before.output] if before else node.output
    takers: dict[str, list[Node]] = {}
    for node in nodes:
        for name, _ in node.inputs:
            takers.setdefault(name, []).append(node)
    done = []
    for node, before in zip(nodes, hosts, strict=True):
        if before is None:
            read: set[str] = {taker.layer.op for taker in takers.get(node.output, ())}
            free = _turned(node, made, read) or _in_place(node, made)
            done.append(replace(node, layer=replace(node.layer, fused=0.0)) if free else node)
            continue
        own = kernel[node.output]
        beside = sum(size for name, size in node.inputs if kernel.get(name) != own)
        apart = before.output in outputs or any(kernel[taker.output] != own for taker in takers[before.output])
        done.append(replace(node, layer=replace(node.layer, fused=beside + (node.layer.written if apart else 0.0))))
    return done


TURNS = ("transpose", "clone")


def _turned(node: Node, made: dict[str, Node], read: set[str]) -> bool:
    """Whether a node only turns axes around that a product can read, or attention or a convolution write, in any order."""
    if not node.moves or not node.layer.variant.startswith(TURNS):
        return False
    makers = {made[name].layer.op for name, _ in node.inputs if name in made}
    return makers in ({"attention"}, {"convolution"}) or (bool(read) and read <= {"matmul", "attention"})


def _in_place(node: Node, made: dict[str, Node]) -> bool:
    """Whether a node only puts whole results of others side by side, which those can write where they belong."""
    names = {name for name, _ in node.inputs}
    whole = sum(made[name].layer.written for name in names if name in made)
    return node.moves and node.layer.variant.startswith("cat") and whole == sum(size for _, size in node.inputs)


def _host(node: Node, made: dict[str, Node], order: dict[str, int]) -> Node | None:
    """The node that another becomes a part of: the one that makes its largest input, the last to run of several."""
    folds = node.layer.op == "elementwise" and not node.moves
    norm = node.layer.op == "normalization" and node.layer.variant.startswith("batch_norm")
    if not folds and not norm:
        return None
    largest = max((size for _, size in node.inputs), default=0.0)
    hosts = [made[name] for name, size in node.inputs if name in made and size == largest]
    hosts = [h for h in hosts if not h.moves and (not norm or h.layer.op in ("convolution", "matmul"))]
    return max(hosts, key=lambda h: order[h.output], default=None)


def _attention(nodes: list[Node]) -> list[Node]:
    """Products of activations with a softmax between them as one attention each."""
    made = {node.output: i for i, node in enumerate(nodes)}
    gone: set[int] = set()
    instead: dict[int, Node] = {}
    for last, node in enumerate(nodes):
        if not _product(node):
            continue
        found = _scores(node, nodes, made)
        if found is None:
            continue
        first, between = found
        instead[last] = _joined(nodes[first], node, [nodes[i] for i in between])
        gone |= {first, *between}
    return [instead.get(i, node) for i, node in enumerate(nodes) if i not in gone]


def _product(node: Node) -> bool:
    return node.layer.op == "matmul" and not node.layer.parameters and len(node.inputs) == 2


def _scores(values: Node, nodes: list[Node], made: dict[str, int]) -> tuple[int, list[int]] | None:
    """The product of scores behind a product of values, and what stands between them; None where it is no attention."""
    at, between = made.get(values.inputs[0][0]), list[int]()
    softmax = False
    for _ in range(BETWEEN):
        if at is None:
            return None
        node = nodes[at]
        if _product(node):
            s, v = node.layer.shape, values.layer.shape
            fits = s["batch"] == v["batch"] and s["m"] == v["m"] and s["n"] == v["k"]
            return (at, between) if softmax and fits else None
        if node.layer.op not in ("elementwise", "normalization") or not node.inputs:
            return None
        softmax = softmax or any(word in node.layer.variant for word in SCORES)
        between.append(at)
        at = made.get(max(node.inputs, key=lambda pair: pair[1])[0])
    return None


def _joined(scores: Node, values: Node, between: list[Node]) -> Node:
    """One attention in place of both products: it reads queries, keys, values and whatever was added to the scores."""
    s, v = scores.layer.shape, values.layer.shape
    shape = {"batch": 1.0, "heads": s["batch"], "query": s["m"], "context": s["n"], "dim": (s["k"] + v["n"]) / 2}
    inside = {node.output for node in between} | {scores.output}
    added = [pair for node in between for pair in node.inputs if pair[0] not in inside and pair[1] > 1]
    inputs = (*scores.inputs, values.inputs[1], *added)
    weights = sum(node.layer.parameters for node in between)
    layer = Layer(
        "attention", shape, name=scores.layer.name, variant="full", read=sum(size for _, size in inputs),
        written=values.layer.written, parameters=weights,
    )  # fmt: skip
    return Node(layer, inputs, values.output)
