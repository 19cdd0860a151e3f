"""Records to columns: devices, systems and calibrations become the rows that the model's laws read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.errors import InputError
from planner.model.columns import Array, Columns
from planner.model.operation import Machine
from planner.model.ops import axes, base, laws
from planner.model.ops.collective import KINDS
from planner.model.passes import ENGINE, POWER, sustained
from planner.model.surface import Surfaces, knots, table
from planner.schema.claim import HALF_SUMS, OUTDONE, PORTABLE
from planner.schema.coefficients import EVERY, Calibration, Evidence, Fit
from planner.schema.hardware import Device, System, own_id
from planner.schema.precision import CACHES, RECIPES
from planner.schema.workload import Architecture, Workload

LADDER: tuple[Evidence, ...] = ("measured", "calibrated", "family", "datasheet")
COVERS: dict[str, Evidence] = {"device": "calibrated", "family": "family", "kind": "datasheet"}
ALIKE = {"fp16": "bf16", "bf16": "fp16"}
USUAL_STACKS = {
    "serve": ("vllm", "trtllm", "sglang", "synapse", "neuron", "mlperf"),
    "train": ("megatron", "fsdp", "maxtext", "synapse-train"),
    "infer": ("hailort", "vitis-ai", "mlperf-network", "timm"),
}
"""Software whose measured share of its kernels' speed is taken, by scenario: the first that was measured on a family."""
OWN_KERNELS = {"vllm", "sglang", "trtllm"}
"""Inference engines that bring kernels of their own: to sum over tensor ranks, and for experts beside those that TensorRT-LLM was
timed with."""
COMMON = ("matmul", "stream")
"""Laws that every graph stands on."""
HOST_LINKS = ("PCIe", "NVLink-C2C")
Find = Callable[[str], Calibration | None]


@dataclass(frozen=True)
class Setting:
    """A device in a system, computing in a precision under a software stack."""

    device: Device
    system: System | None
    precision: str
    stacks: tuple[str, ...] = ()
    """Software stacks whose measured share may be taken, the preferred one first; bare kernels where none was measured."""
    quantised_cache: bool = True
    """Whether the KV cache is kept in the 8 bits that the precision has for it, if any."""
    cache: str = ""
    """What the KV cache is kept in whatever the precision has for it (CACHES)."""
    sparse: bool = False
    """Whether two of every four weights are zero."""
    blocks: bool = False
    """Whether weights in fp8 have a scale for each block, as the model's own checkpoint does (``Moe.fp8_blocks``)."""
    many: bool = False
    """Whether TensorRT-LLM takes experts' kernels for many tokens (moe_config.backend CUTLASS or DEEPGEMM), not TRTLLM."""


def in_fp8_blocks(architecture: Architecture | None) -> bool:
    """Whether what serves a model in fp8 does so in blocks."""
    return architecture is not None and architecture.moe is not None and architecture.moe.fp8_blocks


@dataclass(frozen=True)
class Found:
    """The fit a law uses, and where it came from."""

    law: str
    variant: str
    fit: Fit | None
    calibration: Calibration | None

    @property
    def evidence(self) -> Evidence:
        """How the coefficients are known: by whom the calibration covers."""
        return COVERS[self.calibration.covers] if self.calibration else "datasheet"


def arithmetic(device: Device, precision: str, stacks: tuple[str, ...] = ()) -> str:
    """The dtype a device computes ``precision`` in under software, or "" where it cannot."""
    dtypes = RECIPES[precision].arithmetic
    if "fp16" in dtypes and stacks and stacks[0] in HALF_SUMS:
        dtypes = ("fp16_sums", *dtypes)
    return next((dtype for dtype in dtypes if dtype in device.peak), "")


def _sums(setting: Setting) -> bool:
    return arithmetic(setting.device, setting.precision, setting.stacks) == "fp16_sums"


def find(setting: Setting, find_calibration: Find) -> dict[str, Found]:
    """For every law the most particular fit there is: of the device, its family, devices alike, then its kind."""
    device = setting.device
    main = arithmetic(device, setting.precision)
    wanted: dict[str, tuple[str, ...]] = {"engine": setting.stacks, "network": (*setting.stacks, "default")}
    wanted["power"] = ("fp16_sums", "default") if _sums(setting) else ("default",)
    wanted |= {"matmul": (main, ALIKE.get(main, "default"), "default"), "matmul_half": ("bf16", "fp16", "default")}
    kept = CACHES[setting.cache] if setting.cache else RECIPES[setting.precision].kv if setting.quantised_cache else 2.0
    cache = ("fp8", "default") if kept == 1 else ("default",)
    wanted |= {"attention": cache, "decode_attention": cache}
    wanted |= dict.fromkeys(("mla", "decode_mla", "stream", "convolution"), ("default",))
    wanted["collective"] = (_link(setting.system), "default")
    wanted |= {f"collective_{kind}": (kind, "default") for kind in KINDS}
    wanted |= {"collective_beyond": ("all_reduce", "default"), "collective_host": ("host",)}
    if OWN_KERNELS & set(setting.stacks):
        wanted["collective_all_reduce"] = ("serving_all_reduce", "all_reduce", "default")
    ladder = [c for c in map(find_calibration, (own_id(device.id), device.family, device.alike, device.kind, EVERY)) if c]
    wanted["experts"] = _experts(setting, main, _first("engine", setting.stacks, ladder).variant)
    found = {law: _first(law, variants, ladder) for law, variants in wanted.items()}
    own = _first("network", setting.stacks, ladder)  # a stack's own set, of any relative, before another stack's of a near one
    return found | ({"network": own} if own.fit else {})


def _experts(setting: Setting, main: str, software: str) -> tuple[str, ...]:
    """Variants of the experts' law, the most particular first, for a dtype under software."""
    plain = (main, ALIKE.get(main, "default"), "default")
    named = ("fp8_block", *plain) if setting.blocks and main == "fp8" else plain
    own = software in OWN_KERNELS and not (software == "trtllm" and setting.many)
    return (f"serving_{named[0]}", *named) if own else named


def machine(settings: Sequence[Setting], find_calibration: Find) -> tuple[Machine, list[dict[str, Found]]]:
    """One row a setting: device columns, coefficients of each law, and which fits those are."""
    device = Columns(
        {name: np.array([value(s) for s in settings], float) for name, value in _DEVICE.items()}, length=len(settings)
    )
    kinds = {_kind(s): s for s in settings}  # settings that find the same: one device in instances of several sizes
    place = {kind: i for i, kind in enumerate(kinds)}
    of, each = [find(s, find_calibration) for s in kinds.values()], np.array([place[_kind(s)] for s in settings], int)
    laws_of = of[0] if of else {}
    coefficients = {law: _coefficients(law, [f[law] for f in of]).take(each) for law in laws_of}
    if of:
        pairs = list(zip(kinds.values(), of, strict=True))
        portable = np.array([_portable(s.device, f["engine"]) for s, f in pairs])[each]
        coefficients["engine"] = coefficients["engine"].with_(attention=coefficients["engine"].attention * portable)
        bus = np.array([_link(s.system) == "pcie" and f["collective_host"].fit is not None for s, f in pairs])[each]
        coefficients |= _on_a_bus(coefficients, bus)
    device = device.with_(sustained=sustained(device, coefficients["power"]) if of else np.ones(0))
    surfaces = {law: s.take(each) for law in laws_of if axes(law) and (s := _surfaces(law, [f[law] for f in of]))}
    return Machine(device, coefficients, surfaces), [of[i] for i in each]


def _portable(device: Device, engine: Found) -> float:
    """Share of its kernels' speed that a stack's attention keeps on a device where what it keeps elsewhere is borrowed."""
    borrowed = engine.calibration is not None and engine.calibration.id not in (own_id(device.id), device.family)
    return OUTDONE.get(device.family, 1.0) if borrowed and engine.variant in PORTABLE else 1.0


def _on_a_bus(coefficients: Mapping[str, Columns], bus: Array) -> dict[str, Columns]:
    """Collectives in hosts whose cards share a bus (N,): how they share it belongs to the host, and is that of the usual one."""
    usual = coefficients["collective_host"].g
    of = [law for law in coefficients if base(law) == "collective"]
    return {law: coefficients[law].with_(g=np.where(bus, usual, coefficients[law].g)) for law in of}


def _kind(s: Setting) -> tuple[object, ...]:
    """All of a setting that ``find`` looks at."""
    return id(s.device), _link(s.system), s.precision, s.stacks, s.quantised_cache, s.cache, s.blocks, s.many


def misfits(calibration: Calibration) -> Iterator[str]:
    """Surfaces of a calibration that this version's laws cannot use."""
    for law, fits in calibration.laws.items():
        for variant, fit in fits.items():
            if fit.surface and len(fit.surface) != knots(axes(law)):
                yield f"{law} {variant} has a surface of {len(fit.surface)} values; the law takes {knots(axes(law))}"


def used(laws: Mapping[str, Found], workload: Workload) -> dict[str, Found]:
    """The laws that an estimate of a workload goes through: a network's own, a graph's, or those of a transformer's operators."""
    if workload.graph:
        kinds = {layer.op for layer in workload.graph.operations}
        return {law: laws[law] for law in ("matmul", "stream", "convolution", "attention") if law in COMMON or law in kinds}
    network, architecture = workload.network is not None, workload.architecture
    latent = architecture is not None and architecture.mla is not None
    left = {"convolution", "matmul_half", *(("attention", "decode_attention") if latent else ("mla", "decode_mla"))}
    left |= set() if architecture and architecture.moe else {"experts"}
    chosen = {law: found for law, found in laws.items() if base(law) == law and law not in left}
    return {law: found for law, found in chosen.items() if (law == "network") == network}


def weakest(found: Mapping[str, Found], *which: str) -> Evidence:
    """The evidence an estimate stands on: that of its weakest law."""
    return max((found[law].evidence for law in which), key=LADDER.index)


def _coefficients(law: str, found: Sequence[Found]) -> Columns:
    defaults = {"engine": ENGINE, "power": POWER}.get(law) or laws()[base(law)].COEFFICIENTS
    return Columns(
        {
            name: np.array([f.fit.coefficients.get(name, value) if f.fit else value for f in found])
            for name, value in defaults.items()
        },
        length=len(found),
    )


def _surfaces(law: str, found: Sequence[Found]) -> Surfaces | None:
    """The distinct surfaces of the fits, and which row takes which; None where no fit has any."""
    grid = axes(law)
    tables = [np.zeros(knots(grid))]
    place: dict[tuple[int, ...], int] = {(): 0}
    for f in found:
        values = f.fit.surface if f.fit else ()
        if values not in place:
            place[values] = len(tables)
            if len(values) != knots(grid) and f.calibration:
                problem = next(misfits(f.calibration))
                where = f"calibration {f.calibration.id}"
                raise InputError(problem, where=where, hint="It was made by another version: calibrate again.")
            tables.append(table(grid, values))
    index = np.array([place[f.fit.surface if f.fit else ()] for f in found])
    return Surfaces(np.array(tables), index) if len(tables) > 1 else None


def _first(law: str, variants: Sequence[str], ladder: Sequence[Calibration]) -> Found:
    for calibration in ladder:
        fits = calibration.laws.get(base(law), {})
        for variant in variants:
            if variant in fits:
                return Found(law, variant, fits[variant], calibration)
    return Found(law, "", None, None)


def _link(system: System | None) -> str:
    return next((t.topology for t in system.tiers if t.name == "scale_up"), "default") if system else "default"


def _sparse(device: Device) -> float:
    return device.sparse_speedup.value if device.sparse_speedup else np.nan


def _tier(setting: Setting, name: str, field: str) -> float:
    tiers = setting.system.tiers if setting.system else ()
    for tier in tiers:
        if tier.name == name:
            return float(tier.size) if field == "size" else tier.bandwidth.value
    return np.nan if field == "bandwidth" else 1.0


def _peak(device: Device, precision: str, stacks: tuple[str, ...] = ()) -> float:
    dtype = arithmetic(device, precision, stacks)
    return next((figure.value for name, figure in device.peak.items() if name == dtype), np.nan)


def _memory(setting: Setting, level: str, field: str) -> float:
    memory = setting.device.level(level)
    figure = getattr(memory, field) if memory else None
    if figure is None and level == "main" and field == "capacity" and setting.system and setting.system.host:
        figure = setting.system.host.memory
        return figure.value / setting.system.devices if figure else np.nan
    if figure is None and level == "main" and field == "bandwidth" and setting.device.links:
        figure = setting.device.links[0].bandwidth  # a chip without memory of its own works out of its host's
    return figure.value if figure else np.nan


def _host_power(s: Setting) -> float:
    """Watts a device that the rest of its node draws at most; nothing where the node's power is not published."""
    if s.system is None or s.system.power is None or s.device.tdp is None:
        return 0.0
    return max(0.0, s.system.power.value / s.system.devices - s.device.tdp.value)


def _dram(s: Setting) -> float:
    """Bytes a second of a memory of the device's own, beside its chip."""
    main = s.device.level("main")
    return main.bandwidth.value if main and main.bandwidth else np.nan


def _host_link(s: Setting) -> float:
    """Bytes a second to the host over the fastest link that goes there."""
    return max((link.bandwidth.value for link in s.device.links if link.kind.startswith(HOST_LINKS)), default=np.nan)


def power_columns(parts: Sequence[tuple[Device, System]]) -> Columns:
    """What the power of devices in their systems follows from: tdp, idle and host power [W], one row a part."""
    settings = [Setting(device, system, "bf16") for device, system in parts]
    names = ("tdp", "idle", "host_power")
    return Columns({name: np.array([_DEVICE[name](s) for s in settings], float) for name in names}, length=len(settings))


_DEVICE: dict[str, Callable[[Setting], float]] = {
    "peak": lambda s: _peak(s.device, s.precision, s.stacks) * (_sparse(s.device) if s.sparse else 1.0),
    "peak_half": lambda s: _peak(s.device, s.precision if RECIPES[s.precision].activation >= 4 else "bf16"),
    "peak_16": lambda s: _peak(s.device, "fp16", s.stacks) if _sums(s) else _peak(s.device, "bf16"),
    "vector": lambda s: s.device.peak["fp32"].value if "fp32" in s.device.peak else np.nan,
    "bandwidth": lambda s: _memory(s, "main", "bandwidth"),
    "dram": _dram,
    "capacity": lambda s: _memory(s, "main", "capacity"),
    "cache": lambda s: _memory(s, "cache", "capacity"),
    "units": lambda s: s.device.compute_units.value if s.device.compute_units and s.device.kind == "gpu" else np.nan,
    "systolic": lambda s: s.device.systolic_array.value if s.device.systolic_array else np.nan,
    "cores": lambda s: s.device.compute_units.value if s.device.compute_units else 1.0,
    "overlay": lambda s: s.device.compute_units.value if s.device.compute_units and s.device.fpga else 0.0,
    "frames": lambda s: s.device.fpga.frames.value if s.device.fpga and s.device.fpga.frames else 1.0,
    "host_clock": lambda s: s.device.fpga.host_clock.value if s.device.fpga and s.device.fpga.host_clock else np.nan,
    "tdp": lambda s: s.device.tdp.value if s.device.tdp else np.nan,
    "idle": lambda s: s.device.idle_power.value if s.device.idle_power else np.nan,
    "host_power": _host_power,
    "host_link": _host_link,
    "node": lambda s: s.system.devices if s.system else 1.0,
    "torus": lambda s: float(_link(s.system).startswith("torus")),
    "up_bandwidth": lambda s: _tier(s, "scale_up", "bandwidth"),
    "up_size": lambda s: _tier(s, "scale_up", "size"),
    "up_peers": lambda s: _tier(s, "scale_up", "size") - 1 if _link(s.system) == "mesh" else 0.0,
    "out_bandwidth": lambda s: _tier(s, "scale_out", "bandwidth"),
}
