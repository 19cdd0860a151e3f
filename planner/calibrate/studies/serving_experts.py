"""Routed experts by the kernels that inference engines bring along, not those of TensorRT-LLM's tables: layouts held out whole.

A variant of the experts in each dtype that such kernels were timed in: on Blackwell those generated for few tokens, which
FlashInfer hands to SGLang and vLLM and which TensorRT-LLM takes where ranks attend together; on Hopper Triton's.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case
from planner.calibrate.studies import experts
from planner.model.columns import Columns

KERNELS = ("flashinfer_trtllm", "fused_moe_triton")
"""Parts of the names of kernels; of those that a dtype was timed with, the first counts."""
DTYPES = ("fp4", "fp8_block")


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case a dtype."""
    for variant in DTYPES:
        of = table["dtype"] == variant
        for kernel in KERNELS:
            chosen = of & np.array([str(name).endswith((kernel, f"{kernel}_moe")) for name in table["kernel"]])
            if chosen.any():
                yield from experts.case(variant, table, chosen, device, peaks, "serving_")
                break
