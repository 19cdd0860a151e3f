"""A network put together layer by layer, shapes following: what a configuration or a list of layers becomes.

An image is (channels, *places); a sequence is (width, tokens). Both are a shape (channels, *rest) here.
"""

from dataclasses import dataclass, field, replace
from math import ceil, prod

from planner.schema.graph import Layer, Node

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Tensor:
    """What a layer makes: its name, channels, and places or tokens."""

    name: str
    shape: Shape

    @property
    def elements(self) -> float:
        """How many."""
        return float(prod(self.shape))

    @property
    def channels(self) -> int:
        """The first axis."""
        return self.shape[0]

    @property
    def places(self) -> int:
        """Pixels, or tokens."""
        return prod(self.shape[1:])


@dataclass
class Builder:
    """Nodes in the order they were added, and parameters."""

    nodes: list[Node] = field(default_factory=list)
    parameters: float = 0.0

    def add(self, layer: Layer, inputs: list[Tensor], shape: Shape, *, moves: bool = False) -> Tensor:
        """A node that reads ``inputs`` and makes a tensor of ``shape``."""
        out = Tensor(f"t{len(self.nodes)}", shape)
        self.nodes.append(Node(layer, tuple((t.name, t.elements) for t in inputs), out.name, moves))
        self.parameters += layer.parameters
        return out

    def named(self, name: str, first: int) -> None:
        """Call the nodes from number ``first`` on by the part of the network that they are."""
        self.nodes[first:] = [replace(node, layer=replace(node.layer, name=name)) for node in self.nodes[first:]]

    def _plain(self, op: str, variant: str, inputs: list[Tensor], shape: Shape, parameters: float = 0.0, **more: float) -> Tensor:
        read, written = sum(t.elements for t in inputs), float(prod(shape))
        sizes = {"elements": max(*(t.elements for t in inputs), written), **more}
        layer = Layer(op, sizes, variant=variant, read=read, written=written, parameters=parameters)  # type: ignore[arg-type]
        return self.add(layer, inputs, shape, moves=op == "elementwise" and variant in ("cat", "upsample"))

    def convolution(
        self, x: Tensor, channels: int, kernel: int, stride: int = 1, *, groups: int = 1, bias: bool = False, same: bool = True
    ) -> Tensor:
        """A convolution over all axes of places, padded to keep them (``same``) or not."""
        across = [ceil(n / stride) if same else (n - kernel) // stride + 1 for n in x.shape[1:]]
        taps = kernel ** len(across)
        kind = "depthwise" if groups == x.channels > 1 else "grouped" if groups > 1 else "dense"
        shape = {
            "batch": 1.0, "places": float(prod(across)), "cin": float(x.channels), "cout": float(channels), "taps": float(taps),
            "stride": float(stride), "groups": float(groups),
        }  # fmt: skip
        held = float(channels * (x.channels // groups * taps + bias))
        written = float(channels * prod(across))
        layer = Layer("convolution", shape, variant=kind, read=x.elements, written=written, parameters=held)
        return self.add(layer, [x], (channels, *across))

    def transposed(self, x: Tensor, channels: int, kernel: int, stride: int) -> Tensor:
        """A transposed convolution: stride times as many places an axis."""
        across = [n * stride for n in x.shape[1:]]
        taps = kernel ** len(across)
        shape = {
            "batch": 1.0, "places": float(x.places), "cin": float(x.channels), "cout": float(channels), "taps": float(taps),
            "stride": 1.0, "groups": 1.0,
        }  # fmt: skip
        held, written = float(channels * (x.channels * taps + 1)), float(channels * prod(across))
        layer = Layer("convolution", shape, variant="transposed", read=x.elements, written=written, parameters=held)
        return self.add(layer, [x], (channels, *across))

    def linear(self, x: Tensor, width: int, *, bias: bool = True, rows: int | None = None) -> Tensor:
        """A product with weights for every place or token (``rows`` of them)."""
        m = x.places if rows is None else rows
        inner = x.channels
        shape = {"batch": 1.0, "m": float(m), "n": float(width), "k": float(inner)}
        held = float(width * (inner + bias))
        layer = Layer("matmul", shape, read=float(m * inner), written=float(m * width), parameters=held)
        return self.add(layer, [x], (width, *(x.shape[1:] if rows is None else (m,))))

    def attention(self, q: Tensor, kv: Tensor, heads: int, *, causal: bool = False, context: int = 0) -> Tensor:
        """Attention of the tokens of q over those of kv, or over ``context`` that are kept."""
        keys = context or kv.places
        width = q.channels
        shape = {"batch": 1.0, "heads": float(heads), "query": float(q.places), "context": float(keys), "dim": width / heads}
        read = q.elements + 2.0 * width * keys
        layer = Layer("attention", shape, variant="causal" if causal else "full", read=read, written=q.elements)
        return self.add(layer, [q, kv], q.shape)

    def norm(self, x: Tensor, kind: str) -> Tensor:
        """A normalisation over channels, with a scale and a shift of each (a root mean square: a scale)."""
        width = {"width": float(x.channels)}
        return self._plain("normalization", kind, [x], x.shape, x.channels * (1.0 if kind == "rms_norm" else 2.0), **width)

    def activation(self, x: Tensor, kind: str) -> Tensor:
        """A function of each element."""
        return self._plain("elementwise", kind, [x], x.shape)

    def add_(self, a: Tensor, b: Tensor, kind: str = "add") -> Tensor:
        """Two tensors, element by element; the second may be broadcast."""
        return self._plain("elementwise", kind, [a, b], a.shape)

    def cat(self, tensors: list[Tensor]) -> Tensor:
        """Channels side by side."""
        return self._plain("elementwise", "cat", tensors, (sum(t.channels for t in tensors), *tensors[0].shape[1:]))

    def upsample(self, x: Tensor, factor: int) -> Tensor:
        """Each place many times."""
        return self._plain("elementwise", "upsample", [x], (x.channels, *(n * factor for n in x.shape[1:])))

    def pool(self, x: Tensor, kernel: int, stride: int) -> Tensor:
        """The largest or mean of ``kernel`` places an axis; of all of them where it is 0."""
        across = tuple(ceil(n / stride) for n in x.shape[1:]) if kernel else (1,)
        return self._plain("pooling", "", [x], (x.channels, *across))

    def embedding(self, rows: int, width: int, looked_up: int, *, tokens: int = 0, name: str = "") -> Tensor:
        """Rows of a table; ``tokens`` of them are kept apart, the rest are summed."""
        kept = tokens or looked_up
        shape = {"rows": float(looked_up), "width": float(width), "table": float(rows * width)}
        layer = Layer("gather", shape, name=name, variant="embedding", read=float(looked_up), written=float(kept * width),
                      parameters=float(rows * width))  # fmt: skip
        return self.add(layer, [], (width, kept))

    def recurrent(self, x: Tensor, width: int, gates: int, directions: int = 1) -> Tensor:
        """A recurrent layer: all steps' inputs in one product a direction, then a product a step with the state."""
        steps, wide = x.places, float(gates * width)
        into = Layer("matmul", {"batch": 1.0, "m": float(steps), "n": wide, "k": float(x.channels)}, float(directions),
                     read=x.elements, written=steps * wide, parameters=wide * (x.channels + 1))  # fmt: skip
        each = Layer("matmul", {"batch": 1.0, "m": 1.0, "n": wide, "k": float(width)}, float(directions * steps),
                     read=float(width), written=wide, parameters=wide * (width + 1))  # fmt: skip
        gate = Layer("elementwise", {"elements": wide}, float(directions * steps), variant="gates", read=2 * wide,
                     written=float(width))  # fmt: skip
        before = self.parameters
        first = self.add(into, [x], (int(wide), steps))
        second = self.add(each, [first], (int(wide), steps))
        out = self.add(gate, [second], (width * directions, steps))
        self.parameters = before + directions * (into.parameters + each.parameters)
        return out

    def trees(self, trees: int, depth: int, features: int) -> Tensor:
        """A forest of decision trees: a node is read at each level of each tree, and its feature compared."""
        shape = {"rows": float(trees * depth), "width": 4.0, "table": float(trees * (2 ** (depth + 1) - 1) * 4)}
        layer = Layer("gather", shape, variant="trees", read=float(features), written=float(trees), parameters=shape["table"])
        return self.add(layer, [], (1, trees))
