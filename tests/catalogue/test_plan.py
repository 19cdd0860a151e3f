"""A wrong plan is one message with file, line and field; a right one gathers all it names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from planner.catalogue.plan import gather, plan_from, read_plan
from planner.catalogue.profiles import Profiles
from planner.errors import InputError

Refused = Callable[..., InputError]
PLAN = (Path(__file__).parent / "own" / "plan.yaml").read_text()
TRAIN = "train: {tokens: 1 billion, sequence_length: 4096, global_batch: 64}\n"

HASHES = {"plan", "workload", "profiles", "prices", "calibrations", "intervals"}


def ask(path: Path, profiles: Profiles) -> object:
    """What a verb does first with a plan."""
    plan, text = read_plan(path)
    return gather(plan, text, path, profiles)


def test_a_right_plan_gathers_what_it_names(own: Path, catalogue: Profiles) -> None:
    plan, text = read_plan(own / "plan.yaml")
    inputs = gather(plan, text, own / "plan.yaml", catalogue)
    assert list(inputs.systems) == ["acme-one-x8"] and list(inputs.devices) == ["acme-one"]
    assert [p.id for p in inputs.providers] == ["acme"] and inputs.workload.id == "llama-3.1-8b"
    assert inputs.plan_text == PLAN and set(inputs.hashes) == HASHES


@pytest.mark.parametrize(
    ("old", "new", "where", "says", "hint"),
    [
        ("title: Where should it run?\n", "", " title", "the field 'title' is missing", ""),
        ("title: Where should it run?", "title: '  '", ":1:1 title", "title is empty", ""),
        ("title: Where should it run?", "title: " + "x" * 10_000, ":1:1 title", "longer than 300", ""),
        ("title:", "titel:", ":1:1 titel", "unknown field 'titel'", "Did you mean 'title'?"),
        ("  model: llama-3.1-8b", "  model: lama-3.1-8b", ":3:3 workload.model", "unknown model", "llama-3.1-8b"),
        ("  model: llama-3.1-8b", "  model: ../../none.json", ":3:3 workload.model", "does not exist", "config.json"),
        ("[bf16]", "[bf17]", ":4:15 workload.precision.0", "is not one of", "Did you mean 'bf16'?"),
        ("[bf16]", "bf16", ":4:3 workload.precision", "expected a list, found 'bf16'", ""),
        ("requests_per_second: 2", "requests_per_second: 0", ":6:3 serve.requests", "must be above 0", ""),
        ("requests_per_second: 2", "requests_per_second: -2", ":6:3 serve.requests", "must be above 0", ""),
        ("requests_per_second: 2", "requests_per_second: 2 GB", ":6:3 serve.requests", "write it like '20 requests/s'", ""),
        ("requests_per_second: 2", "requests_per_second: .inf", ":6:3 serve.requests", "not a finite number", ""),
        ("requests_per_second: 2", "requests_per_second: 1e300", ":6:3 serve.requests", "beyond any quantity", ""),
        ("  requests_per_second: 2\n", "", ":5:1 serve.requests_per_second", "requests and within for a batch", ""),
        ("requests_per_second: 2", "requests: 1 million", ":5:1 serve.requests_per_second", "needs requests_per_second, or", ""),
        ("requests_per_second: 2", "requests_per_second: 2\n  requests: 9", ":7:3 serve.requests", "of a batch that is done", ""),
        ("requests_per_second: 2", "requests: 9\n  within: 1 h\n  ttft: 1 s", ":8:3 serve.ttft", "nobody waits for a batch", ""),
        ("requests_per_second: 2", "requests_per_second: 2\n  prefix_hit: 60", ":7:3 serve.prefix_hit", "like '60 %'", ""),
        ("requests_per_second: 2", "requests: 0.5\n  within: 1 h", ":6:3 serve.requests", "must be at least 1", ""),
        ("input_tokens: 1000", "input_tokens: 0.5", ":7:3 serve.input_tokens", "must be at least 1", ""),
        ("input_tokens: 1000", "input_tokens: NO", ":7:3 serve.input_tokens", "got False", ""),
        ("input_tokens: 1000", "input_tokens: 1000\n  ttft: 12:30:00", ":8:3 serve.ttft", "has no unit", ""),
        ("input_tokens: 1000", "input_tokens: 1000\n  input_tokens: 5", ":8:3", "'input_tokens' is given twice", ""),
        ("[acme-one-x8]", "[acme-one-x9]", ":10:13 hardware.systems.0", "unknown system", "Did you mean acme-one-x8"),
        ("[acme-one-x8]", "[../acme-one-x8]", ":10:13 hardware.systems.0", "unknown system", "acme-one-x8"),
        ("[acme-one-x8]", "[nvidia-l4-x1]", ":10:13 hardware.systems.0", "no provider the plan allows", "--profiles"),
        ("[acme]", "[acne]", ":11:15 hardware.providers.0", "unknown provider", "Did you mean acme?"),
        ("[acme]", "[acme]\n  regions: [mars-1]", ":12:13 hardware.regions.0", "unknown region 'mars-1'", "moon-1"),
        ("[acme]", "[acme]\n  terms: [ondemand]", ":12:11 hardware.terms.0", "is not one of", "Did you mean 'on_demand'?"),
        ("[acme]", "[acme]\n  kinds: [gpus]", ":12:11 hardware.kinds.0", "is not one of", "Did you mean 'gpu'?"),
        ("[acme]", "[acme]\n  max_devices: 1.5", ":12:3 hardware.max_devices", "expected a whole number", ""),
        ("0.12 USD/kWh", "0.12 EUR/kWh", ":13:3 economics.electricity", "gives no rate", "rates: {EUR"),
        ("0.12 USD/kWh", "-1 USD/kWh", ":13:3 economics.electricity", "is negative", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\n  budget: 5 EUR", ":14:3 economics.budget", "is in EUR", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\n  currency: usd", ":14:3 economics.currency", "write it like 'USD'", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\n  utilisation: 70", ":14:3 economics.utilisation", "write it like '70 %'", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\n  utilisation: 1e-9", ":14:3 economics.utilisation", "not between", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\n  horizon: 1 s", ":14:3 economics.horizon", "write it like '3 years'", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\n  pue: 0.9", ":14:3 economics.pue", "must be at least 1", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\ndate: 2026-99-99", ":14:7", "not a valid timestamp", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\ndate: tomorrow", ":14:1 date", "expected a date", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\n" + TRAIN, "", "capacity and lifetime; it has serve and train", ""),
        ("0.12 USD/kWh", "0.12 USD/kWh\nowner: \"\\e[31m\\u202e\"\nownr: \"\\e[31m\"", ":15:1 ownr", "unknown field", "owner"),
    ],
)  # fmt: skip
def test_a_wrong_plan(
    old: str, new: str, where: str, says: str, hint: str, own: Path, catalogue: Profiles, refused: Refused
) -> None:
    assert PLAN.count(old) == 1
    path = own / "plan.yaml"
    path.write_text(PLAN.replace(old, new))
    error = refused(ask, path, catalogue)
    assert error.where.startswith(f"{path}{where}")
    assert says in error.what and hint in error.hint


LIFE = (
    PLAN[: PLAN.index("serve:")]
    + """\
lifetime:
  queries_per_day: 5 million
  months: 24
  input_tokens: 1000
  output_tokens: 300
  tokens: 1 trillion
  training: {systems: [nvidia-h100-sxm-x8], terms: [on_demand]}
  serving: {systems: [acme-one-x8], providers: [acme]}
  distil:
    - {student: llama-3.2-1b, tokens: 100 billion}
economics:
  electricity: 0.12 USD/kWh
"""
)


def test_a_lifetime_gathers_the_hardware_of_both_phases(own: Path, catalogue: Profiles) -> None:
    path = own / "plan.yaml"
    path.write_text(LIFE)
    plan, text = read_plan(path)
    inputs = gather(plan, text, path, catalogue)
    assert inputs.life and list(inputs.systems) == ["acme-one-x8"]
    assert list(inputs.life.training.systems) == ["nvidia-h100-sxm-x8"] and len(inputs.life.training.providers) > 1
    assert list(inputs.life.models) == ["llama-3.2-1b"] and inputs.life.compression.methods
    assert inputs.life.published["llama-3.1-8b", "llama-3.2-1b"].startswith("MMLU")
    assert set(inputs.hashes) == HASHES | {f"training {name}" for name in ("profiles", "prices", "calibrations")}


@pytest.mark.parametrize(
    ("old", "new", "where", "says", "hint"),
    [
        ("months: 24", "months: 0", ":7:3 lifetime.months", "must be above 0", ""),
        ("months: 24", "months: -3", ":7:3 lifetime.months", "must be above 0", ""),
        ("months: 24", "months: .nan", ":7:3 lifetime.months", "not a finite number", ""),
        ("months: 24", "months: 1e9", ":7:3 lifetime.months", "not between 0.1 and 600; write it like '24'", ""),
        ("5 million", "-5 million", ":6:3 lifetime.queries_per_day", "must be above 0", ""),
        ("5 million", "0", ":6:3 lifetime.queries_per_day", "must be above 0", ""),
        ("5 million", ".inf", ":6:3 lifetime.queries_per_day", "not a finite number", ""),
        ("5 million", "1e15", ":6:3 lifetime.queries_per_day", "like '5 million'", ""),
        ("queries_per_day", "querys_per_day", ":6:3 lifetime.querys_per_day", "unknown field", "queries_per_day"),
        ("  tokens: 1 trillion", "  tokens: 1 trillion\n  loss: 2.0", ":11:3 lifetime.loss", "give one of them", ""),
        ("  tokens: 1 trillion", "  loss: -2", ":10:3 lifetime.loss", "must be above 0", ""),
        ("  tokens: 1 trillion", "  law: kaplan", ":10:3 lifetime.law", "is not one of epoch, chinchilla, sardana", ""),
        ("  tokens: 1 trillion", "  quality: 99", ":10:3 lifetime.quality", "like '99 %'", ""),
        ("[nvidia-h100-sxm-x8]", "[nvidia-h100-smx-x8]", ":11:24 lifetime.training.systems.0", "unknown system", "-sxm-x8"),
        ("[acme-one-x8]", "[acme-two-x8]", ":12:23 lifetime.serving.systems.0", "unknown system", "acme-one-x8"),
        ("[acme]}", "[acne]}", ":12:49 lifetime.serving.providers.0", "unknown provider", "Did you mean acme?"),
        ("student: llama-3.2-1b", "student: lama-3.2-1b", ":14:8 lifetime.distil.0.student", "unknown model", "llama-3.2-1b"),
        ("economics:", TRAIN + "economics:", "", "train and lifetime", ""),
    ],
)  # fmt: skip
def test_a_wrong_lifetime(
    old: str, new: str, where: str, says: str, hint: str, own: Path, catalogue: Profiles, refused: Refused
) -> None:
    assert LIFE.count(old) == 1
    path = own / "plan.yaml"
    path.write_text(LIFE.replace(old, new))
    error = refused(ask, path, catalogue)
    assert error.where.startswith(f"{path}{where}"), error.where
    assert says in error.what and hint in error.hint


@pytest.mark.parametrize("kind", ["serve", "train", "infer", "lifetime"])
def test_a_plan_that_asks_nothing(kind: str, own: Path, refused: Refused) -> None:
    path = own / "plan.yaml"
    head, _, tail = PLAN.partition("serve:")
    path.write_text(head + f"{kind}:\n" + tail[tail.index("hardware:") :])
    assert "it has none of them" in refused(read_plan, path).what


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "found nothing"), (b"- title\n", "found a list"), (b"\xff\xfe", "not UTF-8"), (bytes(10), "NUL bytes"),
        (b"a" * 1_000_001, "larger than 1 MB"), (b"\t", "cannot start any token"), (b"title: \x1b[31m", "control characters"),
    ],
)  # fmt: skip
def test_what_is_no_plan_at_all(raw: bytes, says: str, own: Path, refused: Refused) -> None:
    path = own / "plan.yaml"
    path.write_bytes(raw)
    error = refused(read_plan, path)
    assert says in error.what and str(path) in error.where


@pytest.mark.parametrize("encoded", [PLAN.encode("utf-8-sig"), PLAN.replace("\n", "\r\n").encode(), PLAN.encode() + b"\n...\n"])
def test_a_mark_or_other_line_ends_change_nothing(encoded: bytes, own: Path) -> None:
    before = read_plan(own / "plan.yaml")[0]
    (own / "plan.yaml").write_bytes(encoded)
    assert read_plan(own / "plan.yaml")[0] == before


def test_an_offer_of_an_unknown_system_names_the_file(own: Path, refused: Refused) -> None:
    offers = own / "offers" / "acme.yaml"
    offers.write_text(offers.read_text().replace("acme-one-x8", "acme-one-x7"))
    error = refused(ask, own / "plan.yaml", Profiles([own]))
    assert error.where == f"{offers} offers" and "acme-one-x8" in error.hint


def test_a_plan_of_flags_names_no_line(refused: Refused) -> None:
    raw = {"title": "x", "workload": {"model": "gpt2"}, "serve": {"requests_per_second": -1}}
    assert refused(plan_from, raw).where.startswith("flags serve.")
