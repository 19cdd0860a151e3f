"""A network as one pipeline of layers in an FPGA's fabric, every layer with multipliers and weights of its own.

FINN (arXiv:1809.04570) folds layers until all take the same number of cycles, the initiation interval; hls4ml
(arXiv:2103.05579) calls the number of products that one multiplier does for a position of the image its reuse factor. With
balanced layers, multipliers = weights / reuse and interval = multiply-accumulates / multipliers.
"""

import numpy as np

from planner.model.columns import Array, Columns

BLOCK_RAM = 36 * 1024.0  # bits of a block of RAM and of UltraRAM (AMD DS890, UltraScale overview)
ULTRA_RAM = 288 * 1024.0
NARROW = 8.0  # bits up to which a DSP slice does two products a cycle (AMD WP486)


def design(network: Columns, part: Columns) -> Columns:
    """Interval [cycles and s], multipliers, slices and memory that designs take (N,), and whether they fit.

    network: macs, weights, layers, bits [of a weight]; part: dsp, bram36, uram, clock [Hz], reuse (0: the least that fits).
    The memory is that of weights; buffers between layers come on top. latency is at most the interval of every layer in turn.
    """
    packed = np.where(network.bits <= NARROW, 2.0, 1.0)
    least = np.ceil(network.weights / (part.dsp * packed))
    reuse = np.where(part.reuse > 0, part.reuse, np.maximum(1.0, least))
    multipliers = np.ceil(network.weights / reuse)
    dsp = np.ceil(multipliers / packed)
    cycles = network.macs / multipliers
    bits, room = network.weights * network.bits, part.bram36 * BLOCK_RAM + part.uram * ULTRA_RAM
    interval = cycles / part.clock
    return Columns(
        reuse=reuse, multipliers=multipliers, dsp=dsp, cycles=cycles, interval=interval, latency=interval * network.layers,
        memory=bits / 8, room=room / 8, fits=_within(dsp, part.dsp) & _within(bits, room),
    )  # fmt: skip


def _within(needed: Array, there: Array) -> Array:
    return np.asarray(needed <= there)
