"""Named NumPy columns of equal length: how candidates, devices and architectures travel through the model."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
"""A NumPy array (N,): floats, or the indices and masks that choose among them."""


class _Rows:
    """Rows of a column (N,), gathered when first asked for: most columns of a law are never read where it is taken."""

    __slots__ = ("_index", "_made", "_of")

    def __init__(self, of: "Array | _Rows", index: Array) -> None:
        self._of, self._index = of, index
        self._made: Array | None = None

    def array(self) -> Array:
        if self._made is None:
            of = self._of.array() if isinstance(self._of, _Rows) else self._of
            self._made = of[self._index]
        return self._made


class Columns:
    """Columns of length N, read as attributes: ``space.tp`` is an array (N,).

    A scalar given for a column is broadcast. Immutable: ``with_`` returns a changed copy.
    """

    __slots__ = ("_columns", "_length")

    def __init__(self, columns: Mapping[str, ArrayLike] | None = None, *, length: int | None = None, **more: ArrayLike) -> None:
        arrays = {name: np.asarray(values) for name, values in {**(columns or {}), **more}.items()}
        lengths = {array.shape[0] for array in arrays.values() if array.ndim}
        if length is not None:
            lengths.add(length)
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: { {n: a.shape for n, a in arrays.items()} }")
        self._length: int = lengths.pop() if lengths else 1
        self._columns: dict[str, Array | _Rows] = {
            name: array if array.ndim else np.broadcast_to(array, (self._length,)) for name, array in arrays.items()
        }

    @classmethod
    def _sound(cls, columns: dict[str, Array | _Rows], length: int) -> "Columns":
        """Columns that are known to be of that length."""
        made = cls.__new__(cls)
        made._columns, made._length = columns, length
        return made

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> NDArray[Any]:
        column = self._columns[name]
        if isinstance(column, _Rows):
            column = self._columns[name] = column.array()
        return column

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name.startswith("_"):  # copying and unpickling ask before there are columns
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no column '{name}'; there are {', '.join(self._columns)}") from None

    def take(self, index: ArrayLike) -> "Columns":
        """Rows by index or mask, in that order."""
        chosen = np.asarray(index)
        chosen = chosen if chosen.size else chosen.astype(bool if chosen.dtype == bool else int)
        rows = int(chosen.sum()) if chosen.dtype == bool else chosen.size
        return Columns._sound({name: _Rows(column, chosen) for name, column in self._columns.items()}, rows)

    def with_(self, **columns: ArrayLike) -> "Columns":
        """A copy with columns added or replaced."""
        return Columns._sound(self._columns | Columns(columns, length=self._length)._columns, self._length)

    def unique(self, names: Iterable[str]) -> tuple["Columns", Array]:
        """The distinct rows by the named columns, and for each row which of them it is.

        ``distinct, back = space.unique(["device", "tp"])``; ``f(distinct)[back]`` is ``f`` of every row.
        """
        keys = np.stack([np.unique(self[n], return_inverse=True)[1].reshape(-1) for n in names])
        _, first, back = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        return self.take(first), back.reshape(-1)


def concat(parts: list[Columns]) -> Columns:
    """Rows of all parts, one after another; they must have the same columns."""
    names = list(parts[0])
    if any(set(part) != set(names) for part in parts):
        raise ValueError(f"parts have different columns: {[sorted(part) for part in parts]}")
    return Columns({name: np.concatenate([part[name] for part in parts]) for name in names})


def product(**axes: ArrayLike) -> Columns:
    """Every combination of the axes' values, the last axis varying fastest."""
    arrays = [np.atleast_1d(np.asarray(values)) for values in axes.values()]
    grids = np.meshgrid(*arrays, indexing="ij") if arrays else []
    return Columns({name: grid.reshape(-1) for name, grid in zip(axes, grids, strict=True)})
