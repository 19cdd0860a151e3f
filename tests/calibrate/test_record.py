"""Calibrations as records and files: what siblings lend, and that a file reads back as what was written."""

from pathlib import Path

import pytest

from planner.calibrate.borrow import borrowed
from planner.calibrate.record import calibrate
from planner.catalogue.calibration_file import text
from planner.catalogue.profiles import Profiles
from planner.schema.coefficients import Calibration, Fit
from tests.calibrate.test_fit import GPU, PEAKS, TABLES


def record(id: str, e: float, **more: object) -> Calibration:
    fits = {"bf16": Fit({"e": e, "t0": 4e-7, "t_s": 1.5e-06}, "matmul", 4000, 0.0712, "1000 points held out")}
    return Calibration(id, "device", {"matmul": "made up: tables, version 1.0 # not a comment"}, {"matmul": fits}, **more)  # type: ignore[arg-type]


def again(calibration: Calibration, folder: Path) -> Calibration | None:
    (folder / "calibrations").mkdir(exist_ok=True)
    (folder / "calibrations" / f"{calibration.id}.yaml").write_text(text(calibration))
    return Profiles([folder]).calibration(calibration.id)


def test_a_file_reads_back_as_what_was_written(tmp_path: Path) -> None:
    made = record("made-up-device", 0.8)
    assert again(made, tmp_path) == made


def test_what_was_fitted_reads_back(tmp_path: Path) -> None:
    tables = {law: (TABLES[law], f"made up, {law}") for law in ("collective", "decode_attention")}
    made = calibrate("made-up-device", GPU, PEAKS, tables)
    assert set(made.laws) == set(tables) and made.sources == {law: source for law, (_, source) in tables.items()}
    assert all(fit.source in made.sources and fit.points for fits in made.laws.values() for fit in fits.values())
    read = again(made, tmp_path)
    assert read is not None and {law: {v: f.coefficients for v, f in fits.items()} for law, fits in read.laws.items()} == {
        law: {v: f.coefficients for v, f in fits.items()} for law, fits in made.laws.items()
    }


@pytest.mark.parametrize(
    "made",
    [
        Calibration("x", "family", {"s": "made up"}, {"matmul": {"bf16": Fit({"e": 0.5}, "s", 10, 0.0)}}),
        Calibration("x", "family", {"s": "made up"}, {"matmul": {"bf16": Fit({"e": 0.5}, "s")}}, notes="what to know"),
        Calibration("x", "kind", {"s": "made up"}, {}),
        Calibration("x", "kind", {}, {}),
    ],
    ids=["an error of zero", "notes", "no laws", "no sources"],
)
def test_odd_records_read_back_too(made: Calibration, tmp_path: Path) -> None:
    assert again(made, tmp_path) == made


def test_siblings_lend_the_median_of_each_coefficient() -> None:
    lent = borrowed("family", "family", [record("a", 0.6), record("b", 0.9), record("c", 0.7)])
    fit = lent.laws["matmul"]["bf16"]
    assert fit.coefficients == {"e": 0.7, "t0": 4e-7, "t_s": 1.5e-6}
    assert fit.points == 12_000 and fit.held_out_error is None and lent.covers == "family"
    assert "a, b, c" in lent.sources[fit.source]


def test_a_law_only_some_siblings_have_is_lent_by_those() -> None:
    more = Calibration("d", "device", {"s": "made up"}, {"stream": {"default": Fit({"e_b": 0.5}, "s", 5)}})
    lent = borrowed("family", "family", [record("a", 0.6), more])
    assert lent.laws["matmul"]["bf16"].coefficients["e"] == 0.6 and lent.laws["stream"]["default"].coefficients == {"e_b": 0.5}
