"""Which measured operations are alike: the group an operation is interpolated within, and the axes it is placed by."""

from collections.abc import Callable, Mapping

import numpy as np

from planner.model.columns import Array
from planner.schema.measurement import Operation

Axes = Mapping[str, float]


def group(o: Operation) -> tuple[str, str, str]:
    """Class, kind and dtype: operations that one law with one residual times."""
    return o.op, _GROUP[o.op](o) if o.op in _GROUP else o.variant, o.dtype


def place(o: Operation) -> Array:
    """Where an operation lies among those of its group: base-2 logarithms of its sizes (axes,)."""
    return np.log2(np.maximum(np.array(_AXES[o.op](o.shape), float), 0.25)) if o.op in _AXES else np.zeros(1)


def _convolution_group(o: Operation) -> str:
    pointwise = " 1x1" if o.shape["taps"] == 1 and o.variant.startswith("dense") else ""
    return o.variant + pointwise


def _attention_group(o: Operation) -> str:
    return "decode" if o.shape["query"] == 1 else o.variant


def _width(s: Axes) -> float:
    """Channels that one output sees; all of them where each is on its own (depthwise)."""
    return s["cin"] if s["groups"] == s["cin"] else s["cin"] / s["groups"]


_GROUP: dict[str, Callable[[Operation], str]] = {
    "convolution": _convolution_group,
    "attention": _attention_group,
    "matmul": lambda o: o.variant if o.variant[:2] == "mm" else "bmm",
}
_AXES: dict[str, Callable[[Axes], tuple[float, ...]]] = {
    "matmul": lambda s: (s["batch"], s["m"], s["n"], s["k"]),
    "convolution": lambda s: (s["batch"], s["places"], _width(s), s["cout"], s["taps"], s["stride"]),
    "attention": lambda s: (s["batch"] * s["heads"], s["query"], s["context"], s["dim"]),
    "elementwise": lambda s: (s["elements"],),
    "normalization": lambda s: (s["elements"] / s["width"], s["width"]),
    "pooling": lambda s: (s["elements"],),
    "gather": lambda s: (s["rows"], s["width"]),
    "optimizer": lambda s: (s["elements"],),
    "memory": lambda s: (s["bytes"],),
}  # fmt: skip
