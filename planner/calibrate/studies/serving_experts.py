"""Routed experts by the kernels that inference engines bring along, not those of TensorRT-LLM's tables: layouts held out whole.

A variant of the experts in each dtype that such kernels were timed in: those generated for Blackwell and few tokens, which
FlashInfer hands to SGLang and vLLM and which TensorRT-LLM calls TRTLLM.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case
from planner.calibrate.studies import experts
from planner.model.columns import Columns

KERNEL = "flashinfer_trtllm"
DTYPES = ("fp4", "fp8_block")


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case a dtype."""
    generated = np.array([KERNEL in str(name) for name in table["kernel"]])
    for variant in DTYPES:
        yield from experts.case(variant, table, generated & (table["dtype"] == variant), device, peaks, "serving_")
