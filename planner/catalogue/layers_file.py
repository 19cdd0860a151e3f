"""A plain YAML of layers read as a graph: shapes follow from the input's."""

from dataclasses import dataclass, field, fields
from pathlib import Path

from planner.catalogue.document import read as read_record
from planner.catalogue.layer_builder import Builder, Tensor
from planner.errors import InputError, printable, unknown
from planner.schema.graph import Found, Layer
from planner.schema.layers import (
    Conv,
    Embedding,
    LayersFile,
    Linear,
    Pool,
    Recurrent,
    Repeat,
    Step,
    Transformer,
    Trees,
)

MOST_NODES = 50_000
LARGEST = 10**8


def read(path: Path) -> Found:
    """The graph of a file of layers. Raises InputError, which names the layer."""
    file = read_record(path, LayersFile)
    return build(file, str(path))


def build(file: LayersFile, where: str) -> Found:
    """The graph of layers; ``where`` is what messages call them."""
    maker = _Maker(where)
    x = Tensor("input", _shape(file.input, where))
    out = maker.run(file.layers, x, "layers")
    b, source = maker.builder, file.source or f"{printable(Path(where).name)}, layers as written"
    notes = (file.notes,) if file.notes else ()
    return Found(file.name, source, tuple(b.nodes), b.parameters, file.input, notes=notes, outputs=(out.name,))


def _shape(text: str, where: str) -> tuple[int, ...]:
    parts = text.replace(" ", "").split("x")
    if not all(p.isascii() and p.isdigit() and 0 < int(p[:10]) <= LARGEST for p in parts) or len(parts) > 5:
        raise InputError(f"input is '{printable(text)}'", where=where, hint="Write it like 3x224x224: channels, then places.")
    return tuple(map(int, parts))


@dataclass
class _Maker:
    """Puts layers behind each other."""

    where: str
    builder: Builder = field(default_factory=Builder)
    kept: dict[str, Tensor] = field(default_factory=dict)

    def run(self, steps: tuple[Step, ...], x: Tensor, at: str) -> Tensor:
        """The result of ``steps`` on ``x``; ``at`` says where in the file they stand."""
        for i, step in enumerate(steps):
            place = f"{at}[{i}]"
            given = [f.name for f in fields(Step) if f.name != "name" and getattr(step, f.name) is not None]
            if len(given) != 1:
                what = f"has {' and '.join(given) or 'nothing'}: a layer is one thing"
                raise InputError(what, where=f"{self.where} {place}")
            value, name, before = getattr(step, given[0]), f"{place}.{given[0]}", len(self.builder.nodes)
            try:
                x = getattr(self, f"_{given[0]}")(x, value, name)
            except (ValueError, ZeroDivisionError, IndexError) as error:
                raise InputError(f"does not fit what comes in ({_said(x)}): {error}", where=f"{self.where} {name}") from None
            if step.name:
                self.builder.named(step.name, before)
            if len(self.builder.nodes) > MOST_NODES:
                raise InputError(f"makes more than {MOST_NODES:,} operations", where=f"{self.where} {name}")
            if min(x.shape) < 1 or x.elements > 1e13:
                raise InputError(f"leaves {_said(x)}", where=f"{self.where} {name}")
        return x

    def _conv(self, x: Tensor, c: Conv, at: str) -> Tensor:
        channels = c.channels or x.channels
        groups = x.channels if c.depthwise else c.groups
        if min(channels, c.kernel, c.stride, groups) < 1 or x.channels % groups or channels % groups:
            raise ValueError(f"{x.channels} channels in, {channels} out, {groups} groups, kernel {c.kernel}, stride {c.stride}")
        if len(x.shape) < 2:
            raise ValueError("there are no places to lay a filter at")
        b = self.builder
        if c.transposed:
            y = b.transposed(x, channels, c.kernel, c.stride)
        else:
            y = b.convolution(x, channels, c.kernel, c.stride, groups=groups, bias=c.bias, same=c.padding == "same")
        return self._after(y, c.norm, c.activation)

    def _after(self, y: Tensor, norm: str | None, activation: str | None) -> Tensor:
        y = self.builder.norm(y, f"{norm} eval" if norm == "batch_norm" else norm) if norm else y
        return self.builder.activation(y, activation) if activation else y

    def _linear(self, x: Tensor, layer: Linear, at: str) -> Tensor:
        if len(x.shape) > 2 and x.places == 1:
            x = Tensor(x.name, (x.channels, 1))
        y = self.builder.linear(x, layer.width, bias=layer.bias)
        return self._after(y, None, layer.activation)

    def _pool(self, x: Tensor, p: Pool, at: str) -> Tensor:
        return self.builder.pool(x, p.kernel, max(p.stride, 1))

    def _norm(self, x: Tensor, kind: str, at: str) -> Tensor:
        return self._after(x, kind, None)

    def _activation(self, x: Tensor, kind: str, at: str) -> Tensor:
        return self.builder.activation(x, kind)

    def _upsample(self, x: Tensor, factor: int, at: str) -> Tensor:
        return self.builder.upsample(x, factor)

    def _embedding(self, x: Tensor, e: Embedding, at: str) -> Tensor:
        made = []
        for _ in range(e.tables):
            made.append(self.builder.embedding(e.rows, e.width, e.lookups, tokens=1 if e.summed else e.lookups))
            if len(self.builder.nodes) > MOST_NODES:
                raise ValueError(f"{e.tables} tables")
        return made[0] if len(made) == 1 else Tensor(made[-1].name, (e.width, sum(t.places for t in made)))

    def _recurrent(self, x: Tensor, r: Recurrent, at: str) -> Tensor:
        for _ in range(r.layers):
            x = self.builder.recurrent(x, r.width, 4 if r.kind == "lstm" else 3, 1 + r.bidirectional)
        return x

    def _trees(self, x: Tensor, t: Trees, at: str) -> Tensor:
        if t.depth > 30:
            raise ValueError(f"a tree of {t.depth} levels")
        return self.builder.trees(t.trees, t.depth, t.features)

    def _interaction(self, x: Tensor, on: bool, at: str) -> Tensor:
        n, width = x.places, x.channels
        shape = {"batch": 1.0, "m": float(n), "n": float(n), "k": float(width)}
        dots = self.builder.add(
            Layer("matmul", shape, read=2 * x.elements, written=float(n * n)), [x, x], (n * (n - 1) // 2 + width,)
        )
        return Tensor(dots.name, (dots.channels, 1))

    def _squeeze(self, x: Tensor, width: int, at: str) -> Tensor:
        b = self.builder
        small = b.activation(b.convolution(b.pool(x, 0, 1), width, 1, bias=True), "relu")
        gate = b.activation(b.convolution(small, x.channels, 1, bias=True), "sigmoid")
        return b.add_(x, gate, "mul")

    def _residual(self, x: Tensor, steps: tuple[Step, ...], at: str) -> Tensor:
        y = self.run(steps, x, at)
        b = self.builder
        if y.shape != x.shape:  # the shortcut takes a convolution of its own, as in ResNet (arXiv:1512.03385), option B
            stride = max(1, round(x.shape[1] / y.shape[1])) if len(x.shape) > 1 else 1
            x = b.norm(b.convolution(x, y.channels, 1, stride), "batch_norm eval")
        if y.shape != x.shape:
            raise ValueError(f"{_said(y)} cannot be added to {_said(x)}")
        return b.add_(y, x)

    def _branches(self, x: Tensor, branches: tuple[tuple[Step, ...], ...], at: str) -> Tensor:
        made = [self.run(steps, x, f"{at}[{i}]") for i, steps in enumerate(branches)]
        if len({t.shape[1:] for t in made}) != 1:
            raise ValueError("branches end in " + ", ".join(map(_said, made)))
        return self.builder.cat(made)

    def _repeat(self, x: Tensor, r: Repeat, at: str) -> Tensor:
        for _ in range(r.times):
            x = self.run(r.layers, x, f"{at}.layers")
        return x

    def _save(self, x: Tensor, name: str, at: str) -> Tensor:
        self.kept[name] = x
        return x

    def _saved(self, name: str, at: str) -> Tensor:
        if name not in self.kept:
            raise unknown("saved result", name, self.kept, where=f"{self.where} {at}")
        return self.kept[name]

    def _cat(self, x: Tensor, name: str, at: str) -> Tensor:
        other = self._saved(name, at)
        if other.shape[1:] != x.shape[1:]:
            raise ValueError(f"'{printable(name)}' is {_said(other)}")
        return self.builder.cat([x, other])

    def _add(self, x: Tensor, name: str, at: str) -> Tensor:
        other = self._saved(name, at)
        if other.shape != x.shape:
            raise ValueError(f"'{printable(name)}' is {_said(other)}")
        return self.builder.add_(x, other)

    def _transformer(self, x: Tensor, t: Transformer, at: str) -> Tensor:
        if x.channels % max(t.heads, 1) or t.layers > 1000:
            raise ValueError(f"{x.channels} channels by {t.heads} heads, {t.layers} layers")
        flat = Tensor(x.name, (x.channels, x.places))
        for _ in range(t.layers):
            flat = layer(self.builder, flat, t)
        return Tensor(flat.name, x.shape)


def layer(b: Builder, x: Tensor, t: Transformer) -> Tensor:
    """A layer of attention, attention to another sequence where there is one, and feed-forward, each with its residual."""
    width = x.channels
    kv = width // t.heads * (t.kv_heads or t.heads)
    qkv = b.linear(b.norm(x, t.norm), width + 2 * kv, bias=t.bias)
    q = Tensor(qkv.name, (width, x.places))
    mixed = b.attention(q, q, t.heads, causal=t.causal and not t.context, context=t.context)
    x = b.add_(b.linear(mixed, width, bias=t.bias), x)
    if t.cross:
        other = Tensor("other", (t.cross_width or width, t.cross))
        q = b.linear(b.norm(x, t.norm), width, bias=t.bias)
        kv_ = Tensor("other", (width, t.cross)) if t.cross_kept else b.linear(other, 2 * width, bias=t.bias)
        mixed = b.attention(q, Tensor(kv_.name, (width, t.cross)), t.heads)
        x = b.add_(b.linear(mixed, width, bias=t.bias), x)
        if t.cross_kept:  # their weights are there, even where they rest
            b.parameters += 2 * width * ((t.cross_width or width) + t.bias)
    up = b.linear(b.norm(x, t.norm), t.ffn * (1 + t.gated), bias=t.bias)
    inner = Tensor(b.activation(up, t.activation).name, (t.ffn, x.places))
    return b.add_(b.linear(inner, width, bias=t.bias), x)


def _said(x: Tensor) -> str:
    return "×".join(map(str, x.shape))
