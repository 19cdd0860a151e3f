"""Collectives among n devices: latency that grows with the ring, volume over the link, and what a start costs.

t = a + b (n - 1) + volume / W + c sqrt(volume) with W = e_w (2 / n)^g of the link. The volume is what a device sends:
2 (n-1)/n of the message for an all-reduce and (n-1)/n for all-gather, reduce-scatter and all-to-all (Thakur et al.,
IJHPCA 2005); 1 for a send. Each operation has coefficients of its own where it was measured; the surface holds where a
library changes its protocol or algorithm.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.surface import factor

COEFFICIENTS = {
    "a": 5e-6,  # s
    "b": 1e-6,  # s a further device
    "e_w": 0.8,  # share of the link's bandwidth that two devices reach
    "g": 0.0,  # how that share falls with the devices, as a power: 0 on a switch, 2 where all share one bus of a host
    "c": 0.0,  # s per sqrt(byte)
    "hop": 10e-6,  # s a message takes from node to node (p2p_latency of aiconfigurator-core 0.12.0, systems/*.yaml)
}
KINDS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")
WIDEST = 8  # devices of a host whose sharing of one bus was measured: more ranks lie in other hosts, with buses of their own
SURFACE = {"volume": tuple(4.0**i for i in range(4, 16)), "ranks": (2.0, 4.0, 8.0)}


def seconds(op: Op, machine: Machine) -> Array:
    """Time [s] of op.variant, one of KINDS, of shape ranks, volume [B a device sends], stride [devices between neighbours].

    An inference engine's own all-reduce works inside a node; where ranks span several it leaves it to the library, whose law
    is "collective_beyond". Over several nodes a collective crosses the network between them, an all-reduce there and back.
    """
    s, device = op.shape, machine.device
    link = bandwidth(device, s["ranks"], s["stride"])
    t = between(op.variant, s["ranks"], s["volume"], link, machine)
    spans = s["ranks"] * s["stride"] > device.up_size
    if not np.any(spans):
        return t
    hops = np.ceil(s["ranks"] * s["stride"] / device.up_size) - 1
    if op.variant == "all_reduce" and "collective_beyond" in machine.laws:
        t = np.where(spans, between("beyond", s["ranks"], s["volume"], link, machine), t)
    return t + machine.laws["collective"].hop * np.where(spans, hops, 0.0) * (1 + (op.variant == "all_reduce"))


def between(kind: str, ranks: Array, volume: Array, link: Array, machine: Machine) -> Array:
    """Time [s] of a collective (KINDS, or "send") over a link [B/s] in which each of ``ranks`` sends ``volume`` bytes (N,)."""
    law = f"collective_{kind}" if f"collective_{kind}" in machine.laws else "collective"
    sizes = {"volume": volume, "ranks": ranks}
    return time(ranks, volume, link, machine.laws[law]) * factor(SURFACE, sizes, machine.surfaces.get(law))


def time(ranks: Array, volume: Array, bandwidth: Array, c: Columns) -> Array:
    """The law; see ``seconds``. Nothing for one rank. Returns (N,) [s]."""
    rate = bandwidth * c.e_w * (2 / np.clip(ranks, 2, WIDEST)) ** c.g
    t = c.a + c.b * (ranks - 1) + volume / rate + c.c * np.sqrt(volume)
    return np.where(ranks > 1, t, 0.0)


def share(kind: str, ranks: Array) -> Array:
    """Volume a device sends, as a multiple of the message (N,)."""
    ring = (ranks - 1) / ranks
    return {"all_reduce": 2 * ring, "all_gather": ring, "reduce_scatter": ring, "all_to_all": ring, "send": np.sign(ring)}[kind]


def bandwidth(device: Columns, ranks: Array, stride: Array) -> Array:
    """Bandwidth a device has towards a group of ``ranks`` devices that lie ``stride`` apart (N,) [B/s].

    Inside the scale-up domain it is that link's; where each pair of a node's devices has a wire of its own (a full mesh), the
    wires to the group's other members only. Beyond it a ring crosses every node's network once, and the members of the group
    in one node share all of the node's rails.
    """
    members = np.maximum(1.0, np.floor(device.up_size / stride))
    inside = ranks * stride <= device.up_size
    peers = np.maximum(device.up_peers, 1.0)
    wires = np.where(device.up_peers > 0, np.clip(np.minimum(ranks, members) - 1, 1.0, peers) / peers, 1.0)
    near = device.up_bandwidth * wires
    across = np.minimum(np.where(members > 1, near, np.inf), members * device.out_bandwidth)
    return np.where(inside, near, across)
