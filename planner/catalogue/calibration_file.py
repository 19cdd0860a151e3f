"""A calibration as YAML text, one line a fit."""

import yaml

from planner.catalogue.document import plain
from planner.schema.coefficients import Calibration


def text(calibration: Calibration) -> str:
    """The file's content; reading it gives the same record."""
    record = plain(calibration)
    lines = [f"covers: {calibration.covers}", "sources:"]
    lines += [f"  {key}: {_flow(value)}" for key, value in calibration.sources.items()]
    lines.append("laws:")
    for law, fits in record["laws"].items():
        lines.append(f"  {law}:")
        lines += [
            f"    {variant}: {_flow({k: v for k, v in fit.items() if v not in (None, '', 0)})}" for variant, fit in fits.items()
        ]
    return "\n".join(lines) + "\n"


def _flow(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).removesuffix("...\n").strip()
