"""The machine as found: what it is, what runs on it, and the state it is in. Reads files and asks drivers; changes nothing."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import torch

from planner.schema.measurement import Found

Facts = dict[str, str | float]
CPU = Path("/sys/devices/system/cpu")
ALLOCATOR = (
    "MALLOC_",
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
    "THP_",
    "OMP_",
    "MKL_",
    "ONEDNN_",
    "DNNL_",
    "KMP_",
    "PYTORCH_",
    "NCCL_",
    "CUDA_",
)
NVIDIA = {
    "driver_version": "driver",
    "clocks.sm": "sm_clock_mhz",
    "clocks.mem": "memory_clock_mhz",
    "clocks.max.sm": "sm_clock_max_mhz",
    "power.limit": "power_limit_w",
    "power.draw": "power_w",
    "temperature.gpu": "temperature_c",
    "ecc.mode.current": "ecc",
    "pcie.link.gen.current": "pcie_generation",
    "pcie.link.width.current": "pcie_width",
    "mig.mode.current": "mig",
    "clocks_event_reasons.active": "throttle_reasons",
}
MOVING = {"sm_clock_mhz", "memory_clock_mhz", "power_w", "temperature_c", "throttle_reasons"}


def found(device: torch.device) -> Found:
    """Everything that could be read of the machine and of ``device``."""
    kind = "rocm" if device.type == "cuda" and torch.version.hip else device.type
    host = _processor()
    hardware: Facts = dict(host)
    name = str(host.get("model", platform.processor() or platform.machine()))
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        name = properties.name
        hardware |= {
            "memory_bytes": float(properties.total_memory),
            "compute_units": float(properties.multi_processor_count),
            "capability": f"{properties.major}.{properties.minor}",
            "l2_bytes": float(getattr(properties, "L2_cache_size", 0)),
            "devices": float(torch.cuda.device_count()),
        }
        hardware |= {k: v for k, v in nvidia().items() if k not in MOVING}
    return Found(kind, name, hardware, _software(), {f"before {k}": v for k, v in state(device).items()})  # type: ignore[arg-type]


def state(device: torch.device) -> Facts:
    """What moves while a run goes on: load, clocks, temperature, time stolen by the hypervisor."""
    now: Facts = {"load": float(os.getloadavg()[0])}
    steal = _lines(Path("/proc/stat"))[:1]
    if steal and len(steal[0].split()) > 8:
        now["steal_ticks"] = float(steal[0].split()[8])
    frequency = _number(CPU / "cpu0/cpufreq/scaling_cur_freq")
    if frequency:
        now["cpu_clock_mhz"] = frequency / 1e3
    for zone in sorted(Path("/sys/class/thermal").glob("thermal_zone*/temp"))[:1]:
        now["temperature_c"] = (_number(zone) or 0.0) / 1e3
    if device.type == "cuda":
        now |= {f"gpu {k}" if k in now else k: v for k, v in nvidia().items() if k in MOVING}
    return now


def nvidia() -> Facts:
    """What nvidia-smi says of the first device; nothing where there is none."""
    try:
        out = subprocess.run(
            ["nvidia-smi", f"--query-gpu={','.join(NVIDIA)}", "--format=csv,noheader,nounits", "-i", "0"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    values = [v.strip() for v in out.strip().split(",")]
    return {name: _plain(value) for name, value in zip(NVIDIA.values(), values, strict=False) if "N/A" not in value}


def cores() -> int:
    """Physical cores this process may use: not more than its affinity and its container's share allow."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = _number(CPU / "smt/active")
    siblings = 2 if threads == 1 else 1
    quota = _lines(Path("/sys/fs/cgroup/cpu.max"))
    share = float("inf")
    if quota and not quota[0].startswith("max"):
        limit, period = quota[0].split()
        share = float(limit) / float(period)
    return max(1, int(min(allowed // siblings or 1, share)))


def last_cache() -> float:
    """Bytes of the processor's last cache; 32 MiB where it does not say."""
    return max((size for _, size, _ in _caches()), default=float(32 << 20))


def _processor() -> Facts:
    facts: Facts = {"machine": platform.machine(), "cores_usable": float(cores()), "cores": float(os.cpu_count() or 1)}
    for line in _lines(Path("/proc/cpuinfo")):
        name, _, value = (part.strip() for part in line.partition(":"))
        if not name:
            break
        if name in ("vendor_id", "model name", "cpu family", "model", "stepping", "microcode", "cpu MHz"):
            facts[{"model name": "model", "model": "model_number"}.get(name, name.replace(" ", "_"))] = _plain(value)
        if name == "flags":
            wanted = ("avx", "amx", "f16c", "fma", "hypervisor")
            facts["flags"] = " ".join(f for f in value.split() if f.startswith(wanted))
    if "model" not in facts:
        facts["model"] = platform.processor() or platform.machine()
    for name, size, shared in _caches():
        facts[f"{name}_bytes"] = size
        facts[f"{name}_shared_by"] = shared
    facts["numa_nodes"] = float(len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))) or 1)
    memory = next((line.split()[1] for line in _lines(Path("/proc/meminfo")) if line.startswith("MemTotal")), "")
    if memory:
        facts["memory_total_bytes"] = float(memory) * 1024
    for name, path in {
        "smt": CPU / "smt/active",
        "governor": CPU / "cpu0/cpufreq/scaling_governor",
        "boost": CPU / "cpufreq/boost",
        "no_turbo": CPU / "intel_pstate/no_turbo",
        "max_khz": CPU / "cpu0/cpufreq/cpuinfo_max_freq",
        "huge_pages": Path("/sys/kernel/mm/transparent_hugepage/enabled"),
        "cpu_quota": Path("/sys/fs/cgroup/cpu.max"),
    }.items():
        text = _lines(path)[:1]
        if text:
            facts[name] = _plain(text[0])
    return facts


def _software() -> Facts:
    build = torch.__config__.show()
    facts: Facts = {
        "torch": torch.__version__,
        "torch_build": hashlib.sha256(build.encode()).hexdigest()[:16],
        "python": platform.python_version(),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "torch_threads": float(torch.get_num_threads()),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "onednn": str(torch.backends.mkldnn.is_available()),
    }
    if torch.version.cuda:
        facts |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
    if torch.version.hip:
        facts["rocm"] = torch.version.hip
    return facts | {k: v[:200] for k, v in sorted(os.environ.items()) if k.startswith(ALLOCATOR)}


def _caches() -> Iterator[tuple[str, float, str]]:
    for index in sorted((CPU / "cpu0/cache").glob("index*")):
        level, kind, size, shared = ((_lines(index / f)[:1] or [""])[0] for f in ("level", "type", "size", "shared_cpu_list"))
        scale = {"K": 1024, "M": 1024**2}.get(size[-1:], 1)
        if size.rstrip("KM").isdigit() and kind != "Instruction":
            yield f"l{level}", float(size.rstrip("KM")) * scale, shared


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _number(path: Path) -> float | None:
    text = _lines(path)[:1]
    return float(text[0]) if text and text[0].strip().lstrip("-").isdigit() else None


def _plain(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
