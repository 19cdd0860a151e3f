"""Calibrations at the command line: the table of errors, and one made by another version."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.test_verbs import Refused, strict

BENT = """covers: device
sources: {made: made up}
laws:
  matmul:
    bf16: {coefficients: {e: 0.5}, source: made, surface: 1 2 3}
"""


def test_a_surface_of_another_version_is_said_by_every_verb(own: Path, planner: Callable[..., Any], refused: Refused) -> None:
    (own / "calibrations").mkdir()
    (own / "calibrations" / "acme-one.yaml").write_text(BENT)
    said = "matmul bf16 has a surface of 3 values"
    assert said in refused("estimate", "llama-3.1-8b", "acme-one-x8", "--profiles", own)
    assert said in refused("calibrate", "--report", "-o", own / "calibrations", "--profiles", own)
    check = planner("hardware", "check", "--profiles", own)
    assert check.status == 1 and said in check.out and str(own / "calibrations" / "acme-one.yaml") in check.out


def test_the_shipped_table_of_errors(planner: Callable[..., Any]) -> None:
    """Every operator's fit of the ten measured systems, with an error on what it never saw."""
    rows = strict(planner("calibrate", "--report", "--format", "json").out)["laws"]
    matmul = {row["device"] for row in rows if row["law"] == "matmul" and row["variant"] == "bf16"}
    assert len(matmul) == 10 and all(row["held_out_error"] > 0 for row in rows)
    for row in rows:
        if row["law"] in ("matmul", "experts", "mla", "decode_mla") and row["target"]:
            assert row["held_out_error"] <= row["target"], row
    assert "held out error" in planner("calibrate", "--report").out
