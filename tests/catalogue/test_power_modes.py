"""Power modes: a device, a system and an offer in one; what a plan may ask of them; what the catalogue's own rules say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from planner.catalogue.check import check
from planner.catalogue.plan import gather, plan_from
from planner.catalogue.profiles import Profiles
from planner.catalogue.subject import subject
from planner.errors import InputError
from planner.schema.inputs import Inputs

Refused = Callable[..., InputError]
MODES = """compute_units: {value: 8, source: sheet}
clock: {value: 1 GHz, source: sheet}
idle_power: {value: 60 W, source: sheet}
power_modes:
  50w:
    power: {value: 50 W, source: sheet}
    clock: {value: 400 MHz, source: sheet}
    compute_units: {value: 4, source: sheet}
    memory_clock: {value: 1.5 GHz, source: sheet}
    cores: {value: 2, source: sheet}
  maxn: {power: {value: 500 W, source: sheet}}
"""


@pytest.fixture
def moded(own: Path) -> Profiles:
    """The device of our own profiles with two modes: 0.4 of the clock on half the units, half of the memory's clock; and all."""
    file = own / "gpu" / "acme-one.yaml"
    text = file.read_text().replace(
        "2 TB/s, source: sheet}\n", "2 TB/s, source: sheet}\n    clock: {value: 3 GHz, source: sheet}\n"
    )
    file.write_text(text + MODES)
    return Profiles([own])


def ask(profiles: Profiles, **hardware: object) -> Inputs:
    raw = {"title": "t", "workload": {"model": "resnet-50"}, "infer": {"samples_per_second": 10},
           "hardware": {"providers": ["acme"], **hardware}}  # fmt: skip
    plan, text, path = plan_from(raw)
    return gather(plan, text, path, profiles)


def test_a_mode_scales_peaks_by_clock_and_units_and_bandwidth_by_the_memorys_clock(moded: Profiles) -> None:
    own, slow = moded.device("acme-one"), moded.device("acme-one@50w")
    assert (slow.id, slow.name) == ("acme-one@50w", "Acme One 80 GB, 50w") and not slow.power_modes
    assert {t: f.value / own.peak[t].value for t, f in slow.peak.items()} == pytest.approx(dict.fromkeys(own.peak, 0.4 * 4 / 8))
    memory = slow.level("main")
    assert memory and memory.bandwidth and memory.capacity
    assert (memory.bandwidth.value, memory.capacity.value) == pytest.approx((1e12, 80e9))
    assert slow.tdp and slow.idle_power and slow.compute_units and slow.clock
    assert (slow.tdp.value, slow.idle_power.value, slow.compute_units.value, slow.clock.value) == (50, 50, 4, 4e8)
    assert slow.peak["bf16"].note == "0.2 of the device's own, for mode 50w; dense"


def test_a_mode_without_limits_is_the_device_itself(moded: Profiles) -> None:
    own, free = moded.device("acme-one"), moded.device("acme-one@maxn")
    assert (free.peak, free.memory, free.clock, free.idle_power) == (own.peak, own.memory, own.clock, own.idle_power)


def test_what_a_node_draws_beside_its_devices_stays(moded: Profiles) -> None:
    """6 kW less 8 x 500 W is 2 kW; with 8 x 50 W that is 2.4 kW."""
    power = moded.system("acme-one-x8@50w").power
    assert power and power.value == pytest.approx(2000 + 8 * 50)


@pytest.mark.parametrize("id", ["acme-one@51w", "acme-one-x8@51w"])
def test_an_unknown_mode_names_those_there_are(id: str, moded: Profiles, refused: Refused) -> None:
    error = refused(subject, "resnet-50", id, moded)
    assert error.what == "acme-one has no power mode '51w'" and error.hint == "It has 50w, maxn."
    error = refused(lambda: ask(moded, systems=["acme-one-x8@51w"]))
    assert error.where.endswith("hardware.systems.0") and "51w" in error.what


def test_a_device_without_modes_says_so(catalogue: Profiles, refused: Refused) -> None:
    assert refused(catalogue.device, "acme-one@50w").hint == "It has none: its own figures stand."


def test_calibrations_and_offers_of_a_device_hold_in_each_mode(moded: Profiles, own: Path) -> None:
    found = subject("resnet-50", "acme-one@50w", moded)
    assert found.device.id == "acme-one@50w" and "acme-one-x8" in found.alike
    (own / "calibrations").mkdir()
    (own / "calibrations" / "acme-one.yaml").write_text("covers: device\nsources: {}\nlaws: {}\n")
    asked = ask(Profiles([own]), systems=["acme-one-x8@50w"])
    assert "acme-one" in asked.calibrations
    assert [o.id for p in asked.providers for o in p.offers if o.system in asked.systems] == ["box@50w"]


def test_a_plan_may_ask_for_one_mode_or_for_all(moded: Profiles) -> None:
    assert list(ask(moded).systems) == ["acme-one-x8"]
    assert list(ask(moded, systems=["acme-one-x8", "acme-one-x8@50w"]).systems) == ["acme-one-x8", "acme-one-x8@50w"]
    every = ask(moded, power_modes="all")
    assert list(every.systems) == ["acme-one-x8@50w", "acme-one-x8@maxn"]
    assert list(every.devices) == ["acme-one@50w", "acme-one@maxn"]
    assert list(ask(moded, systems=["acme-one-x8@50w"], power_modes="all").systems) == ["acme-one-x8@50w"]
    assert every.hashes["profiles"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("clock: {value: 1 GHz, source: sheet}\n", "", "its power mode 50w limits the clock, which it does not give for itself"),
        ("    clock: {value: 3 GHz, source: sheet}\n", "", "limits the memory clock"),
        ("compute_units: {value: 8, source: sheet}", "compute_units: {value: 2, source: sheet}", "has more compute units"),
        ("  maxn: {power", "  MAX N: {power", "has the power mode 'MAX N'"),
        ("  maxn: {power: {value: 500 W, source: sheet}}", "  maxn: {power: {value: 5 W, source: none}}", "the source 'none'"),
    ],
)
def test_the_rules_for_modes(old: str, new: str, says: str, moded: Profiles, own: Path) -> None:
    file = own / "gpu" / "acme-one.yaml"
    assert not [p for p in check(moded).problems if "acme-one" in p]
    assert file.read_text().count(old) >= 1
    file.write_text(file.read_text().replace(old, new, 1))
    assert any(says in p for p in check(Profiles([own])).problems)
