"""Every verb: figures as JSON and nothing but, wrong input as one message, files whole or not at all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planner import __version__

Refused = Callable[..., str]
TABLE = "case,task,scenario,workload,hardware,precision,metric,value,devices,input_tokens,output_tokens\n"
ROW = "a,inference,offline,llama-3.1-8b,acme-one,bf16,output_tokens_per_s,{value},{devices},100,100\n"


def strict(text: str) -> dict[str, Any]:
    """JSON without NaN and Infinity."""

    def no(constant: str) -> object:
        raise AssertionError(constant)

    found = json.loads(text, parse_constant=no)
    assert isinstance(found, dict)
    return found


OWN_OR_RENT = """\
title: Own or rent?
capacity: {devices: 16}
hardware: {systems: [acme-one-x8], providers: [acme], terms: [on_demand, spot]}
economics: {busy: 60 %}
"""


@pytest.mark.parametrize(
    ("arguments", "status", "key"),
    [
        (("hardware", "list"), 0, "rows"),
        (("hardware", "list", "--systems"), 0, "rows"),
        (("hardware", "list", "--offers"), 0, "rows"),
        (("hardware", "show", "acme-one"), 0, "peak"),
        (("hardware", "show", "acme-one-x8"), 0, "tiers"),
        (("hardware", "show", "acme"), 0, "offers"),
        (("hardware", "check"), 0, "problems"),
        (("calibrate", "--report"), 0, "laws"),
        (("workloads", "list"), 0, "rows"),
        (("workloads", "show", "llama-3.1-8b"), 0, "phases"),
        (("workloads", "show", "resnet-50"), 0, "phases"),
        (("estimate", "llama-3.1-8b", "acme-one-x8"), 0, "figures"),
        (("estimate", "llama-3.1-8b", "acme-one"), 0, "figures"),
        (("estimate", "llama-3.1-8b", "acme-one-x8", "--train", "--devices", "8"), 1, "memory"),
        (("estimate", "llama-3.1-405b", "acme-one"), 1, "memory"),
        (("estimate", "resnet-50", "acme-one", "--precision", "bf16"), 0, "figures"),
        (("simulate", "llama-3.1-8b", "acme-one-x8", "--rate", "1", "--requests", "50"), 0, "queue"),
        (("simulate", "llama-3.1-8b", "acme-one", "--concurrency", "4", "--requests", "50"), 0, "ttft"),
        (("deployments", "llama-3.1-8b", "acme-one-x8", "--rate", "1"), 0, "smallest"),
        (("deployments", "llama-3.1-8b", "acme-one-x8", "--tpot", "1 us"), 1, "nearest"),
        (("compare", "PLAN"), 0, "candidates"),
        (("report", "PLAN"), 0, "candidates"),
        (("own", "OWN"), 0, "ways"),
        (("lifetime", "--model", "llama-3.2-1b", "--train-on", "nvidia-h100-sxm-x8", "--serve-on", "acme-one-x8"), 0, "life"),
        (("layouts", "llama-3.1-8b", "acme-one-x8", "--global-batch", "64"), 0, "fits_from"),
        (("layouts", "llama-3.1-8b", "nvidia-h100-sxm-x8", "--devices", "16", "--up-to", "--rank", "cost"), 0, "best"),
    ],
)
def test_json_and_nothing_else_on_stdout(
    arguments: tuple[str, ...], status: int, key: str, own: Path, planner: Callable[..., Any]
) -> None:
    (own / "own.yaml").write_text(OWN_OR_RENT)
    named = [{"PLAN": own / "plan.yaml", "OWN": own / "own.yaml"}.get(a, a) for a in arguments]
    run = planner(*named, "--format", "json", "--profiles", own)
    found = strict(run.out)
    assert run.status == status, run.err
    assert found["schema_version"] in (1, 2) and key in found


def test_validate_gives_json_and_a_table(own: Path, planner: Callable[..., Any]) -> None:
    table = own / "t.csv"
    table.write_text(
        TABLE + ROW.format(value=1000, devices=8) + ROW.format(value=1000, devices=0) + ROW.format(value="=1", devices=8)
    )
    run = planner("validate", table, "--format", "json", "--profiles", own)
    found = strict(run.out)["files"][0]
    assert (found["cases"], found["estimated"], sum(found["skipped"].values())) == (3, 1, 2)
    shown = planner("validate", table, "--profiles", own)
    assert "t.csv: skipped 1: the number of devices is not positive" in shown.out


@pytest.mark.parametrize("column", ["workload", "hardware", "precision", "scenario", "metric"])
@pytest.mark.parametrize("cell", ["", "nobody", "../../etc/passwd", "=cmd|' /C calc'!A0", "\x1b[31m\u202e", "x" * 10_000])
def test_a_row_about_something_unknown_is_skipped_and_counted(
    column: str, cell: str, own: Path, planner: Callable[..., Any]
) -> None:
    row = dict(zip(TABLE.strip().split(","), ROW.format(value=1000, devices=8).strip().split(","), strict=True))
    (own / "t.csv").write_text(TABLE + ",".join((row | {column: cell}).values()) + "\n")
    run = planner("validate", own / "t.csv", "--format", "json", "--profiles", own)
    found = strict(run.out)["files"][0]
    assert found["cases"] == 1
    assert found["estimated"] == (1 if column == "precision" and not cell else 0)
    assert found["estimated"] + sum(found["skipped"].values()) == 1
    shown = planner("validate", own / "t.csv", "--profiles", own).out
    assert "\x1b" not in shown and "\u202e" not in shown and max(map(len, shown.splitlines())) < 300


def test_only_a_header_is_no_case(own: Path, planner: Callable[..., Any]) -> None:
    (own / "t.csv").write_text(TABLE)
    run = planner("validate", own / "t.csv", "--format", "json", "--profiles", own)
    assert run.status == 0
    assert (strict(run.out)["files"][0]["cases"], strict(run.out)["rows"]) == (0, [])
    assert planner("validate", own / "t.csv", "--profiles", own).status == 0


@pytest.mark.parametrize("cell", ["abc", "-1", "inf", "1e308", "=1+1"])
@pytest.mark.parametrize("column", ["tp", "pp", "batch", "devices", "input_tokens", "global_batch"])
def test_a_size_that_is_none_skips_its_row(column: str, cell: str, own: Path, planner: Callable[..., Any]) -> None:
    row = dict(zip(TABLE.strip().split(","), ROW.format(value=1000, devices=8).strip().split(","), strict=True)) | {column: cell}
    (own / "t.csv").write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    found = strict(planner("validate", own / "t.csv", "--format", "json", "--profiles", own).out)["files"][0]
    assert (found["cases"], found["estimated"], found["skipped"]) == (1, 0, {f"'{column}' is not a size": 1})


def test_validate_refuses_what_is_no_table(own: Path, refused: Refused) -> None:
    assert "has no column 'case'" in refused("validate", own / "plan.yaml")
    assert "No such file" in refused("validate", own / "none.csv")
    assert "is a directory" in refused("validate", own)
    (own / "t.csv").write_text(TABLE)
    (own / "architectures.csv").write_text("workload,hidden_size\nm,abc\n")
    assert "architectures.csv" in refused("validate", own / "t.csv")
    assert "has no column 'case'" in refused("validate", own / "architectures.csv")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("hardware", "show", "nvidia-h10-sxm"), "Did you mean nvidia-h100-sxm"),
        (("hardware", "list", "--kind", "gpus"), "Did you mean gpu?"),
        (("hardware", "list", "--profiles", "none"), "not a folder of profiles"),
        (("workloads", "show", "lama-3.1-8b"), "Did you mean llama-3.1-8b"),
        (("workloads", "show", "none/config.json"), "does not exist"),
        (("estimate", "llama-3.1-8b", "acme-won"), "unknown system 'acme-won'"),
        (("estimate", "llama-3.1-8b", "../acme-one"), "unknown system"),
        (("estimate", "lama", "nvidia-h100-sxm"), "unknown model 'lama'"),
        (("estimate", "llama-3.1-8b", "nvidia-h100-sxm", "--precision", "bf17"), "Did you mean bf16"),
        (("estimate", "resnet-50", "nvidia-jetson-agx-orin-64gb", "--power-mode", "31w"), "It has 15w, 30w, 50w, maxn."),
        (("estimate", "resnet-50", "nvidia-jetson-agx-orin-64gb@30w", "--power-mode", "15w"), "has no power mode '30w@15w'"),
        (("estimate", "resnet-50", "nvidia-l4", "--power-mode", "all"), "nvidia-l4 has no power modes to compare"),
        (("estimate", "resnet-50", "nvidia-l4", "--battery", "5 Wh"), "Give --rate too"),
        (("estimate", "resnet-50", "nvidia-l4", "--rate", "1", "--battery", "5"), "--battery: '5' has no unit"),
        (("estimate", "resnet-50", "nvidia-l4", "--rate", "1", "--device-power", "0 W"), "'0 W' is not above zero"),
        (("estimate", "resnet-50", "nvidia-l4", "--rate", "inf"), "--rate is not a finite number"),
        (("estimate", "llama-3.1-8b", "nvidia-l4", "--rate", "1"), "a rate is asked of a network that infers"),
        (("compare", "--model", "resnet-50", "--samples", "1", "--system", "nvidia-jetson-agx-orin-64gb-x1@31w"), "It has 15w"),
        (("simulate", "llama-3.1-8b", "nvidia-l4"), "give one of --rate, --concurrency and --trace"),
        (("simulate", "llama-3.1-8b", "nvidia-l4", "--rate", "1", "--concurrency", "1"), "give one of"),
        (("simulate", "llama-3.1-8b", "nvidia-l4", "--rate", "inf"), "--rate is not a finite number"),
        (("simulate", "llama-3.1-8b", "nvidia-l4", "--rate", "1", "--input", "200000"), "more than the model allows: 131,072"),
        (
            ("simulate", "llama-3.1-8b", "nvidia-l4", "--rate", "1", "--input", "130000", "--precision", "bf16"),
            "does not fit the cache, which holds",
        ),
        (("simulate", "llama-3.1-405b", "nvidia-l4", "--rate", "1"), "does not fit: "),
        (("simulate", "llama-3.1-8b", "nvidia-l4", "--rate", "1", "--tp", "3"), "tp 3 does not divide 32 heads"),
        (("simulate", "resnet-50", "nvidia-l4", "--rate", "1"), "does not generate text"),
        (("deployments", "resnet-50", "nvidia-l4"), "does not generate text"),
        (("deployments", "llama-3.1-8b", "nvidia-l4", "--input", "200000"), "longer than llama-3.1-8b allows: 131,072"),
        (("deployments", "llama-3.1-8b", "nvidia-l4", "--precision", "fp9"), "Did you mean"),
        (("deployments", "llama-3.1-8b", "raspberry-pi-5"), "is not published"),
        (("deployments", "llama-3.1-8b", "nvidia-l4", "--ttft", "soon"), "serve.ttft"),
        (("compare", "--model", "llama-3.1-8b", "--requests", "1", "--techniques", "magic"), "unknown technique 'magic'"),
        (("simulate", "llama-3.1-8b", "nvidia-l4", "--trace", "none.csv"), "No such file"),
        (("compare",), "give either a plan file or --model"),
        (("compare", "plan.yaml", "--model", "gpt2"), "give either a plan file or --model"),
        (("compare", "--model", "gpt2"), "flags serve.requests_per_second"),
        (("compare", "--model", "gpt2", "--requests", "nan"), "not a finite number"),
        (("compare", "--model", "gpt2", "--requests", "1", "--kind", "gpus"), "Did you mean 'gpu'?"),
        (("compare", "--model", "gpt2", "--requests", "1", "--tpot", "40"), "has no unit"),
        (("compare", "--model", "\x1b[31m\u202e", "--requests", "1"), "unknown model"),
        (("compare", "none.yaml"), "No such file"),
        (("lifetime",), "give either a plan file or --model"),
        (("lifetime", "--model", "lama-3.1-8b"), "unknown model 'lama-3.1-8b'"),
        (("lifetime", "--model", "llama-3.1-8b", "--months", "0"), "flags lifetime.months: '0' must be above 0"),
        (("lifetime", "--model", "llama-3.1-8b", "--queries", "-1"), "must be above 0"),
        (("lifetime", "--model", "llama-3.1-8b", "--loss", "1.7"), "the law's floor is 1.8172"),
        (("lifetime", "--model", "llama-3.1-8b", "--loss", "1.9"), "reaches no loss of 1.9 on any data: its bound is 1.99"),
        (("lifetime", "--model", "llama-3.1-8b", "--train-on", "h100"), "unknown system 'h100'"),
        (("lifetime", "--model", "llama-3.1-8b", "--serve-on", "nvidia-h100-sxm-x9"), "Did you mean nvidia-h100-sxm-x8"),
        (("lifetime", "--model", "mixtral-8x7b"), "is a mixture of experts"),
        (("lifetime", "--model", "bert-base"), "is an encoder"),
        (("lifetime", "--model", "resnet-50"), "is not a language model"),
        (("lifetime", "--model", "llama-3.1-8b", "--input", "200000"), "is longer than llama-3.1-8b allows"),
        (("report", "none.yaml"), "No such file"),
        (("report", "."), "is a directory"),
        (("report", "x" * 10_000), "name too long"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], says: str, own: Path, refused: Refused) -> None:
    assert says in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("reprot",), "Did you mean 'report'?"),
        (("hardware", "lst"), "No such command 'lst'"),
        (("hardware", "list", "--knd", "gpu"), "--kind"),
        (("estimate", "gpt2"), "Missing argument"),
        (("estimate", "gpt2", "x", "--devices", "0"), "Invalid value for '--devices'"),
        (("estimate", "gpt2", "x", "--batch", "many"), "Invalid value for '--batch'"),
        (("estimate", "gpt2", "x", "--zero", "4"), "Invalid value for '--zero'"),
        (("compare", "--format", "xml"), "is not one of 'table', 'json'"),
        (("init", "dance"), "is not one of 'serve', 'train', 'infer'"),
        (("report",), "Missing argument"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], says: str, own: Path, planner: Callable[..., Any]) -> None:
    run = planner(*arguments)
    assert (run.status, run.out) == (2, "")
    assert says in run.err and "Traceback" not in run.err


def test_what_the_search_refuses_names_the_plan(own: Path, refused: Refused) -> None:
    plan = own / "plan.yaml"
    plan.write_text(plan.read_text().replace("llama-3.1-8b", "resnet-50"))
    assert refused("compare", plan, "--profiles", own).startswith(f"planner: {plan}: 'resnet-50' is not a language model")
    plan.write_text(plan.read_text().replace("resnet-50", "gpt2"))
    assert refused("report", plan, "--profiles", own).startswith(f"planner: {plan}: a context of 1,200 tokens")


def test_nothing_fits_is_status_1(own: Path, planner: Callable[..., Any]) -> None:
    plan = own / "plan.yaml"
    plan.write_text(plan.read_text().replace("output_tokens: 200", "output_tokens: 200\n  tpot: 1 us"))
    run = planner("compare", plan, "--profiles", own)
    assert run.status == 1 and "time per output token" in run.out
    run = planner("report", plan, "--profiles", own, "-o", own / "r.html")
    assert run.status == 1 and (own / "r.html").stat().st_size > 1000


@pytest.mark.parametrize("name", ["report.html", "r.md", "r.csv", "r.json", "new/folder/r.HTM"])
def test_a_report_by_its_name(name: str, own: Path, planner: Callable[..., Any]) -> None:
    run = planner("report", own / "plan.yaml", "--profiles", own, "-o", own / name)
    assert run.status == 0, run.err
    text = (own / name).read_text()
    assert {"h": "<!doctype html", "m": "#", "c": "label,", "j": "{"}[Path(name).suffix[1].lower()] in text.lower()
    assert (own / name).stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    """The process's mask of file modes."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_lifetime_as_a_table_as_csv_and_as_a_page(own: Path, planner: Callable[..., Any]) -> None:
    plan = own / "life.yaml"
    assert planner("init", "lifetime", "-o", plan).status == 0
    fewer = "hardware:\n  systems: [nvidia-h100-sxm-x8]\n#"
    plan.write_text(plan.read_text().replace("hardware:", fewer, 1))
    run = planner("lifetime", plan)
    assert run.status == 0, run.err
    assert "pays: queries a day" in run.out and "Choose " in run.out and "(base)" in run.out and "is the cheapest." in run.out
    rows = planner("lifetime", plan, "--format", "csv").out.splitlines()
    assert rows[0].startswith("label,feasible,") and "making_training_USD" in rows[0] and len(rows) > 10
    assert planner("report", plan).status == 0
    assert 'id="lifetime"' in (own / "life.html").read_text()


def test_a_plan_without_a_lifetime_has_none(own: Path, refused: Refused) -> None:
    assert "has no 'lifetime:'" in refused("lifetime", own / "plan.yaml")


def test_a_report_beside_its_plan(own: Path, planner: Callable[..., Any]) -> None:
    assert planner("report", own / "plan.yaml", "--profiles", own).status == 0
    (own / "plan.yaml").rename(own / "other.yaml")
    assert planner("report", own / "other.yaml", "--profiles", own).status == 0
    assert (own / "report.html").read_text() and (own / "other.html").read_text()


def test_a_report_never_replaces_its_plan(own: Path, refused: Refused) -> None:
    before = (own / "plan.yaml").read_bytes()
    assert "would replace the plan" in refused(
        "report", own / "plan.yaml", "--format", "md", "-o", own / "plan.yaml", "--profiles", own
    )
    (own / "plan.yaml").rename(own / "p.html")
    (own / "link.md").symlink_to(own / "p.html")
    assert "would replace the plan" in refused("report", own / "p.html", "--profiles", own)
    assert "would replace the plan" in refused("report", own / "p.html", "-o", own / "link.md", "--profiles", own)
    assert (own / "p.html").read_bytes() == before


def test_an_unknown_kind_of_report(own: Path, refused: Refused) -> None:
    assert "unknown kind of report '.pdf'" in refused("report", own / "plan.yaml", "-o", own / "r.pdf", "--profiles", own)


@pytest.mark.parametrize("broken", ["plan", "device", "offer", "system"])
def test_wrong_input_leaves_an_old_report_as_it_was(broken: str, own: Path, refused: Refused) -> None:
    folder = own / "out"
    folder.mkdir()
    report = folder / "r.html"
    report.write_bytes(b"the old report")
    file = {
        "plan": "plan.yaml",
        "device": "gpu/acme-one.yaml",
        "offer": "offers/acme.yaml",
        "system": "systems/acme-one-x8.yaml",
    }[broken]
    (own / file).write_text((own / file).read_text() + "nonsense: 1\n")
    message = refused("report", own / "plan.yaml", "--profiles", own, "-o", report)
    assert str(own / file) in message and "unknown field 'nonsense'" in message
    assert report.read_bytes() == b"the old report"
    assert list(folder.iterdir()) == [report]


def test_a_place_that_cannot_be_written(own: Path, refused: Refused) -> None:
    (own / "file").write_text("kept")
    (own / "dir").mkdir()
    for output in (own / "file" / "r.html", own / "dir", own / ("x" * 300 + ".html"), Path("/proc/none/r.html")):
        assert "cannot be written" in refused("report", own / "plan.yaml", "--format", "html", "--profiles", own, "-o", output)
    assert (own / "file").read_text() == "kept"
    assert list((own / "dir").iterdir()) == []
    assert not [p for p in own.iterdir() if p.name.startswith(".")]


def test_a_link_keeps_being_one(own: Path, planner: Callable[..., Any]) -> None:
    (own / "real.md").write_text("old")
    (own / "link.md").symlink_to(own / "real.md")
    assert planner("report", own / "plan.yaml", "--profiles", own, "-o", own / "link.md").status == 0
    assert (own / "link.md").is_symlink() and (own / "real.md").read_text().startswith("#")


def test_init_writes_a_plan_that_is_read(own: Path, planner: Callable[..., Any], refused: Refused) -> None:
    from planner.catalogue.plan import read_plan

    for scenario in ("serve", "train", "infer"):
        run = planner("init", scenario, "-o", own / f"{scenario}.yaml")
        assert run.status == 0
        assert read_plan(own / f"{scenario}.yaml")[0].scenario == scenario
        shown = planner("init", scenario, "-o", "-").out
        assert shown == (own / f"{scenario}.yaml").read_text()
    (own / "serve.yaml").write_text("mine")
    assert "exists already" in refused("init", "serve", "-o", own / "serve.yaml")
    assert "exists already" in refused("init", "serve", "-o", own)
    assert (own / "serve.yaml").read_text() == "mine"
    assert planner("init", "serve", "-o", own / "serve.yaml", "--force").status == 0
    assert (own / "serve.yaml").read_text() != "mine"


def test_profiles_of_ones_own_win(own: Path, planner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    mine = own / "gpu" / "nvidia-h100-sxm.yaml"
    mine.write_text((own / "gpu" / "acme-one.yaml").read_text())
    assert "Acme One" not in planner("hardware", "show", "nvidia-h100-sxm").out
    assert "Acme One" in planner("hardware", "show", "nvidia-h100-sxm", "--profiles", own).out
    monkeypatch.setenv("PLANNER_PROFILES", str(own))
    assert "Acme One" in planner("hardware", "show", "nvidia-h100-sxm").out


def test_text_that_a_terminal_would_act_on(own: Path, planner: Callable[..., Any]) -> None:
    plan = own / "plan.yaml"
    plan.write_text(plan.read_text().replace("Where should it run?", '"\\e[31mred \\u202eevil \\a"'))
    offers = own / "offers" / "acme.yaml"
    offers.write_text(offers.read_text().replace("id: box", 'id: "b\\e[2Jx"'))
    for arguments in (("compare", plan), ("hardware", "list", "--offers"), ("hardware", "show", "acme"), ("report", plan)):
        run = planner(*arguments, "--profiles", own)
        assert run.status == 0, run.err
        assert not set("\x1b\u202e\x07") & set(run.out + run.err)


def test_check_is_status_1_where_something_is_wrong(own: Path, planner: Callable[..., Any]) -> None:
    offers = own / "offers" / "acme.yaml"
    offers.write_text(offers.read_text().replace("8 USD/h", "80 USD/h"))
    run = planner("hardware", "check", "--profiles", own)
    assert run.status == 1 and "box moon-1 costs more spot than on demand" in run.out


def test_version(planner: Callable[..., Any]) -> None:
    run = planner("--version")
    assert (run.status, run.out) == (0, f"planner {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("layouts", "llama-3.1-8b", "nvidia-h100-sxm-x8", "--devices", "12"), "no whole number of nodes of 8"),
        (("layouts", "llama-3.1-8b", "nvidia-h100-sxm-x8", "--tp", "5"), "the nearest that does is 4"),
        (("layouts", "llama-3.1-8b", "nvidia-h100-sxm-x8", "--precision", "int8"), "trains in none of int8"),
        (("layouts", "llama-3.1-8b", "nvidia-h100-sxm-x8", "--sequence", "1000000"), "longer than llama-3.1-8b allows: 131,072"),
        (("layouts", "resnet-50", "nvidia-h100-sxm-x8"), "is not a language model"),
        (("scale", "--loss", "1.5"), "floor is 1.8172"),
        (("scale", "--compute", "-3 FLOP"), "is not a positive number"),
        (("scale",), "give one of --compute, --loss and --parameters"),
        (("estimate", "llama-3.1-8b", "nvidia-h100-sxm-x8", "--train", "--pp", "5"), "The nearest that does: pp 4"),
    ],
)
def test_training_that_cannot_be(arguments: tuple[str, ...], said: str, refused: Refused) -> None:
    assert said in refused(*arguments)


def test_scale_as_json(planner: Callable[..., Any]) -> None:
    found = strict(planner("scale", "--compute", "1e22 FLOP", "--format", "json").out)
    assert found["parameters"] * found["tokens"] * 6 == pytest.approx(1e22) and "arXiv" in found["law"]["source"]


def test_layouts_as_a_table_say_what_was_dropped_and_why(planner: Callable[..., Any], own: Path) -> None:
    shown = planner("layouts", "llama-3.1-70b", "nvidia-h100-sxm-x8", "--devices", "64", "--global-batch", "64", "--top", "2")
    assert shown.status == 0 and "First ones dropped:" in shown.out and "of it to use" in shown.out
    nothing = planner("layouts", "llama-3.1-405b", "nvidia-h100-sxm-x8", "--devices", "8", "--global-batch", "8")
    assert nothing.status == 1 and "Nothing fits on 8 devices. It would from" in nothing.out


def test_a_system_that_nobody_prices_is_estimated_and_cannot_be_chosen(planner: Callable[..., Any], tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "title: t\nworkload: {model: llama-3.1-8b}\ntrain: {tokens: 10 billion, sequence_length: 8192, global_batch: 128}\n"
        "hardware: {systems: [nvidia-h100-sxm-x8, aws-trainium2-x16], max_devices: 64}\n"
    )
    found = strict(planner("compare", plan, "--format", "json").out)["candidates"]
    (trainium,) = [c for c in found if c["device"] == "aws-trainium2"]
    assert trainium["latency"]["duration"]["value"] > 0 and trainium["cost"]["value"] is None
    assert "has no price in the catalogue" in trainium["rejected"] and "without a price" in trainium["label"]


def test_own_shows_every_way_and_says_which_costs_least(own: Path, planner: Callable[..., Any]) -> None:
    offers = own / "offers" / "acme.yaml"
    offers.write_text(offers.read_text() + "      owned: {value: 200000 USD, date: 2026-01-01, source: list}\n")
    plan = own / "own.yaml"
    plan.write_text(OWN_OR_RENT.replace("[on_demand, spot]", "[on_demand, spot, owned]"))
    run = planner("own", plan, "--profiles", own)
    assert run.status == 0
    for said in ("2 × box, on demand", "2 × box, spot", "2 × box, owned", "owning pays from month", "Over 3 years 2 × box, spot"):
        assert said in run.out
    # 16 devices in 2 boxes at 20.00 for 438 h are 17,520.00 a month, and 630,720.00 in 36 of them
    assert "$17,520" in run.out and "$630,720" in run.out


def test_own_refuses_where_there_is_one_way_only(own: Path, refused: Callable[..., str]) -> None:
    plan = own / "own.yaml"
    plan.write_text(OWN_OR_RENT.replace("[on_demand, spot]", "[on_demand]"))
    assert "nothing to compare" in refused("own", plan, "--profiles", own)


ORIN_NANO = {
    "fp16": {"15w": (889.8, 8.76), "25w": (1320.0, 13.80), "maxn-super": (1439.2, 15.31)},
    "int8": {"15w": (1141.7, 7.49), "25w": (1537.4, 9.75), "maxn-super": (1662.8, 10.68)},
}
"""MobileNetV2 on an Orin Nano 8 GB developer kit by power mode: samples/s and watts (vdavid21/edge-inference-benchmark-lab,
results/energy/summary-6fc2633c8be2.md at 7e7b809)."""


@pytest.mark.parametrize("precision", sorted(ORIN_NANO))
def test_power_modes_slow_a_network_as_they_were_measured_to(precision: str, planner: Callable[..., Any]) -> None:
    """Within 15 % of the measured ratio to the mode without limits, and nothing measured draws more than its mode's budget."""
    asked = ("mobilenetv2", "nvidia-jetson-orin-nano-super", "--precision", precision, "--power-mode", "all", "--format", "json")
    found = strict(planner("estimate", *asked).out)["modes"]
    rate = {mode: s["figures"]["samples_per_s"]["value"] for mode, s in found.items()}
    measured = ORIN_NANO[precision]
    assert list(found) == list(measured)
    for mode, (samples, watts) in measured.items():
        assert rate[mode] / rate["maxn-super"] == pytest.approx(samples / measured["maxn-super"][0], rel=0.15)
        assert watts < found[mode]["power"]


def test_a_duty_cycle_is_shown_and_what_cannot_keep_up_is_status_1(planner: Callable[..., Any]) -> None:
    camera = ("estimate", "yolov8s", "nvidia-jetson-agx-orin-64gb", "--precision", "int8", "--rate", "15", "--battery", "500 Wh")
    run = planner(*camera, "--power-mode", "30w", "--streams", "4")
    assert run.status == 0
    for said in ("duty cycle", "streams at most", "energy a sample", "energy a day", "battery lasts", "7.6 W idle, 30 W at work"):
        assert said in run.out
    run = planner(*camera, "--power-mode", "all", "--streams", "4")
    assert run.status == 0 and "takes the least energy of those that can do it, if each draws" in run.out and "maxn" in run.out
    run = planner(*camera, "--power-mode", "15w", "--streams", "100")
    assert run.status == 1 and "cannot keep up" in run.err
    run = planner(*camera, "--power-mode", "all", "--streams", "1000")
    assert run.status == 1 and "None can do it." in run.out
    run = planner("estimate", "resnet-50", "nvidia-l4", "--rate", "15")
    assert run.status == 0 and "Nobody publishes what nvidia-l4 draws idle: no energy is estimated." in run.out


def test_modes_compared_say_which_costs_least_and_which_takes_the_least_energy(planner: Callable[..., Any]) -> None:
    asked = ("--samples", "60", "--latency", "1 s", "--precision", "int8", "--term", "owned", "--power-modes", "--format", "json")
    run = planner("compare", "--model", "yolov8s", "--system", "nvidia-jetson-agx-orin-64gb-x1", *asked)
    found = strict(run.out)
    assert {c["device"].partition("@")[2] for c in found["candidates"]} == {"15w", "30w", "50w", "maxn"}
    assert len({c["cost_parts"]["hardware"] / c["instances"] for c in found["candidates"]}) == 1
    assert any("costs least of its power modes" in said and "the least energy" in said for said in found["verdict"]["cautions"])
