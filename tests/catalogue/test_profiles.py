"""Folders of profiles: which wins, what a broken one says, and the catalogue's own rules."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from planner.catalogue import listing
from planner.catalogue.check import check
from planner.catalogue.profiles import Profiles, user_folders
from planner.errors import InputError

Refused = Callable[..., InputError]
UNITS = """compute_units: {value: 100, source: sheet}
clock: {value: 2 GHz, source: sheet}
ops_per_cycle: {bf16: {value: 2048, source: sheet}}
"""


def change(file: Path, old: str, new: str) -> Path:
    """``file`` with the only ``old`` in it replaced."""
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    return file


def test_later_folders_win(own: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "gpu").mkdir(parents=True)
    (other / "gpu" / "acme-one.yaml").write_text((own / "gpu" / "acme-one.yaml").read_text().replace("Acme One", "Acme Two"))
    assert Profiles([own]).device("acme-one").name == "Acme One 80 GB"
    assert Profiles([own, other]).device("acme-one").name == "Acme Two 80 GB"
    assert Profiles([other, own]).device("acme-one").name == "Acme One 80 GB"


def test_the_option_wins_over_the_environment(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = tmp_path / "second"
    (second / "gpu").mkdir(parents=True)
    monkeypatch.setenv("PLANNER_PROFILES", os.pathsep.join([str(second), str(own)]))
    assert user_folders() == [second, own]
    assert user_folders(second) == [second, own, second]
    monkeypatch.setenv("PLANNER_PROFILES", "")
    assert user_folders() == []


@pytest.mark.parametrize("name", ["none", "own/gpu", "own/plan.yaml", "x" * 10_000, "\x1b[31m"])
def test_what_is_no_folder_of_profiles(name: str, own: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    error = refused(user_folders, own.parent / name)
    assert error.what == "is not a folder of profiles" and "systems" in error.hint
    monkeypatch.setenv("PLANNER_PROFILES", str(own.parent / name))
    assert refused(user_folders).what == "is not a folder of profiles"


@pytest.mark.parametrize("name", ["Upper.yaml", "with space.yaml", "acme-two.yml", "é.yaml", "-x.yaml", "x" * 150 + ".yaml"])
def test_a_misnamed_file_is_not_passed_over(name: str, own: Path, refused: Refused) -> None:
    (own / "gpu" / name).write_text((own / "gpu" / "acme-one.yaml").read_text())
    error = refused(lambda: Profiles([own]).files)
    assert "a profile is named" in error.what and error.where.startswith(str(own / "gpu"))


@pytest.mark.parametrize("id", ["acme-on", "../gpu/acme-one", "", "x" * 10_000, "acme-one.yaml", "\x1b[31m", "/etc/passwd", "."])
def test_an_unknown_id_names_the_nearest(id: str, catalogue: Profiles, refused: Refused) -> None:
    error = refused(catalogue.device, id, "plan.yaml")
    assert error.what.startswith("unknown device") and error.where == "plan.yaml" and "planner hardware list" in error.hint
    assert ("acme-one" in error.hint) == (id in ("acme-on", "../gpu/acme-one", "acme-one.yaml"))
    assert refused(listing.find, id, catalogue).what.startswith("unknown hardware")


def test_a_device_lies_in_the_folder_of_its_kind(own: Path, refused: Refused) -> None:
    (own / "tpu").mkdir()
    (own / "gpu" / "acme-one.yaml").rename(own / "tpu" / "acme-one.yaml")
    assert "kind is gpu, but the file lies in tpu/" in refused(Profiles([own]).device, "acme-one").what


def test_a_file_is_read_only_when_asked_for(own: Path, refused: Refused) -> None:
    (own / "gpu" / "broken.yaml").write_text("[")
    (own / "gpu" / "folder.yaml").mkdir()
    profiles = Profiles([own])
    assert profiles.device("acme-one").kind == "gpu"
    assert "not valid YAML" in refused(profiles.device, "broken").what
    assert "is a directory" in refused(profiles.device, "folder").what


def problems(own: Path) -> list[str]:
    """What the check finds in our own folder."""
    return [problem for problem in check(Profiles([own])).problems if str(own) in problem]


def test_our_own_profiles_are_sound(own: Path) -> None:
    assert problems(own) == []
    counts, shipped = check(Profiles([own])).counts, check(Profiles()).counts
    assert [counts[k] - shipped[k] for k in ("devices", "systems", "providers", "offers")] == [1, 1, 1, 1]


def test_a_measured_peak_may_be_below_a_wider_dtype_s(own: Path) -> None:
    """As in 16 bits on a processor without units for them."""
    change(own / "gpu/acme-one.yaml", "value: 1000 TFLOP/s", "value: 100 TFLOP/s, note: 'measured: the best product'")
    assert not any("narrower dtype" in problem for problem in problems(own))


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("offers/acme.yaml", "value: 8 USD/h", "value: 21 USD/h", "box moon-1 costs more spot than on demand"),
        ("offers/acme.yaml", "value: 8 USD/h", "value: -8 USD/h", "is negative"),
        ("offers/acme.yaml", "value: 8 USD/h", "value: 0 USD/h", "must be above zero"),
        ("offers/acme.yaml", "value: 8 USD/h", "value: 8 USD", "not a price"),
        ("offers/acme.yaml", "8 USD/h", "8 USB/h", "in no currency that is known"),
        ("offers/acme.yaml", "offers:", "regions: [moon-2]\noffers:", "box moon-1 names an unknown region"),
        ("offers/acme.yaml", "system: acme-one-x8", "system: acme-one-x9", "unknown system 'acme-one-x9'"),
        ("offers/acme.yaml", "system: acme-one-x8", "system: acme-one-x8\n    devices: 9", "more devices than its system"),
        ("offers/acme.yaml", "list: made up for tests", "lists: made up for tests", "the source 'list' is not among"),
        ("gpu/acme-one.yaml", "sheet: made up for tests", "other: made up for tests", "the source 'sheet' is not among"),
        ("gpu/acme-one.yaml", "value: 1000 TFLOP/s", "value: 100 TFLOP/s", "narrower dtype has a lower peak"),
        ("gpu/acme-one.yaml", "tdp:", "tpd:", "unknown field 'tpd'"),
        ("gpu/acme-one.yaml", "tdp:", UNITS + "tdp:", "is 500 T, but 100 units x 2 GHz x 2048 a cycle are 409.6 T"),
        (
            "gpu/acme-one.yaml",
            "tdp:",
            "ops_per_cycle: {bf16: {value: 4096, source: sheet}}\ntdp:",
            "need its peak",
        ),
        ("systems/acme-one-x8.yaml", "device: acme-one", "device: acme-won", "unknown device 'acme-won'"),
        ("systems/acme-one-x8.yaml", "devices: 8", "devices: 0", "must be at least 1"),
        ("systems/acme-one-x8.yaml", "devices: 8", "devices: eight", "not a quantity"),
        ("systems/acme-one-x8.yaml", "topology: switch", "topology: star", "'star' is not one of"),
    ],
)
def test_the_check_names_file_and_problem(file: str, old: str, new: str, says: str, own: Path) -> None:
    path = change(own / file, old, new)
    found = problems(own)
    assert any(says in problem and str(path) in problem for problem in found), found


def test_a_peak_may_be_five_percent_from_what_its_units_do(own: Path) -> None:
    """100 units x 2.4 GHz x 2048 = 491.5 T, 1.7 % below the peak of 500 T."""
    change(own / "gpu" / "acme-one.yaml", "tdp:", UNITS.replace("2 GHz", "2.4 GHz") + "tdp:")
    assert problems(own) == []


def test_old_rents_are_warned_of_and_no_fault(own: Path) -> None:
    """Both prices of acme are of 2026-01-01: 90 days later they are not old yet, 91 days later they are."""
    for day, expected in ((date(2026, 4, 1), []), (date(2026, 4, 2), ["2 of 2 rents are older than 90 days"])):
        found = check(Profiles([own]), today=day)
        old = [w for w in found.warnings if str(own) in w]
        assert [text in w for text, w in zip(expected, old, strict=True)] == [True] * len(expected)
        assert not [problem for problem in found.problems if str(own) in problem]


def test_the_shipped_catalogue_is_sound_and_broad() -> None:
    found = check(Profiles())
    assert found.problems == []
    assert found.counts["devices"] >= 80 and found.counts["systems"] >= 60 and found.counts["offers"] >= 2000
    assert sum(n > 0 for id, n in found.parts["offers"].items() if id != "retail") >= 7
    assert min(found.parts["offers_of"][kind] for kind in ("cpu", "gpu", "tpu", "fpga", "asic")) >= 15
    assert min(found.parts["prices"][t] for t in ("on_demand", "spot", "reserved_1y", "reserved_3y")) >= 900


def test_a_cheaper_term_in_another_currency_is_not_compared(own: Path) -> None:
    change(own / "offers" / "acme.yaml", "8 USD/h", "2000 JPY/h")
    assert problems(own) == []


def test_the_check_goes_on_after_a_broken_file(own: Path) -> None:
    change(own / "systems" / "acme-one-x8.yaml", "devices: 8", "devices: [")
    change(own / "offers" / "acme.yaml", "8 USD/h", "80 USD/h")
    assert len(problems(own)) == 2


def test_a_calibration_must_be_finite(own: Path) -> None:
    (own / "calibrations").mkdir()
    text = "covers: device\nsources: {s: x}\nlaws: {matmul: {bf16: {coefficients: {e: .nan}, source: s}}}\n"
    (own / "calibrations" / "acme-one.yaml").write_text(text)
    assert any("not a finite number" in problem for problem in problems(own))


def test_listings_name_the_file_that_refers_to_nothing(own: Path, refused: Refused) -> None:
    change(own / "offers" / "acme.yaml", "system: acme-one-x8", "system: acme-one-x9")
    assert refused(listing.offers, Profiles([own])).where == f"{own}/offers/acme.yaml box"
    change(own / "systems" / "acme-one-x8.yaml", "device: acme-one", "device: acme-won")
    assert refused(listing.systems, Profiles([own])).where == f"{own}/systems/acme-one-x8.yaml"
