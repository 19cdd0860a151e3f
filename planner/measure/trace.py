"""A network's pass written down, operation by operation, below autograd: what ran, on what, and what was still in the caches.

Reuse distances are simulated on the addresses that were really touched: for every piece of memory, how many other bytes
were touched since it last was (Mattson et al., 1970: the LRU stack distance).
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from planner.measure.call import Call, as_data, spec
from planner.measure.describe import describe, moves_nothing, touched_bytes
from planner.schema.measurement import Operation, Traced, Visit

PIECE, PIECES = 1 << 15, 1 << 17  # bytes that count as touched together; more where a pass would have more pieces than that
NEVER = 1e18  # bytes: touched for the first time
MANY = 1 << 22  # integers whose largest is not looked for


class _Listener(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.touched: list[list[tuple[int, int]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if not str(func).startswith("aten."):  # the profiler's marks
            return out
        inputs, outputs = _tensors((args, tuple(kwargs.values()))), _tensors(out)
        whole = [t for t in inputs if t.dtype in (torch.int32, torch.int64) and 0 < t.numel() < MANY]
        high = max((int(t.max()) + 1 for t in whole), default=0)
        call = Call(
            str(func), tuple(as_data(a) for a in args), tuple((k, as_data(v)) for k, v in kwargs.items()),
            tuple(spec(t) for t in outputs), high,
        )  # fmt: skip
        self.calls.append(call)
        sized = {(t.data_ptr(), touched_bytes(call, s)) for t, s in zip(inputs, call.tensors, strict=True) if t.numel()}
        sized |= {(t.data_ptr(), s.bytes) for t, s in zip(outputs, call.outputs, strict=True) if t.numel()}
        self.touched.append([] if moves_nothing(call) else sorted(sized))
        return out


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for v in value for t in _tensors(v)] if isinstance(value, (list, tuple)) else []


def trace(name: str, step: Callable[[], Any]) -> tuple[Traced, dict[str, Call]]:
    """One steady pass of ``step``, and the calls behind its operations by key."""
    step()
    listener = _Listener()
    with listener:
        step()
    last = len(listener.calls)
    with listener:  # once more: what is in the caches now is what a pass leaves behind
        step()
    visits = _distances(listener.touched)[last:]
    calls = {c.key: c for c in listener.calls[last:]}
    operations: dict[str, Operation] = {key: describe(call) for key, call in calls.items()}
    place = {key: i for i, key in enumerate(operations)}
    found = [Visit(place[c.key], v) for c, v in zip(listener.calls[last:], visits, strict=True)]
    return Traced(name, tuple(operations.values()), tuple(found)), calls


def _distances(touched: list[list[tuple[int, int]]]) -> list[tuple[tuple[float, float], ...]]:
    """For each operation and each piece of memory group it touches: (bytes, other bytes touched since)."""
    unit = PIECE
    while sum(size for op in touched for _, size in op) > PIECES * unit:
        unit *= 2
    total = sum(2 + size // unit for op in touched for _, size in op)
    tree, last, clock = _Fenwick(total + len(touched) + 1), dict[int, tuple[int, int]](), 0
    found = []
    for op in touched:
        mine: list[tuple[float, float]] = []
        fresh: list[tuple[int, int]] = []
        for start, size in op:
            for piece, part in _pieces(start, size, unit):
                known = last.get(piece)
                distance = float(tree.after(known[0])) if known else NEVER
                mine.append((float(part), distance))
                fresh.append((piece, part))
        for piece, part in fresh:
            known = last.get(piece)
            if known:
                tree.add(known[0], -known[1])
            clock += 1
            size_now = max(part, known[1] if known else 0)
            tree.add(clock, size_now)
            last[piece] = (clock, size_now)
        found.append(_merged(mine))
    return found


def _pieces(start: int, size: int, unit: int = PIECE) -> list[tuple[int, int]]:
    """The pieces of ``unit`` bytes of memory that ``size`` bytes from ``start`` lie in, and how many bytes in each."""
    first, end = start // unit, start + size
    found = []
    for piece in range(first, (end - 1) // unit + 1):
        found.append((piece, min(end, (piece + 1) * unit) - max(start, piece * unit)))
    return found


def _merged(pieces: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Pieces with about the same distance together: an eighth of an octave apart at most."""
    bins: dict[int, list[float]] = {}
    for size, distance in pieces:
        key = round(8 * math.log2(distance + 1))
        total = bins.setdefault(key, [0.0, distance])
        total[0] += size
    return tuple((size, distance) for size, distance in bins.values())


class _Fenwick:
    """Sums over a growing line of places, in logarithmic time."""

    def __init__(self, size: int) -> None:
        self.tree, self.all = [0] * (size + 1), 0

    def add(self, place: int, amount: int) -> None:
        self.all += amount
        while place < len(self.tree):
            self.tree[place] += amount
            place += place & -place

    def after(self, place: int) -> int:
        """The sum of everything behind ``place``."""
        total = 0
        while place > 0:
            total += self.tree[place]
            place -= place & -place
        return self.all - total
