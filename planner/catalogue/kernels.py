"""Tables of measured kernel times, in the planner's columns: from the aiconfigurator-core wheel's parquet files.

The wheel (Apache-2.0) is a source to calibrate from, never a run-time dependency: nothing of it is imported, its files are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.errors import InputError, unknown

# wheel's folder -> the planner's device
SYSTEMS = {
    "a100_sxm": "nvidia-a100-sxm-80gb",
    "h100_sxm": "nvidia-h100-sxm",
    "h200_sxm": "nvidia-h200-sxm",
    "b200_sxm": "nvidia-b200-sxm",
    "b300_sxm": "nvidia-b300-sxm",
    "gb200": "nvidia-gb200",
    "gb300": "nvidia-gb300",
    "l40s": "nvidia-l40s",
    "rtx_pro_6000_server": "nvidia-rtx-pro-6000",
    "b60": "intel-arc-pro-b60",
}
PACKAGE = "aiconfigurator_core"
FILES = {
    "matmul": ("gemm", "gemm_perf.parquet"),
    "attention": ("attention", "context_attention_perf.parquet"),
    "decode_attention": ("attention", "generation_attention_perf.parquet"),
    "collective": ("comm", "nccl_perf.parquet"),
    "experts": ("moe", "moe_perf.parquet"),
}
BACKENDS = ("trtllm", "nccl", "vllm", "sglang")
FIRST = {"experts": ("vllm", "sglang", "trtllm")}  # whose table has the most layouts, where that is not the first
DTYPES = {"bfloat16": "bf16", "fp8": "fp8", "nvfp4": "fp4", "half": "bf16"}


@dataclass(frozen=True)
class KernelTable:
    """Columns of one operator's measurements (N,), ``seconds`` among them, and where they came from."""

    columns: Mapping[str, Any]
    source: str


def wheel_folder() -> Path:
    """Where the installed wheel keeps its measurements."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InputError("aiconfigurator-core is not installed", hint="pip install 'planner[calibrate]'")
    return Path(next(iter(spec.submodule_search_locations))) / "systems" / "data"


def read(system: str, law: str, folder: Path | None = None) -> KernelTable | None:
    """Measurements of ``law`` on ``system``: the newest table of the first backend that has one; None where there is none."""
    root = folder or wheel_folder()
    if not root.is_dir():
        raise InputError("is not a folder of kernel tables", where=str(root), hint="It is the wheel's systems/data.")
    if not (root / system).is_dir():
        raise unknown("system", system, [p.name for p in root.iterdir() if p.is_dir()], where=str(root))
    kind, name = FILES[law]
    for backend in FIRST.get(law, BACKENDS):
        files = sorted((root / system / kind / backend).glob(f"*/{name}"), key=_version)
        if files:
            return _normalised(law, files[-1], root)
    return None


def _version(path: Path) -> list[tuple[int, str]]:
    parts = path.parent.name.replace("rc", ".-1.").replace("post", ".1.").split(".")
    return [(int(p), "") if p.lstrip("-").isdigit() else (0, p) for p in parts]


def _normalised(law: str, path: Path, root: Path) -> KernelTable:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise InputError("pyarrow is not installed", hint="pip install 'planner[calibrate]'") from None
    try:
        raw = {n: np.asarray(c) for n, c in parquet.read_table(path).to_pydict().items()}
        return _columns(law, raw, path, root)
    except (ArrowException, OSError) as error:
        raise InputError(f"is not a parquet table: {error}", where=str(path)) from None
    except KeyError as error:
        raise InputError(f"has no column {error}", where=str(path)) from None


def _columns(law: str, raw: Mapping[str, NDArray[Any]], path: Path, root: Path) -> KernelTable:
    columns: dict[str, NDArray[Any]] = {"seconds": raw["latency"].astype(float) * 1e-3}

    def number(name: str) -> NDArray[Any]:
        return raw[name].astype(float)

    if law == "matmul":
        columns |= {n: number(n) for n in ("m", "n", "k")} | {"dtype": _dtypes(raw["gemm_dtype"])}
    elif law == "experts":
        names = {
            "tokens": "num_tokens",
            "hidden": "hidden_size",
            "inner": "inter_size",
            "visits": "topk",
            "experts": "num_experts",
        }
        columns |= {n: number(c) for n, c in names.items()} | {"tp": number("moe_tp_size"), "ep": number("moe_ep_size")}
        columns |= {"dtype": _dtypes(raw["moe_dtype"]), "spread": raw["distribution"], "kernel": raw["kernel_source"]}
    elif law == "collective":
        columns |= {"ranks": number("num_gpus"), "message": number("message_size"), "op": raw["op_name"]}
    else:
        columns |= {
            "batch": number("batch_size"), "heads": number("num_heads"), "kv_heads": number("num_key_value_heads"),
            "dim": number("head_dim"), "window": number("window_size") if "window_size" in raw else np.zeros(len(raw["isl"])),
            "query": number("isl"), "past": number("step"),
            "dtype": _dtypes(raw["kv_cache_dtype" if law == "decode_attention" else "attn_dtype"]),
            "cache_dtype": _dtypes(raw["kv_cache_dtype"]),
        }  # fmt: skip
    good = np.isfinite(columns["seconds"]) & (columns["seconds"] > 0)
    source = f"aiconfigurator-core 0.12.0 (PyPI, Apache-2.0), systems/data/{path.relative_to(root)}"
    return KernelTable({n: c[good] for n, c in columns.items()}, source)


def _dtypes(names: Any) -> Any:
    return np.array([DTYPES.get(str(name), str(name)) for name in names])
