"""Devices, coefficients and architectures as the model reads them, made up with round numbers."""

import numpy as np

from planner.model.columns import Columns
from planner.model.operation import Machine
from planner.model.ops import laws
from planner.model.passes import ENGINE
from planner.schema.workload import Architecture, Mla, Moe
from planner.search.estimate import architecture_table


def coefficients(law: str, n: int = 1, **values: object) -> Columns:
    """An ideal device's coefficients of a law (efficiencies, named e…, are 1 and all else 0), and what the test sets."""
    names = {} if law == "engine" else laws()[law.removesuffix("_half")].COEFFICIENTS
    ideal = ENGINE if law == "engine" else {name: float(name.startswith("e")) for name in names}
    return Columns({**ideal, **values}, length=n)  # type: ignore[dict-item]


def machine(n: int = 1, *, fits: dict[str, dict[str, object]] | None = None, **device: object) -> Machine:
    """100 TFLOP/s, 1 TB/s, 80 GB; eight of them joined at 100 GB/s, further ones at 10 GB/s; ideal unless ``fits`` says."""
    plain = {
        "peak": 100e12, "peak_half": 100e12, "bandwidth": 1e12, "capacity": 80e9, "cache": np.nan, "units": np.nan, "cores": 1.0,
        "systolic": np.nan, "vector": np.nan, "overlay": 0.0, "dram": np.nan, "frames": 1.0, "host_clock": np.nan,
        "tdp": 700.0, "idle": 100.0, "host_power": 0.0, "host_link": 64e9, "sustained": 1.0,
        "node": 8.0, "up_bandwidth": 100e9, "up_size": 8.0, "up_peers": 0.0, "out_bandwidth": 10e9,
    }  # fmt: skip
    wanted = [*laws(), "matmul_half", "engine"]
    fits = {"matmul_half": (fits or {}).get("matmul", {}), **(fits or {})}
    return Machine(Columns({**plain, **device}, length=n), {law: coefficients(law, n, **fits.get(law, {})) for law in wanted})


def columns(architecture: Architecture, n: int = 1) -> tuple[Columns, Columns]:
    """An architecture's sizes and its parameters by part, n times."""
    table, size = architecture_table([architecture])
    return table.take(np.zeros(n, int)), size.take(np.zeros(n, int))


def inference(n: int = 1, **more: object) -> Columns:
    """A pass in bf16 on one device of one sequence, fused."""
    plain = {
        "tp": 1.0, "pp": 1.0, "ep": 1.0, "adp": 1.0, "expert_tp": 1.0, "pooled": 1.0, "split_norms": 1.0, "fused": 1.0,
        "flash": 1.0, "even": 0.0, "batch": 1.0,
        "weight": 2.0, "head_weight": 2.0, "activation": 2.0, "kv": 2.0,
    }  # fmt: skip
    return Columns({**plain, **more}, length=n)  # type: ignore[dict-item]


def layout(n: int = 1, **more: object) -> Columns:
    """A training layout: bf16 with fp32 gradients, one micro-batch of one sequence of 1,024 tokens on one device; one copy."""
    plain = {
        "tp": 1.0, "cp": 1.0, "pp": 1.0, "dp": 1.0, "ep": 1.0, "virtual": 1.0, "micro_batch": 1.0, "num_micro": 1.0,
        "sequence": 1024.0, "zero_stage": 0.0, "recompute": 0.0, "weight": 2.0, "head_weight": 2.0, "activation": 2.0, "kv": 2.0,
        "gradient": 4.0, "fused": 1.0, "fused_loss": 1.0, "flash": 1.0,
        "shard": more.get("dp", 1.0), "sp": 1.0, "ring": 1.0,
        "balanced": 1.0, "schedule": 0, "optimizer": 0, "offload_optimizer": 0.0, "offload_activations": 0.0, "lora_rank": 0.0,
        "overlap": 0.0,
        "stored": 2.0, "even": 1.0,
    }  # fmt: skip
    return Columns({**plain, **more}, length=n)  # type: ignore[dict-item]


# config.json of meta-llama/Meta-Llama-3-8B, and table 1 and section 2 of Llama 3 (arXiv:2407.21783)
LLAMA_3_8B = Architecture(
    hidden_size=4096, num_layers=32, num_heads=32, num_kv_heads=8, head_dim=128, ffn_size=14336, vocab_size=128256,
    max_context=8192,
)  # fmt: skip
# table 2.1 of GPT-3 (arXiv:2005.14165)
GPT_3_175B = Architecture(
    hidden_size=12288, num_layers=96, num_heads=96, num_kv_heads=96, head_dim=128, ffn_size=49152, vocab_size=51200,
    max_context=2048, gated_ffn=False, tied_embeddings=True, norm="layer", positions="learned",
    qkv_bias=True, output_bias=True, ffn_bias=True,
)  # fmt: skip
# section 4.2 of DeepSeek-V3 (arXiv:2412.19437)
DEEPSEEK_V3 = Architecture(
    hidden_size=7168, num_layers=61, num_heads=128, num_kv_heads=128, head_dim=128, ffn_size=18432, vocab_size=129280,
    max_context=131072, moe=Moe(256, 8, 2048, shared_ffn_size=2048, dense_layers=3), mla=Mla(1536, 512, 128, 64, 128),
)  # fmt: skip
# table 1 of Mixtral of Experts (arXiv:2401.04088)
MIXTRAL_8X7B = Architecture(
    hidden_size=4096, num_layers=32, num_heads=32, num_kv_heads=8, head_dim=128, ffn_size=14336, vocab_size=32000,
    max_context=32768, moe=Moe(8, 2, 14336),
)  # fmt: skip
SMALL = Architecture(
    hidden_size=512, num_layers=4, num_heads=8, num_kv_heads=8, head_dim=64, ffn_size=2048, vocab_size=1000, max_context=4096
)
