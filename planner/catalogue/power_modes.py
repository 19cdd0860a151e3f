"""Power modes as records of their own: a device with the peaks, bandwidth and power of a mode, a system of it, its offers.

Peaks go with the clock and the units that are on, bandwidth with the memory's clock. What was fitted on a device holds in every
mode of it: efficiencies are shares of the peaks. Starting a kernel takes the time it takes at full clocks, whatever the mode.
"""

from collections.abc import Iterable
from dataclasses import replace

from planner.errors import InputError, printable
from planner.schema.hardware import IN_MODE, Device, Memory, Offer, PowerMode, Provider, System, own_id
from planner.schema.quantity import Figure


def device_in(device: Device, mode: str, where: str = "") -> Device:
    """``device`` in one of its power modes; InputError that names them where it has no such mode."""
    if mode not in device.power_modes:
        has = ", ".join(device.power_modes)
        hint = f"It has {has}." if has else "It has none: its own figures stand."
        raise InputError(f"{device.id} has no power mode '{printable(mode)}'", where=where, hint=hint)
    m = device.power_modes[mode]
    compute = _share(m.clock, device.clock) * _share(m.compute_units, device.compute_units)
    return replace(
        device, id=device.id + IN_MODE + mode, name=f"{device.name}, {mode}",
        peak={dtype: _scaled(figure, compute, mode) for dtype, figure in device.peak.items()},
        memory=tuple(_slowed(level, m, mode) for level in device.memory),
        compute_units=m.compute_units or device.compute_units, clock=m.clock or device.clock, tdp=m.power,
        idle_power=_at_most(device.idle_power, m.power), power_modes={},
    )  # fmt: skip


def system_in(system: System, device: Device, mode: str, where: str = "") -> System:
    """``system``, which is built of ``device``, in a power mode of it; what a node draws beside its devices stays."""
    limited, power = device_in(device, mode, where), system.power
    if power and device.tdp and limited.tdp:
        power = replace(power, value=power.value - system.devices * (device.tdp.value - limited.tdp.value))
    return replace(system, id=system.id + IN_MODE + mode, name=f"{system.name}, {mode}", device=limited.id, power=power)


def offered(provider: Provider, systems: Iterable[str]) -> Provider:
    """What a provider offers of these systems: one in a power mode costs what it costs in any."""
    modes: dict[str, list[str]] = {}
    for id in systems:
        if IN_MODE in id:
            modes.setdefault(own_id(id), []).append(id)
    more = (_in_mode(offer, id) for offer in provider.offers for id in modes.get(offer.system, ()))
    return replace(provider, offers=(*provider.offers, *more))


def _in_mode(offer: Offer, system: str) -> Offer:
    return replace(offer, id=offer.id + IN_MODE + system.partition(IN_MODE)[2], system=system)


def _slowed(level: Memory, m: PowerMode, mode: str) -> Memory:
    if level.level != "main" or level.bandwidth is None:
        return level
    return replace(level, bandwidth=_scaled(level.bandwidth, _share(m.memory_clock, level.clock), mode))


def _share(limit: Figure | None, own: Figure | None) -> float:
    return limit.value / own.value if limit and own else 1.0


def _scaled(figure: Figure, share: float, mode: str) -> Figure:
    if share == 1:
        return figure
    said = f"{share:.4g} of the device's own, for mode {mode}"
    return replace(figure, value=figure.value * share, note=f"{said}; {figure.note}" if figure.note else said)


def _at_most(figure: Figure | None, limit: Figure) -> Figure | None:
    return limit if figure and limit.value < figure.value else figure
