"""Calibrations as records and files: what siblings lend, and that a file reads back as what was written."""

from dataclasses import replace
from pathlib import Path

import pytest

from planner.calibrate.borrow import Member, borrowed, lent, transfer
from planner.calibrate.record import calibrate
from planner.calibrate.report import table, target
from planner.calibrate.studies import cases
from planner.catalogue.calibration_file import text
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.schema.coefficients import Calibration, Fit
from planner.schema.hardware import Link, Memory
from tests.calibrate.test_fit import GPU, PEAKS, TABLES
from tests.search.records import device, figure


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


BENT = Fit({"e": 0.5}, "s", 10, 0.05, "", 0.1, (12, -3, 0, 4))


def test_a_surface_is_one_text_in_the_file(tmp_path: Path) -> None:
    made = Calibration("x", "family", {"s": "made up"}, {"matmul": {"bf16": BENT}})
    assert "surface: 12 -3 0 4" in text(made) and again(made, tmp_path) == made


def test_a_surface_in_coarse_steps_counts_them(tmp_path: Path) -> None:
    made = Calibration("x", "family", {"s": "made up"}, {"matmul": {"bf16": replace(BENT, surface=(30, -10, 0, 40))}})
    assert "surface: /100 3 -1 0 4" in text(made) and again(made, tmp_path) == made


@pytest.mark.parametrize(
    ("surface", "said"),
    [
        ("12 -3 x", "whole numbers"),
        ("12 /100 3", "whole numbers"),
        ("/100 9999", "within 5000"),
        ("1.5 2", "whole numbers"),
        ("[1, 2]", "whole numbers"),
        ("99999", "within 5000"),
    ],
)
def test_a_surface_that_is_none_is_refused(surface: str, said: str, tmp_path: Path) -> None:
    made = Calibration("x", "family", {"s": "made up"}, {"matmul": {"bf16": BENT}})
    (tmp_path / "calibrations").mkdir()
    (tmp_path / "calibrations" / "x.yaml").write_text(text(made).replace("12 -3 0 4", surface))
    with pytest.raises(InputError, match=said):
        Profiles([tmp_path]).calibration("x")


def test_siblings_lend_the_median_of_their_surfaces() -> None:
    """Knot by knot; a sibling whose surface is of another version has no say."""
    made = [
        Calibration(id, "device", {"s": "made up"}, {"matmul": {"bf16": replace(BENT, surface=surface)}})
        for id, surface in (("a", (0, 10)), ("b", (30, 20)), ("c", (60, -40)), ("d", (1, 2, 3)))
    ]
    assert borrowed("family", "family", made).laws["matmul"]["bf16"].surface == (30, 10)


def test_what_devices_lend_by_family_memory_and_kind() -> None:
    """Two of one family count once among devices alike; another vendor's is only of the kind."""
    gddr = (Memory("main", "GDDR6X", None, figure(1e12)),)
    members = [
        (device("a"), record("a", 0.6)), (device("b"), record("b", 0.6)),
        (replace(device("c"), family="other"), record("c", 0.8)),
        (replace(device("d"), vendor="Elder", family="elder", memory=gddr), record("d", 0.1)),
    ]  # fmt: skip
    found = {c.id: c for c in lent(members)}
    alike = members[0][0].alike
    assert set(found) == {"made-up", "other", "elder", alike, "elder-gddr", "gpu", "default"}
    e = {id: c.laws["matmul"]["bf16"].coefficients["e"] for id, c in found.items()}
    assert e["made-up"] == 0.6 and e[alike] == 0.7 and e["elder-gddr"] == 0.1 and e["gpu"] == 0.6
    assert found[alike].covers == "kind" and found["made-up"].covers == "family"


def test_how_a_usual_host_s_bus_is_shared_is_the_median_of_cards_with_nothing_else_between_them() -> None:
    def card(id: str, g: float, *kinds: str) -> Member:
        law = {"default": Fit({"a": 1e-6, "g": g}, "made up")}
        return replace(device(id), links=tuple(Link(k, figure(1e11)) for k in kinds)), replace(
            record(id, 0.6), laws={"collective": law}
        )

    cards = [card("a", 0.1, "PCIe 5.0 x16"), card("b", 0.3, "PCIe 4.0 x16"), card("c", 2.0, "PCIe 4.0 x16")]
    lenders = {c.id: c for c in lent([*cards, card("d", 0.01, "NVLink 4", "PCIe 5.0 x16")])}
    assert lenders["gpu"].laws["collective"]["host"] == Fit({"g": 0.3}, "siblings", 3)
    assert "host" not in lenders["made-up"].laws["collective"]
    (alone,) = [c for c in lent([card("d", 0.01, "NVLink 4", "PCIe 5.0 x16")]) if c.id == "gpu"]
    assert "host" not in alone.laws["collective"]


def test_a_device_left_out_is_predicted_by_the_others() -> None:
    """Two of a family made by one law: each is predicted by the other as well as it was fitted; a slower one is not."""
    (case,) = cases("matmul", TABLES["matmul"], GPU, PEAKS)
    made = calibrate("x", GPU, PEAKS, {"matmul": (TABLES["matmul"], "made up")})
    slow = replace(case, seconds=2 * case.seconds)
    members = [(device(id), replace(made, id=id)) for id in ("a", "b")]
    rows = transfer(members, {"a": [case], "b": [slow]})
    first = {row.device: row for row in rows if row.covers == "family"}
    assert first["a"].error < 0.01 and first["b"].error == pytest.approx(0.5, abs=0.01)
    assert first["a"].lender == "made-up" and first["a"].points == len(case.seconds)


def test_the_table_of_errors_has_a_row_a_fit_with_its_target() -> None:
    made = Calibration("nvidia-h100-sxm", "device", {}, {"matmul": {"bf16": BENT}, "engine": {"x": BENT}})
    (row,) = table([made, Calibration("f", "family", {}, {"matmul": {"bf16": BENT}})])
    assert (row["law"], row["held_out_error"], row["formula_error"], row["target"]) == ("matmul", 0.05, 0.1, 0.08)
    assert target("nvidia-l40s", "matmul", "bf16") == 0.12 and target("x", "stream", "default") is None


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
