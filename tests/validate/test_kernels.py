"""Fits of one's own timings: a law is recovered, too few points and impossible times are refused, agreement is of predictions."""

from dataclasses import replace

import numpy as np
import pytest

from planner.calibrate.studies import cases
from planner.catalogue.kernels import KernelTable
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.model.columns import Array, Columns, product
from planner.model.ops import laws, matmul
from planner.validate.kernels import FEWEST, _row, agreement, from_timings

H100 = "nvidia-h100-sxm"


@pytest.fixture(scope="module")
def shipped() -> Profiles:
    return Profiles()


def table(profiles: Profiles, layers: int = 7, rows: int = 7, **truth: float) -> dict[str, Array]:
    """Times of linear layers in bf16 on an H100 that obeys the law with coefficients of our choice."""
    device, peaks = _row(profiles.device(H100), profiles)
    p = product(n=2.0 ** np.arange(8, 8 + layers), k=[512.0, 4096], m=4.0 ** np.arange(rows)).with_(groups=1.0, hot=1.0)
    spread = Columns({name: np.full(len(p), device[name][0]) for name in device}, length=len(p)).with_(peak=peaks["bf16"])
    c = Columns({**laws()["matmul"].COEFFICIENTS, **truth}, length=len(p))
    seconds = matmul.time(p, 2 * (p.m * p.k + p.m * p.n + p.n * p.k), spread, c)
    return {"m": p.m, "n": p.n, "k": p.k, "dtype": np.full(len(p), "bf16"), "seconds": seconds}


TRUTH = {"e": 0.8, "e_b": 0.75, "t0": 3e-6, "c": 20.0, "k0": 150.0, "t_s": 2e-6, "e16": 0.6}


def test_a_law_is_recovered_from_its_own_times(shipped: Profiles) -> None:
    columns = table(shipped, **TRUTH)
    found, few = from_timings(H100, {"matmul": KernelTable(columns, "made up")}, shipped)
    fit = found.laws["matmul"]["bf16"]
    assert few == [] and found.id == H100 and found.covers == "device" and found.sources == {"matmul": "made up"}
    assert fit.held_out_error is not None and fit.held_out_error < 0.02
    device, peaks = _row(shipped.device(H100), shipped)
    (case,) = cases("matmul", columns, device, peaks)
    assert case.off(fit.coefficients, fit.surface).max() < 0.1


def test_too_few_points_say_how_many_are_needed(shipped: Profiles) -> None:
    columns = table(shipped, layers=1, rows=2, **TRUTH)
    few = KernelTable(columns, "made up")
    with pytest.raises(InputError, match=rf"has 4 points of 2 shapes; a fit needs at least \d+ points of {FEWEST} shapes"):
        from_timings(H100, {"matmul": few}, shipped)
    stream = KernelTable({"bytes": 2.0 ** np.arange(20, 32), "seconds": 1e-6 + 2.0 ** np.arange(20, 32) / 3e12}, "streams")
    found, said = from_timings(H100, {"matmul": few, "stream": stream}, shipped)
    assert list(found.laws) == ["stream"] and len(said) == 1 and said[0].startswith("matmul bf16 has 4 points")


def test_a_dtype_without_a_peak_says_that_nothing_can_be_fitted(shipped: Profiles) -> None:
    columns = {**table(shipped, **TRUTH), "dtype": np.full(98, "fp4")}
    with pytest.raises(InputError, match="nothing here can be fitted"):
        from_timings(H100, {"matmul": KernelTable(columns, "made up")}, shipped)


def test_times_a_thousand_times_too_short_are_refused(shipped: Profiles) -> None:
    columns = table(shipped, **TRUTH)
    fast = {**columns, "seconds": columns["seconds"] / 1000}
    with pytest.raises(InputError, match="times the device's peak") as caught:
        from_timings(H100, {"matmul": KernelTable(fast, "made up")}, shipped)
    assert "another unit" in caught.value.hint and caught.value.where == "made up"


def test_streams_recover_the_share_of_the_bandwidth(shipped: Profiles) -> None:
    device, _ = _row(shipped.device(H100), shipped)
    size = 2.0 ** np.arange(10, 34)
    in_cache = (size >= 1e5) & (size <= 2 * device.cache[0])
    seconds = np.where(in_cache, 1.0, 2e-6 + size / (0.9 * device.bandwidth[0]))
    found, _ = from_timings(H100, {"stream": KernelTable({"bytes": size, "seconds": seconds}, "made up")}, shipped)
    fit = found.laws["stream"]["default"].coefficients
    assert in_cache.any() and fit["e_b"] == pytest.approx(0.9, rel=0.01) and fit["t0"] == pytest.approx(2e-6, rel=0.01)


def test_agreement_is_nothing_for_the_shipped_calibration_and_a_third_for_one_a_third_off(shipped: Profiles) -> None:
    own = shipped.calibration(H100)
    assert own is not None
    columns = KernelTable(table(shipped, **TRUTH), "made up")
    (row,) = agreement(own, {"matmul": columns}, shipped)
    assert (row.law, row.variant, row.points, row.median, row.p90) == ("matmul", "bf16", 98, 0.0, 0.0)
    fit = own.laws["matmul"]["bf16"]
    other = replace(own, laws={"matmul": {"bf16": replace(fit, coefficients={**fit.coefficients, "t0": 1.0})}})
    (row,) = agreement(other, {"matmul": columns}, shipped)
    assert row.median > 100
    assert agreement(replace(own, id="nvidia-l4"), {"matmul": columns}, shipped) == []  # nothing shipped to hold it against
