"""A torch module read as a graph: run once on fake tensors, so that no weight exists and nothing is computed.

A module is named ``package.module:name``: a class or function of an installed library that the user names, built on the meta
device. An exported program (``torch.export.save``, .pt2) is an archive whose graph is JSON; its weights are not read. A pickle
is never loaded.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from planner.errors import InputError, printable
from planner.measure.call import Call, as_data, spec
from planner.measure.describe import VIEWS, describe
from planner.schema.graph import AXES, Found, Layer, Node

MOVES = ("cat", "clone", "copy", "_to_copy", "pad", "upsample", "roll", "index", "repeat", "stack", "gather", "scatter", "im2col",
         "constant_pad_nd", "slice_scatter", "pixel_shuffle", "expand", "sort", "topk")  # fmt: skip
"""Parts of names of what only puts elements elsewhere: no compiler makes it the end of a product."""
DECLARED = {
    "torchvision": (
        "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    )
}
"""Compiled operators that a library wants declared when it is imported, even where its extension does not load (a wheel built
for CUDA beside torch's CPU build): networks are only looked at here."""
EMPTY = frozenset("new_zeros new_ones new_full new_empty zeros_like ones_like full_like empty_like".split())  # noqa: SIM905
"""What takes only the shape of a tensor."""
MOST = 200_000  # operations of a pass


class _Listener(TorchDispatchMode):
    """Writes down every operation, and which tensor each of its operands is."""

    def __init__(self, constants: set[int]) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.constants = constants
        self.made: dict[int, str] = {}
        self.alive: list[Any] = []
        self.unknown: dict[str, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        self.alive.append((args, out))
        if str(func).startswith("aten."):
            self._note(str(func), args, kwargs, out)
        elif not str(func).startswith("prim"):
            name = str(func).split(".default")[0]
            self.unknown[name] = self.unknown.get(name, 0) + 1
        if len(self.nodes) > MOST:
            raise InputError(f"runs more than {MOST:,} operations")
        return out

    def _note(self, name: str, args: Any, kwargs: Any, out: Any) -> None:
        operands, outputs = _tensors((args, tuple(kwargs.values()))), _tensors(out)
        if not outputs:
            return
        storages = [_storage(t) for t in operands]
        made, bare = {_storage(t) for t in outputs}, name.split(".")[1].removesuffix("_")
        if bare in EMPTY or not any(s not in self.constants for s in storages):  # of weights and numbers alone: computed once
            self.constants |= made
            return
        if bare in VIEWS:
            return
        self.constants -= made
        call = Call(
            name, tuple(_data(a) for a in args), tuple((k, _data(v)) for k, v in kwargs.items()), tuple(spec(t) for t in outputs)
        )
        inputs = [(self._name(s), float(t.numel())) for t, s in zip(operands, storages, strict=True) if s not in self.constants]
        weights = sum(t.numel() for t, s in zip(operands, storages, strict=True) if s in self.constants)
        label = f"t{len(self.nodes)}"
        for t in outputs:
            self.made[_storage(t)] = label
        largest = float(max(t.numel() for t in outputs))
        apart = {(s, t.storage_offset(), t.shape): t.numel() for t, s in zip(operands, storages, strict=True)}
        read = float(sum(size for (s, *_), size in apart.items() if s not in self.constants))
        self.nodes.append(_node(call, inputs, (read, float(weights), largest), label))

    def _name(self, storage: int) -> str:
        return self.made.setdefault(storage, f"in{storage}")


def _node(call: Call, inputs: list[tuple[str, float]], sizes: tuple[float, float, float], label: str) -> Node:
    """``sizes``: elements of activations that are read, of weights, and that are written."""
    read, weights, written = sizes
    o = describe(call)
    name = call.op.split(".")[1]
    kind: Any = o.op if o.op in AXES else "elementwise"
    shape = o.shape if o.op in AXES else {"elements": written}
    if kind == "gather":
        read = shape["rows"]
        inputs = [pair for pair in inputs if pair[1] <= max(shape["rows"], 1.0)] or inputs
    parameters = 0.0 if kind == "elementwise" and weights > shape["elements"] else weights
    layer = Layer(kind, shape, variant=_variant(kind, o.variant), read=read, written=written, parameters=parameters)
    same = "pad" in name and written == read  # padded by nothing
    return Node(replace(layer, fused=0.0) if same else layer, tuple(inputs), label, moves=any(part in name for part in MOVES))


def _variant(kind: str, variant: str) -> str:
    """What tells operations of a class apart beside their shape; a product's layout in memory is an inference engine's choice."""
    if kind in ("matmul", "pooling"):
        return ""
    return variant.removesuffix(" channels_last").replace("_softmax", "softmax")


def _data(value: Any) -> Any:
    try:
        return as_data(value)
    except ValueError:
        return str(type(value).__name__)


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for v in value for t in _tensors(v)] if isinstance(value, (list, tuple)) else []


def _storage(t: torch.Tensor) -> int:
    return int(t.untyped_storage()._cdata)


def graph(network: nn.Module, inputs: tuple[Any, ...], name: str, source: str) -> Found:
    """A module's forward pass over one sample, on fake inputs made under ``fake``. InputError where it cannot run."""
    weights = {_storage(t): t.numel() for t in network.parameters()}
    fixed = [*network.parameters(), *network.buffers()]
    given = _tensors(inputs)
    try:
        return listen(lambda: network(*inputs), given, fixed, float(sum(weights.values())), name, source)
    except InputError:
        raise
    except Exception as error:
        first = str(error).strip().splitlines()[:1]
        what = f"cannot run on {shapes(given)}: {type(error).__name__}: {printable(first[0] if first else '', 160)}"
        raise InputError(what, where=name, hint="Give the shape of one sample: --input 3x224x224.") from None


def listen(
    run: Callable[[], Any], given: list[torch.Tensor], fixed: list[torch.Tensor], parameters: float, name: str, source: str
) -> Found:
    """What ``run`` does to the tensors ``given``, with ``fixed`` ones that are the same in every pass; under ``fake``."""
    listener = _Listener({_storage(t) for t in fixed})
    for i, t in enumerate(given):
        listener.made[_storage(t)] = f"input{i}"
    with torch.no_grad(), _plain_layers(), listener:
        out = run()
    outputs = tuple(listener.made.get(_storage(t), "") for t in _tensors(out))
    unknown = dict(sorted(listener.unknown.items()))
    return Found(name, source, tuple(listener.nodes), parameters, shapes(given), unknown, outputs=outputs)


@contextmanager
def _plain_layers() -> Iterator[None]:
    """Layers of transformers and recurrent ones as their operations, not as one of torch's own that says nothing of them."""
    before = torch.backends.mha.get_fastpath_enabled(), torch._C._get_mkldnn_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before[0])
        torch._C._set_mkldnn_enabled(before[1])


def shapes(tensors: list[torch.Tensor]) -> str:
    """Shapes of one sample as text: ``3x224x224``."""
    return ", ".join("x".join(map(str, t.shape[1:])) or "1" for t in tensors)


@contextmanager
def fake() -> Iterator[FakeTensorMode]:
    """Tensors made inside have a shape and a dtype, and no values."""
    logging.getLogger("torch._subclasses.fake_tensor").setLevel(logging.CRITICAL)  # an error is told once, by us
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode


@contextmanager
def weightless() -> Iterator[None]:
    """Every parameter that a module is given inside goes to the meta device at once: it keeps its shape and no memory.

    Only parameters do: what a constructor computes (rates of dropped layers, positions) it computes.
    """
    register = nn.Module.register_parameter

    def empty(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        register(self, name, param)
        if param is not None:
            self._parameters[name] = nn.Parameter(param.detach().to("meta"), param.requires_grad)

    nn.Module.register_parameter = empty  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


def filled(network: nn.Module) -> None:
    """What is on the meta device as fake tensors of the CPU, whose kernels decide what runs; to be called under ``fake``."""
    known: dict[int, nn.Parameter] = {}
    for module in network.modules():
        for name, p in module._parameters.items():
            if p is not None:
                if id(p) not in known:
                    known[id(p)] = nn.Parameter(torch.empty(p.shape, dtype=p.dtype, device="cpu"), requires_grad=False)
                module._parameters[name] = known[id(p)]
        for name, b in module._buffers.items():
            if b is not None and b.device.type == "meta":
                module._buffers[name] = torch.empty(b.shape, dtype=b.dtype, device="cpu")


def from_name(name: str, sizes: list[tuple[int, ...]], settings: dict[str, Any]) -> Found:
    """``package.module:name`` called with ``settings`` on fake tensors, run on one sample of each of ``sizes``."""
    network = built(name, settings)
    with fake():
        filled(network)
        inputs = tuple(_input(network, size) for size in sizes or [(3, 224, 224)])
        return graph(network, inputs, name.partition(":")[2], f"{name}, built without weights; torch {torch.__version__}")


def built(name: str, settings: dict[str, Any]) -> nn.Module:
    """``package.module:name`` called with ``settings``, without weights, as it is used for inference."""
    make = _found(name)
    try:
        try:
            with torch.device("meta"), weightless():
                network = make(**settings)
        except Exception:  # a constructor that computes with its numbers: only its parameters go to the meta device
            with weightless():
                network = make(**settings)
    except Exception as error:  # whatever a library does when it is called
        first = str(error).strip().splitlines()[:1]
        what = f"cannot be built: {type(error).__name__}: {printable(first[0] if first else '', 160)}"
        raise InputError(what, where=name, hint="Arguments of its own: --set NAME=VALUE.") from None
    if not isinstance(network, nn.Module):
        raise InputError(f"makes a {type(network).__name__}, not a torch.nn.Module", where=name)
    return network.eval()


def _input(network: nn.Module, size: tuple[int, ...]) -> torch.Tensor:
    """One sample: numbers, or tokens where a size has one axis and the network starts with a table."""
    tokens = len(size) == 1 and any(isinstance(m, (nn.Embedding, nn.EmbeddingBag)) for m in network.modules())
    return torch.zeros(1, *size, dtype=torch.int64) if tokens else torch.randn(1, *size)


def _found(name: str) -> Any:
    """What ``package.module:name`` names; InputError where there is no such thing."""
    package, _, attribute = name.partition(":")
    declare(package.partition(".")[0])
    try:
        module: Any = import_module(package)
    except Exception as error:  # whatever a library does when it is imported
        what = f"cannot be imported: {type(error).__name__}: {printable(str(error), 160)}"
        raise InputError(what, where=name, hint="It must be an installed library, e.g. torchvision.models:resnet50.") from None
    for part in attribute.split("."):
        if not hasattr(module, part):
            from planner.errors import unknown

            raise unknown("name", part, [n for n in vars(module) if not n.startswith("_")], where=name)
        module = getattr(module, part)
    if not callable(module):
        raise InputError("is not a class or function", where=name)
    return module


_LIBRARIES: list[Any] = []


def declare(library: str) -> None:
    """Declare the operators of a library whose extension does not load, before it is imported."""
    for schema in DECLARED.get(library, ()):
        if not hasattr(getattr(torch.ops, library), schema.partition("(")[0]):
            _LIBRARIES.append(torch.library.Library(library, "FRAGMENT"))
            _LIBRARIES[-1].define(schema)
