"""Tables of measured kernel times, in the planner's columns: from the aiconfigurator-core wheel's parquet files.

The wheel (Apache-2.0) is a source to calibrate from, never a run-time dependency: nothing of it is imported, its files are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
BACKENDS = ("trtllm", "nccl", "vllm", "sglang")


@dataclass(frozen=True)
class Kind:
    """Where the wheel keeps the measurements of a law, and the planner's name of each of its columns.

    file: its name, or a pattern of names. optional: columns that older tables lack, and what they mean there. backends:
    whose tables are taken, the first that has one first; of its versions the newest, or the largest where newer ones only
    add to it (``whole``). repeats: columns that tell a shape; where an older version timed it too, the lesser time counts: a
    call that the host starts late, because of other work, takes longer, and none takes less than it needs.
    """

    folder: str
    file: str
    columns: Mapping[str, str]
    optional: Mapping[str, float] = field(default_factory=dict)
    backends: tuple[str, ...] = BACKENDS
    whole: bool = False
    repeats: tuple[str, ...] = ()


HEADS = {
    "batch": "batch_size", "heads": "num_heads", "kv_heads": "num_key_value_heads", "dim": "head_dim", "window": "window_size",
    "query": "isl", "past": "step", "cache_dtype": "kv_cache_dtype", "kernel": "kernel_source",
}  # fmt: skip
LATENT = {
    "batch": "batch_size", "heads": "num_heads", "query": "isl", "past": "step", "dtype": "mla_dtype",
    "cache_dtype": "kv_cache_dtype",
}  # fmt: skip
ROUTED = {
    "tokens": "num_tokens", "hidden": "hidden_size", "inner": "inter_size", "visits": "topk", "experts": "num_experts",
    "tp": "moe_tp_size", "ep": "moe_ep_size", "dtype": "moe_dtype", "spread": "distribution", "kernel": "kernel_source",
}  # fmt: skip
LAWS = {
    "matmul": Kind("gemm", "gemm_perf.parquet", {"m": "m", "n": "n", "k": "k", "dtype": "gemm_dtype"}),
    "attention": Kind("attention", "context_attention_perf.parquet", {**HEADS, "dtype": "attn_dtype"}, {"window": 0.0}),
    "decode_attention": Kind(
        "attention", "generation_attention_perf.parquet", {**HEADS, "dtype": "kv_cache_dtype"}, {"window": 0.0},
        repeats=("batch", "heads", "kv_heads", "dim", "window", "past", "dtype", "kernel"),
    ),
    "collective": Kind(
        "comm",
        "*ccl_perf.parquet",
        {"ranks": "num_gpus", "message": "message_size", "op": "op_name", "dtype": "nccl_dtype", "kernel": "kernel_source"},
        backends=("nccl", "oneccl"),
    ),
    "serving_all_reduce": Kind(
        "comm",
        "custom_allreduce_perf.parquet",
        {"ranks": "num_gpus", "message": "message_size", "op": "op_name", "dtype": "allreduce_dtype", "kernel": "kernel_source"},
        backends=("vllm", "trtllm"),
    ),
    "mla": Kind("mla", "context_mla_perf.parquet", LATENT),
    "decode_mla": Kind("mla", "generation_mla_perf.parquet", LATENT),
    "experts": Kind("moe", "moe_perf.parquet", ROUTED, whole=True),
    "serving_experts": Kind("moe", "moe_perf.parquet", ROUTED, backends=("sglang",), whole=True),
}  # fmt: skip
TEXT = ("op", "spread", "kernel")
DTYPES = {"bfloat16": "bf16", "fp8": "fp8", "fp8_block": "fp8_block", "nvfp4": "fp4", "half": "bf16", "sq": "int8"}


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
    kind = LAWS[law]
    for backend in kind.backends:
        files = sorted((root / system / kind.folder / backend).glob(f"*/{kind.file}"), key=_version)
        files = sorted(files, key=lambda path: path.stat().st_size) if kind.whole else files
        if files and kind.repeats:
            return _least(kind, [_normalised(kind, file, root) for file in files])
        if files:
            return _normalised(kind, files[-1], root)
    return None


def _least(kind: Kind, tables: list[KernelTable]) -> KernelTable:
    """The last table, each of its shapes at the least time that any of the tables has for it."""
    best: dict[tuple[Any, ...], float] = {}
    for table in tables:
        for shape, seconds in zip(_shapes(kind, table), table.columns["seconds"].tolist(), strict=True):
            best[shape] = min(seconds, best.get(shape, np.inf))
    last = tables[-1]
    seconds = np.array([best[shape] for shape in _shapes(kind, last)])
    older = "; the least of it and of " + ", ".join(Path(t.source).parent.name for t in tables[:-1]) if tables[1:] else ""
    return KernelTable({**last.columns, "seconds": seconds}, last.source + older)


def _shapes(kind: Kind, table: KernelTable) -> list[tuple[Any, ...]]:
    return list(zip(*(table.columns[name].tolist() for name in kind.repeats), strict=True))


def _version(path: Path) -> list[tuple[int, str]]:
    parts = path.parent.name.replace("rc", ".-1.").replace("post", ".1.").split(".")
    return [(int(p), "") if p.lstrip("-").isdigit() else (0, p) for p in parts]


def _normalised(kind: Kind, path: Path, root: Path) -> KernelTable:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise InputError("pyarrow is not installed", hint="pip install 'planner[calibrate]'") from None
    try:
        raw = {n: np.asarray(c) for n, c in parquet.read_table(path).to_pydict().items()}
        return _columns(kind, raw, path, root)
    except (ArrowException, OSError) as error:
        raise InputError(f"is not a parquet table: {error}", where=str(path)) from None
    except KeyError as error:
        raise InputError(f"has no column {error}", where=str(path)) from None


def _columns(kind: Kind, raw: Mapping[str, NDArray[Any]], path: Path, root: Path) -> KernelTable:
    columns: dict[str, NDArray[Any]] = {"seconds": raw["latency"].astype(float) * 1e-3}
    for ours, theirs in kind.columns.items():
        if ours in kind.optional and theirs not in raw:
            columns[ours] = np.full(len(raw["latency"]), kind.optional[ours])
        elif ours.endswith("dtype"):
            columns[ours] = _dtypes(raw[theirs])
        else:
            columns[ours] = raw[theirs] if ours in TEXT else raw[theirs].astype(float)
    good = np.isfinite(columns["seconds"]) & (columns["seconds"] > 0)
    source = f"aiconfigurator-core 0.12.0 (PyPI, Apache-2.0), systems/data/{path.relative_to(root)}"
    return KernelTable({n: c[good] for n, c in columns.items()}, source)


def _dtypes(names: Any) -> Any:
    return np.array([DTYPES.get(str(name), str(name)) for name in names])
