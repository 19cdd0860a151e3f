"""One thing to measure: the operation it is, how to make it ready to run, and in which state of the caches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal, Protocol

import torch

from planner.errors import unknown
from planner.measure.call import Call, Spec, arguments, bind, like, spec
from planner.measure.describe import describe
from planner.schema.measurement import Cache, Operation, Tier

LONG = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16", "fp64": "float64", "tf32": "float32"}


@dataclass(frozen=True)
class Target:
    """What the grid is laid out for: the device, the dtypes it computes in, and the largest work worth a cell [FLOP, bytes]."""

    device: torch.device
    dtypes: tuple[str, ...]
    flop: float
    bytes: float
    folder: str = ""
    """Where a file may be written to read it again."""

    @property
    def floats(self) -> tuple[str, ...]:
        """The dtypes that every suite measures: the wide one and one of 16 bits."""
        narrow = "bf16" if "bf16" in self.dtypes else "fp16"
        return tuple(d for d in self.dtypes if d in ("fp32", narrow))


@dataclass(frozen=True)
class Case:
    """``make`` returns what is timed, on operands of its own."""

    operation: Operation
    make: Callable[[torch.device], Callable[[], Any]]
    caches: tuple[Cache, ...] = ("hot",)
    tf32: bool = False
    clock: Literal["device", "queued", "launch", "host"] = "device"
    """Whose time counts: the device's own, the same as its queue starts one run after another, the device's with what the host
    takes to launch it, or the host's alone."""


class Suite(Protocol):
    """What every module of ``planner.measure.cases`` offers; its name is the suite's."""

    def cases(self, tier: Tier, target: Target) -> Iterator[Case]:
        """Every case of a tier."""


@cache
def suites() -> dict[str, Suite]:
    """Every suite by name."""
    from planner.measure import cases

    return {m.name: import_module(f"{cases.__name__}.{m.name}") for m in iter_modules(cases.__path__)}


def chosen(names: list[str]) -> tuple[str, ...]:
    """The suites asked for, all of them where none is; InputError for one that there is not."""
    for name in names:
        if name not in suites():
            raise unknown("suite", name, suites())
    return tuple(n for n in suites() if n in names) if names else tuple(suites())


def of_call(op: str, *args: Any, caches: tuple[Cache, ...] = ("hot",), high: int = 0, **kwargs: Any) -> Case:
    """A case that is one call of torch: ``args`` with tensors as ``Spec``."""
    plain = Call(op, tuple(tuple(a) if isinstance(a, list) else a for a in args), tuple(kwargs.items()), (), high)
    return traced(Call(op, plain.args, plain.kwargs, _outputs(plain), high), caches)


def traced(call: Call, caches: tuple[Cache, ...]) -> Case:
    """A case of a call whose outputs are known."""
    return Case(describe(call), lambda device: bind(call, device), caches)


def t(dtype: str, *shape: int, stride: tuple[int, ...] | None = None) -> Spec:
    """A tensor's layout by the planner's name of its dtype."""
    return like(shape, LONG.get(dtype, dtype), stride)


def transposed(dtype: str, rows: int, columns: int) -> Spec:
    """A matrix (rows, columns) whose columns are contiguous: a linear layer's weight as it is used."""
    return t(dtype, rows, columns, stride=(1, rows))


def channels_last(dtype: str, batch: int, channels: int, size: int) -> Spec:
    """Images with the channels innermost."""
    return t(dtype, batch, channels, size, size, stride=(size * size * channels, 1, size * channels, channels))


def _outputs(call: Call) -> tuple[Spec, ...]:
    """What a call returns, found on torch's meta device: nothing is computed."""
    from planner.measure.call import overload

    args, kwargs = arguments(call, torch.device("meta"))
    out = overload(call.op)(*args, **kwargs)
    return tuple(spec(x) for x in (out if isinstance(out, (tuple, list)) else (out,)) if isinstance(x, torch.Tensor))
