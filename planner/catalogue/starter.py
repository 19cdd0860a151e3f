"""A starter profile of a machine that the catalogue does not know, from what ``planner bench`` found and measured."""

import re
from pathlib import Path

import yaml

from planner import units
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.schema.measurement import Record

# the most particular first: what a processor says of itself -> the family whose coefficients it borrows
CPU_FAMILIES = (("amx", "x86-amx"), ("avx512", "x86-avx512"), ("avx2", "x86-avx2"))
GPU_FAMILIES = {
    "7.0": "nvidia-volta",
    "7.5": "nvidia-turing",
    "8.0": "nvidia-ampere",
    "8.6": "nvidia-ampere-consumer",
    "8.7": "nvidia-jetson",
    "8.9": "nvidia-ada",
    "9.0": "nvidia-hopper",
    "10.0": "nvidia-blackwell",
    "10.3": "nvidia-blackwell",
    "12.0": "nvidia-blackwell-consumer",
}
PEAKS = ("fp32", "tf32", "bf16", "fp16", "fp8", "int8")


def slug(name: str) -> str:
    """A machine's name as a profile's id."""
    plain = re.sub(r"\((r|tm|c)\)|\bcpu\b|@.*$|\bprocessor\b", " ", name.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80] or "my-machine"


def known(record: Record, profiles: Profiles) -> str:
    """Id of the device a record was measured on, as the catalogue knows it; "" where it does not."""
    mine = set(slug(record.device.name).split("-"))
    unsaid = set() if "pcie" in mine else {"sxm"}  # a board says that it is PCIe; SXM4, or nothing, is the other form
    kind = "cpu" if record.device.kind == "cpu" else "gpu"
    fitting = []
    for id in profiles.ids("device"):
        words = set(id.split("-"))
        if not words - unsaid <= mine or profiles.device(id).kind != kind:
            continue
        memory = profiles.device(id).level("main")
        size = record.device.hardware.get("memory_bytes")
        if not (memory and memory.capacity and isinstance(size, float)) or abs(size / memory.capacity.value - 1) < 0.12:
            fitting.append((len(words), id))
    return max(fitting)[1] if fitting else ""  # the one that is named the most exactly


def starter(record: Record) -> tuple[str, str]:
    """The folder (cpu or gpu) and the YAML of a profile whose every figure was found or measured in ``record``."""
    facts, kind = record.device.hardware, "cpu" if record.device.kind == "cpu" else "gpu"
    best = _best(record)
    if not best:
        raise InputError(
            "has no matmul and no memory cells to make a profile of",
            where=record.id,
            hint="planner bench --suite matmul --suite memory",
        )
    source = f"planner bench, record {record.id} of {record.started[:10]}, torch {record.device.software.get('torch', '')}"
    memory = {"level": "main", "kind": "DRAM" if kind == "cpu" else "device memory"}
    capacity = facts.get("memory_bytes" if kind == "gpu" else "memory_total_bytes")
    main: dict[str, object] = {**memory}
    if isinstance(capacity, float):
        main["capacity"] = {"value": units.show(capacity, "byte"), "source": "bench", "note": "as the system reports it"}
    if "memory" in best:
        main["bandwidth"] = {
            "value": units.show(best["memory"], "byte/s"),
            "source": "bench",
            "note": "measured: the best triad in memory",
        }
    profile = {
        "name": record.device.name,
        "vendor": _vendor(record.device.name),
        "kind": kind,
        "family": _family(record, kind),
        "sources": {"bench": source},
        "peak": {
            dtype: {
                "value": units.show(rate, "flop/s"),
                "source": "bench",
                "note": "measured: the best product; not a datasheet's peak",
            }
            for dtype, rate in best.items()
            if dtype in PEAKS
        },
        "memory": [main],
        "notes": "A starter: replace what you find in the datasheet, and name that as the source.",
    }
    cores = facts.get("compute_units" if kind == "gpu" else "cores_usable")
    if isinstance(cores, float):
        profile["compute_units"] = {"value": int(cores), "source": "bench"}
    return kind, yaml.safe_dump(profile, sort_keys=False, allow_unicode=True, width=130)


def write_to(record: Record, folder: Path) -> tuple[Path, str]:
    """Where a record's starter profile belongs under a folder of profiles, and its text."""
    kind, text = starter(record)
    return folder / kind / f"{slug(record.device.name)}.yaml", text


def _best(record: Record) -> dict[str, float]:
    best: dict[str, float] = {}
    for cell in record.cells:
        o = cell.operation
        if o.op == "matmul" and o.dtype in PEAKS and cell.cache == "hot":
            best[o.dtype] = max(best.get(o.dtype, 0.0), o.flop / cell.median)
    triads = [c for c in record.cells if c.operation.op == "memory" and c.operation.variant == "triad"]
    if triads:
        largest = max(c.operation.shape["bytes"] for c in triads)
        best["memory"] = max(
            (c.operation.read + c.operation.written) / c.median for c in triads if c.operation.shape["bytes"] == largest
        )
    return best


def _family(record: Record, kind: str) -> str:
    if kind == "gpu":
        return GPU_FAMILIES.get(str(record.device.hardware.get("capability", "")), "gpu")
    flags = str(record.device.hardware.get("flags", ""))
    return next((family for flag, family in CPU_FAMILIES if flag in flags), "cpu")


def _vendor(name: str) -> str:
    known_names = ("NVIDIA", "Intel", "AMD", "Apple", "Ampere", "AWS")
    return next((v for v in known_names if v.lower() in name.lower()), name.split(maxsplit=1)[0] if name.split() else "unknown")
