"""One operator of a pass: how often it runs, its shape and the work it does, as columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.surface import Surfaces

_ZERO: Array = np.zeros(1)


@dataclass(frozen=True)
class Op:
    """An operator on one device.

    kind: the module of ``planner.model.ops`` whose law times it.
    part: what its time is shown under (matmul, attention, elementwise, communication).
    count: runs in the pass (N,). shape: what the law needs, each (N,).
    flop, weight_bytes, activation_bytes, kv_bytes: work of one run (N,).
    """

    name: str
    kind: str
    part: str
    count: Array
    shape: Mapping[str, Array]
    flop: Array
    half: bool = False
    """Computed in 16 bits whatever the precision of the rest: attention and the logits."""
    variant: str = ""
    """Which operation of its kind it is, where those have coefficients of their own: a collective's."""
    weight_bytes: Array = field(default_factory=lambda: _ZERO)
    activation_bytes: Array = field(default_factory=lambda: _ZERO)
    kv_bytes: Array = field(default_factory=lambda: _ZERO)

    @property
    def moved(self) -> Array:
        """Bytes to and from memory in one run (N,)."""
        return self.weight_bytes + self.activation_bytes + self.kv_bytes


@dataclass(frozen=True)
class Machine:
    """Devices as columns, one row a candidate, with the coefficients of every law that may time an operator.

    device: peak [FLOP/s in the arithmetic's dtype], bandwidth [B/s], capacity [B], units, systolic [side of its arrays],
    cache [B], tdp, idle [W], up_bandwidth, out_bandwidth [B/s per device and direction], up_size, out_size, node [devices],
    up_peers [devices with a wire of their own to this one; 0 behind a switch].
    laws: law -> its coefficients as columns. surfaces: law -> what its formula misses, where any row has such a table.
    """

    device: Columns
    laws: Mapping[str, Columns]
    surfaces: Mapping[str, Surfaces] = field(default_factory=dict)

    def take(self, index: Array) -> "Machine":
        """Rows by index or mask."""
        laws = {law: c.take(index) for law, c in self.laws.items()}
        return Machine(self.device.take(index), laws, {law: s.take(index) for law, s in self.surfaces.items()})
