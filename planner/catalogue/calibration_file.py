"""A calibration as YAML text, one line a fit."""

from pathlib import Path
from typing import Any

import yaml

from planner.catalogue.document import plain, read
from planner.schema.coefficients import COARSE, STEP, Calibration


def text(calibration: Calibration) -> str:
    """The file's content; reading it gives the same record."""
    record = plain(calibration)
    lines = [f"covers: {calibration.covers}"]
    lines += [f"notes: {_flow(calibration.notes)}"] if calibration.notes else []
    lines += ["sources:"] if calibration.sources else ["sources: {}"]
    lines += [f"  {key}: {_flow(value)}" for key, value in calibration.sources.items()]
    lines += ["laws:"] if calibration.laws else ["laws: {}"]
    for law, fits in record["laws"].items():
        lines.append(f"  {law}:")
        lines += [f"    {variant}: {_flow(_brief(fit))}" for variant, fit in fits.items()]
    return "\n".join(lines) + "\n"


def merged(path: Path, found: Calibration) -> Calibration:
    """``found`` with the laws and variants of the calibration at ``path`` that it does not replace."""
    if not path.exists():
        return found
    old = read(path, Calibration, id=found.id)
    laws = {law: {**old.laws.get(law, {}), **found.laws.get(law, {})} for law in dict.fromkeys([*old.laws, *found.laws])}
    return Calibration(found.id, found.covers, {**old.sources, **found.sources}, laws, old.notes)


def read_folder(folder: Path) -> list[Calibration]:
    """Every calibration in a folder."""
    return [read(path, Calibration, id=path.stem) for path in sorted(folder.glob("*.yaml"))]


def _brief(fit: dict[str, Any]) -> dict[str, Any]:
    """A fit without what it leaves open, its surface as one text: a hundredth of the time to read of as many numbers."""
    kept = {name: value for name, value in fit.items() if value is not None and value not in ("", [])}
    return kept | ({"surface": _numbers(fit["surface"])} if fit["surface"] else {})


def _numbers(thousandths: list[int]) -> str:
    """A surface's values, counted in STEPs where all of them are so many: its text is a sixth shorter."""
    if any(value % STEP for value in thousandths):
        return " ".join(map(str, thousandths))
    return " ".join([COARSE, *(str(value // STEP) for value in thousandths)])


def _flow(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).removesuffix("...\n").strip()
