"""The table of laws and errors: what every measured device's fits reach on shapes that they never saw."""

from collections.abc import Iterable
from typing import Any

from planner.calibrate.borrow import WHOLE
from planner.model.ops.collective import KINDS
from planner.schema.coefficients import Calibration

PRECISE = ("nvidia-a100-sxm-80gb", "nvidia-h100-sxm", "nvidia-h200-sxm", "nvidia-b200-sxm")
TARGETS = {
    "matmul": {"bf16": 0.12, "fp8": 0.12, "fp4": 0.15},
    "attention": {"default": 0.10},
    "decode_attention": {"default": 0.12},
    "mla": {"default": 0.15},
    "decode_mla": {"default": 0.15},
    "experts": {"bf16": 0.15, "fp8": 0.15, "fp8_block": 0.15, "fp4": 0.15},
    "collective": dict.fromkeys(KINDS, 0.08),  # not the one fit for all of them, which only sends use
}
"""Mean absolute error on held-out shapes that a law is meant to reach, by variant."""
STRICTER = {("matmul", "bf16"): 0.08}  # on the devices of PRECISE


def table(calibrations: Iterable[Calibration]) -> list[dict[str, Any]]:
    """One row a fit of a measured device's operators: errors as fractions, None where there is none."""
    return [
        {
            "device": c.id, "law": law, "variant": variant, "points": fit.points, "formula_error": fit.formula_error,
            "held_out_error": fit.held_out_error, "target": target(c.id, law, variant), "note": fit.note,
        }
        for c in calibrations
        if c.covers == "device"
        for law, fits in c.laws.items()
        if law not in WHOLE
        for variant, fit in fits.items()
    ]  # fmt: skip


def target(device: str, law: str, variant: str) -> float | None:
    """The error that a fit is meant to reach, None where nothing was set."""
    if device in PRECISE and (law, variant) in STRICTER:
        return STRICTER[law, variant]
    return TARGETS.get(law, {}).get(variant, TARGETS.get(law, {}).get("default"))
