"""An operation of torch as data: which overload, and the shapes, strides and types of what it takes. No values.

Written down when a network runs, and run again alone on random data of the same layout.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

Sizes = tuple[int, ...]
NOISE = 999_983  # values drawn; a prime, so that no row of a matrix is like the next


@dataclass(frozen=True)
class Spec:
    """A tensor's layout."""

    shape: Sizes
    stride: Sizes
    dtype: str

    @property
    def itemsize(self) -> int:
        """Bytes an element."""
        return int(getattr(torch, self.dtype).itemsize)

    @property
    def numel(self) -> int:
        """Elements."""
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def extent(self) -> int:
        """Elements of memory from the first to the last."""
        return 1 + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True)) if self.numel else 0

    @property
    def bytes(self) -> int:
        """Bytes of memory behind it: an expanded tensor has fewer than elements."""
        return min(self.numel, self.extent) * self.itemsize


@dataclass(frozen=True)
class Call:
    """An overload (``aten.addmm.default``) and its arguments, tensors as ``Spec``; ``high``: one more than the largest
    integer that its integer tensors may hold (row numbers)."""

    op: str
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...] = ()
    outputs: tuple[Spec, ...] = ()
    high: int = 0

    @property
    def key(self) -> str:
        """The call as text."""
        parts = [_text(a) for a in self.args] + [f"{k}={_text(v)}" for k, v in self.kwargs]
        return f"{self.op}({', '.join(parts)})"

    @property
    def tensors(self) -> list[Spec]:
        """Its tensor arguments, those inside lists too."""
        return [s for a in (*self.args, *(v for _, v in self.kwargs)) for s in _specs(a)]


def spec(t: torch.Tensor) -> Spec:
    """The layout of a tensor."""
    return Spec(tuple(t.shape), tuple(t.stride()), str(t.dtype).removeprefix("torch."))


def like(shape: Sizes, dtype: str, stride: Sizes | None = None) -> Spec:
    """A layout: contiguous unless strides are given."""
    if stride is None:
        steps, step = [], 1
        for n in reversed(shape):
            steps.append(step)
            step *= max(n, 1)
        stride = tuple(reversed(steps))
    return Spec(tuple(shape), stride, dtype)


def as_data(value: Any) -> Any:
    """An argument with tensors as Spec, lists as tuples, and torch's own types as text."""
    if isinstance(value, torch.Tensor):
        return spec(value)
    if isinstance(value, (list, tuple)):
        return tuple(as_data(v) for v in value)
    if isinstance(value, (torch.dtype, torch.device, torch.layout, torch.memory_format)):
        return _Named(str(value).removeprefix("torch."), type(value).__name__)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ValueError(f"an argument of type {type(value).__name__} cannot be replayed")


@dataclass(frozen=True)
class _Named:
    name: str
    kind: str

    def value(self, device: torch.device) -> Any:
        return device if self.kind == "device" else getattr(torch, self.name)


def overload(name: str) -> Callable[..., Any]:
    """``aten.mm.default`` as something to call."""
    space, op, which = name.split(".")
    return getattr(getattr(getattr(torch.ops, space), op), which)


def arguments(call: Call, device: torch.device) -> tuple[list[Any], dict[str, Any]]:
    """Random arguments of the call's layout on a device."""

    def make(value: Any) -> Any:
        if isinstance(value, Spec):
            return tensor(value, device, call.high)
        if isinstance(value, tuple):
            return [make(v) for v in value]
        return value.value(device) if isinstance(value, _Named) else value

    return [make(a) for a in call.args], {k: make(v) for k, v in call.kwargs}


def tensor(s: Spec, device: torch.device, high: int = 0) -> torch.Tensor:
    """Random values in a tensor of that layout: normal floats, integers below ``high``."""
    dtype = getattr(torch, s.dtype)
    size = max(s.extent, 1)
    if dtype.is_floating_point:
        flat = torch.empty(size, device=device, dtype=dtype)
        if device.type != "meta":
            _fill(flat)
    elif dtype == torch.bool:
        flat = torch.rand(size, device=device) > 0.5
    else:
        flat = torch.randint(0, high or 2, (size,), device=device).to(dtype)
    return flat.as_strided(s.shape, s.stride)


@cache
def _noise(device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """Normal values to fill tensors from: drawing them afresh would take longer than what is measured."""
    return torch.randn(NOISE, device=device).to(dtype)


def _fill(flat: torch.Tensor) -> None:
    noise = _noise(flat.device, flat.dtype)
    whole = len(flat) // NOISE * NOISE
    if whole:
        flat[:whole].view(-1, NOISE).copy_(noise)
    flat[whole:].copy_(noise[: len(flat) - whole])


def bind(call: Call, device: torch.device) -> Callable[[], Any]:
    """The call on random arguments, ready to run again and again."""
    args, kwargs = arguments(call, device)
    function = overload(call.op)
    for part, mend in _MENDS.items():
        if part in call.op:
            mend(args)
    if kwargs:
        return lambda: function(*args, **kwargs)
    return lambda: function(*args)


def _rising(args: list[Any]) -> None:
    """Where each bag starts must rise."""
    count = args[2].numel()
    args[2] = torch.linspace(0, args[1].numel(), count + 1, device=args[2].device)[:-1].to(args[2].dtype)


def _spread(args: list[Any]) -> None:
    """A variance is positive."""
    if args[4] is not None:
        args[4].abs_().add_(0.1)


_MENDS: dict[str, Callable[[list[Any]], None]] = {
    "embedding_bag": _rising,
    "native_batch_norm.": _spread,
    "cudnn_batch_norm.": _spread,
}
"""What random values may not be, by part of an overload's name."""


def _specs(value: Any) -> list[Spec]:
    if isinstance(value, Spec):
        return [value]
    return [s for v in value for s in _specs(v)] if isinstance(value, tuple) else []


def _text(value: Any) -> str:
    if isinstance(value, Spec):
        shape = "x".join(map(str, value.shape))
        plain = like(value.shape, value.dtype).stride == value.stride
        return f"{value.dtype}[{shape}]" + ("" if plain else "@" + ",".join(map(str, value.stride)))
    if isinstance(value, tuple):
        whole = ", ".join(_text(v) for v in value)
        return f"({whole})"
    return value.name if isinstance(value, _Named) else json.dumps(value)
