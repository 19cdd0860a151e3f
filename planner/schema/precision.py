"""What a precision's name means for weights, activations and arithmetic."""

from dataclasses import dataclass

DTYPES = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp16_sums", "fp8", "int8", "int4", "fp4")
"""``fp16_sums``: products of fp16 that are also summed in fp16, which GeForce cards do at twice the rate of sums in fp32."""


@dataclass(frozen=True)
class Recipe:
    """Bytes of a weight (block scales included), of an activation and of a KV-cache element, and the dtypes the
    matrix units may compute in, the preferred one first: a device uses the first that it has."""

    weight: float
    activation: float
    kv: float
    arithmetic: tuple[str, ...]


# Block formats carry scales: nvfp4 one fp8 per 16 values, mxfp8 one byte per 32 (OCP Microscaling v1.0);
# w4a16 one fp16 scale and zero per 128 (AWQ, arXiv:2306.00978); q4_k_m of llama.cpp averages 4.85 bits a weight.
RECIPES: dict[str, Recipe] = {
    "fp32": Recipe(4, 4, 4, ("fp32",)),
    "tf32": Recipe(4, 4, 4, ("tf32", "fp32")),
    "bf16": Recipe(2, 2, 2, ("bf16", "fp16", "fp32")),
    "fp16": Recipe(2, 2, 2, ("fp16", "bf16", "fp32")),
    "fp8": Recipe(1, 2, 1, ("fp8",)),
    "mxfp8": Recipe(1 + 1 / 32, 2, 1, ("fp8",)),
    "int8": Recipe(1, 1, 1, ("int8",)),
    "fp4": Recipe(0.5 + 1 / 16, 2, 1, ("fp4", "bf16")),
    "nvfp4": Recipe(0.5 + 1 / 16, 2, 1, ("fp4",)),
    "w4a16": Recipe(0.5 + 4 / 128, 2, 2, ("fp16", "bf16", "fp32")),
    "q4_k_m": Recipe(4.85 / 8, 2, 2, ("fp16", "bf16", "fp32")),
}

CACHES: dict[str, float] = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5 + 4 / 128}
"""Bytes of a KV-cache element by name; 4 bits with an fp16 scale and zero for 128, as for weights."""
SPARSE: dict[float, float] = {2.0: 9 / 16, 1.0: 5 / 8}
"""Share of a weight's bytes that 2:4 sparsity keeps, by bytes a weight: half of the values, and 2 bits for where each one was
(Mishra et al., arXiv:2104.08378, section 3.1)."""
