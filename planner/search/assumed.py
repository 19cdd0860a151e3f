"""A cluster for a device nobody described one for: what its own links allow, said to be assumed."""

from dataclasses import replace

from planner.schema.hardware import Device, Link, System, Tier, Topology
from planner.schema.quantity import Figure

NODE = 8  # devices of a node: what most servers hold
REACH = 16384
ADAPTER = 50e9  # B/s a direction: one 400 Gb/s adapter a device, the most that is usual
SOURCE = "assumed"


def joined(device: Device, system: System | None) -> System:
    """``system`` (or a node of eight) with the tiers that are not published filled in from the device's links.

    Within a node the fastest link joins the devices; between nodes an adapter as fast as the slowest link, and no faster than
    ADAPTER. A device without any published link stays as it is: nothing can be said of several.
    """
    known = system or System(
        SOURCE, f"{device.name}, a node nobody described", device.id, NODE, {SOURCE: "from the device's links"}
    )
    names = {tier.name for tier in known.tiers}
    if not device.links or names == {"scale_up", "scale_out"}:
        return known
    fastest, slowest = (f(device.links, key=lambda link: link.bandwidth.value) for f in (max, min))
    tiers = list(known.tiers)
    if "scale_up" not in names:
        size = known.devices if known.devices > 1 else NODE
        tiers.append(_tier("scale_up", fastest, size, fastest.bandwidth.value))
    if "scale_out" not in names:
        tiers.append(_tier("scale_out", slowest, REACH, min(ADAPTER, slowest.bandwidth.value)))
    return replace(known, tiers=tuple(tiers))


def _tier(name: str, link: Link, size: int, bandwidth: float) -> Tier:
    topology: Topology = "pcie" if link.kind.lower().startswith("pci") else "switch"
    figure = Figure(bandwidth, SOURCE, f"assumed from {link.kind}")
    return Tier("scale_up" if name == "scale_up" else "scale_out", link.kind, topology, size, figure)
