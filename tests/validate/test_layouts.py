"""Layouts of disaggregated runs: which of a benchmark's own fit what a row says."""

import pandas as pd
import pytest

from planner.catalogue.profiles import Profiles
from planner.catalogue.runs import disaggregated
from planner.schema.claim import Apart
from planner.validate.layouts import laid_out, told

IMAGE = "image=lmsysorg/sglang:v0.5.8.post1-cu130-amd64"
WORKERS = "prefill: workers None, tp 8, attention dp 1, moe tp 1, moe ep 8, batch None; decode: workers None, batch None"
ROW = {
    "scenario": "concurrency_disaggregated", "workload": "deepseek-r1", "hardware": "nvidia-b200-sxm", "precision": "fp8",
    "input_tokens": 1024.0, "output_tokens": 1024.0, "concurrency": 16.0, "tp": 8.0, "attention_dp": 1.0, "ep": 8.0,
    "notes": f"measured=2026-03-18; {IMAGE}; {WORKERS}",
}  # fmt: skip


def layouts(**changed: object) -> tuple[Apart, ...]:
    return laid_out(pd.DataFrame([ROW | changed]), disaggregated)[0]


def test_a_row_fits_every_layout_that_it_may_be() -> None:
    """Sixteen requests were sent to three workers, with two guesses a step and with none."""
    found = layouts()
    assert {(run.decoders, run.guesses) for run in found} == {(3.0, 0.0), (3.0, 2.0)}


@pytest.mark.parametrize(("day", "guesses"), [("2026-02-07", {0.0}), ("2026-02-13", {2.0})])
def test_the_day_tells_what_the_image_does_not(day: str, guesses: set[float]) -> None:
    found = layouts(notes=ROW["notes"].replace("2026-03-18", day))  # type: ignore[attr-defined]
    assert {run.guesses for run in found} == guesses


@pytest.mark.parametrize(
    "changed",
    [
        {"concurrency": 17.0}, {"hardware": "nvidia-h200-sxm"}, {"tp": 4.0}, {"scenario": "concurrency"},
        {"notes": f"{IMAGE}2; {WORKERS}"}, {"notes": f"measured=2026-03-18; {IMAGE}; decode: workers 3, batch 8"},
    ],
    ids=["concurrency", "device", "ranks", "one and the same workers", "image", "said"],
)  # fmt: skip
def test_what_does_not_fit_or_says_it_itself_has_none(changed: dict[str, object]) -> None:
    assert layouts(**changed) == ()


def test_experts_on_one_rank_of_prefill_mean_ranks_that_attend_apart() -> None:
    """Eight requests to eight thousand tokens each: only the recipes of March prefill on ranks with experts of their own."""
    notes = ROW["notes"].replace("moe ep 8", "moe ep 1")  # type: ignore[attr-defined]
    found = layouts(input_tokens=8192.0, concurrency=8.0, ep=1.0, notes=notes)
    assert {(run.decoders, run.ep, run.batch) for run in found} == {(6.0, 1.0, 22.0)}


def test_a_run_is_told_by_its_notes_or_by_its_one_layout() -> None:
    """Not where two fit, and not where prefill and decode share their workers."""
    rows = [ROW, ROW | {"concurrency": 256.0}, ROW | {"notes": "decode: workers 3, batch 8"}, ROW | {"scenario": "concurrency"}]
    t = pd.DataFrame(rows)
    t["runs"] = pd.Series(laid_out(t, disaggregated), dtype=object)
    assert told(t).tolist() == [False, True, True, False]


def test_every_layout_is_of_what_the_catalogue_has() -> None:
    """Ranks of experts are no more than there are, and a device and a model of that name exist."""
    t, known = disaggregated(), Profiles()
    assert all(known.device(id).kind == "gpu" for id in t["hardware"].unique())
    assert all(known.workload(id).architecture for id in t["workload"].unique())
    assert (t["ep"] <= t["ranks"]).all() and (t["prefill_ep"] <= t["prefill_tp"] * t["prefill_attention_dp"]).all()
    assert (t["guesses"].between(0, 3)).all() and not (t["batch"] <= 0).any()
    assert not t.duplicated().any()
