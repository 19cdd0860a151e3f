"""Traffic from traces, drafts, and what a serving plan's fields allow together."""

from pathlib import Path

import pytest

from planner.catalogue.plan import gather, read_plan
from planner.catalogue.profiles import Profiles, user_folders
from planner.errors import InputError

PLAN = """title: t
workload: {{model: llama-3.3-70b}}
serve:
  {serve}
"""
FIXED = "requests_per_second: 5\n  input_tokens: 1000\n  output_tokens: 200\n  "


def plan(serve: str, folder: Path = Path()) -> object:
    return read_plan(folder / "plan.yaml", PLAN.format(serve=serve))[0]


def trace(folder: Path, *rows: str) -> Path:
    (folder / "day.csv").write_text("\n".join(["arrival_time,input_tokens,output_tokens", *rows]) + "\n")
    return folder


def test_a_trace_gives_lengths_and_how_they_and_the_gaps_vary(tmp_path: Path) -> None:
    """Gaps of 1 and 3 s: mean 2, deviation 1, so a quarter of a Poisson process's variation; 100 and 300 in, twice 50 out."""
    found = plan("trace: day.csv", trace(tmp_path, "0,100,50", "1,300,50", "4,200,50")).serve  # type: ignore[attr-defined]
    assert (found.input_tokens, found.output_tokens, found.output_cv) == (200, 50, 0)
    assert found.input_cv == pytest.approx((2 / 3) ** 0.5 * 100 / 200)
    assert found.burstiness == pytest.approx(0.25)
    assert found.requests_per_second == pytest.approx(2 / 4)


def test_the_plans_own_rate_stands(tmp_path: Path) -> None:
    folder = trace(tmp_path, "0,100,50", "1,300,50", "4,200,50")
    assert plan("trace: day.csv\n  requests_per_second: 7", folder).serve.requests_per_second == 7  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("serve", "said"),
    [
        ("trace: day.csv\n  input_tokens: 5", "comes from the trace"),
        ("trace: none.csv", "none.csv"),
        (FIXED + "percentile: 99 %", "has none"),
        (FIXED + "ttft: 1 s\n  percentile: 100 %", "not a share below 1"),
        (FIXED + "speculation: {acceptance: 1}", "not a share below 1"),
        (FIXED + "input_cv: 1000", "more than 100"),
        (FIXED + "kv_cache: fp9", "fp8"),
        (FIXED + "burstiness: 0", "must be above 0"),
        (FIXED + "max_batch: 0", "at least 1"),
    ],
)
def test_what_is_refused(serve: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        plan(serve, trace(tmp_path, "0,100,50", "1,300,50", "4,200,50"))
    assert said in str(refused.value) + refused.value.hint


def test_bad_lines_of_a_trace_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 3"):
        plan("trace: day.csv", trace(tmp_path, "0,100,50", "1,-300,50", "4,200,50"))


def test_a_trace_of_one_moment_says_nothing_of_arrivals(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few"):
        plan("trace: day.csv", trace(tmp_path, "0,100,50", "0,300,50", "0,200,50"))


@pytest.mark.parametrize(
    ("draft", "said"), [("mistral-7b", "32,000"), ("bert-base", "does not generate"), ("llama-9", "unknown")]
)
def test_a_draft_writes_the_same_vocabulary(draft: str, said: str) -> None:
    text = PLAN.format(serve=FIXED + f"speculation: {{acceptance: 60 %, draft: {draft}}}")
    read, _ = read_plan(Path("plan.yaml"), text)
    with pytest.raises(InputError, match=said):
        gather(read, text, Path("plan.yaml"), Profiles(user_folders(None)))
