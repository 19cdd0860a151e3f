"""``planner bench`` as a process: records appear whole, an interrupt keeps what was measured, wrong input is one message."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
PLANNER = Path(sys.executable).with_name("planner")


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
        "PLANNER_HOME": str(home),
    }


def bench(home: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [str(PLANNER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(home), check=False, timeout=120)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one quick record of what a call costs."""
    folder = tmp_path_factory.mktemp("home")
    arguments = ("bench", "--tier", "quick", "--suite", "overhead", "--suite", "matmul", "--threads", 1, "--device", "cpu")
    done = bench(folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert [str(p) for p in (folder / "measurements").iterdir()] == [done.stdout.strip()]
    return folder


def test_a_record_is_shown_compared_and_made_a_profile_of(home: Path, tmp_path: Path) -> None:
    shown = bench(home, "bench", "show", "latest")
    assert shown.returncode == 0 and "overhead" in shown.stdout and "Roofline" in shown.stdout
    cells = bench(home, "bench", "show", "--suite", "matmul")
    assert "m 1024 n 1024" in cells.stdout
    raw = json.loads(bench(home, "bench", "show", "--format", "json").stdout)
    assert raw["selection"]["threads"] == 1 and len(raw["cells"]) >= 10 and raw["canaries"]
    same = bench(home, "bench", "compare", "latest", "latest")
    assert same.returncode == 0 and "1.00×" in same.stdout
    made = bench(home, "bench", "profile", "-o", tmp_path / "mine")
    assert made.returncode == 0, made.stderr
    assert bench(home, "hardware", "check", "--profiles", tmp_path / "mine").returncode == 0
    assert bench(home, "bench", "profile", "-o", tmp_path / "mine").returncode == 2  # never overwritten


def test_a_network_is_predicted_and_kept(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "trials.json"
    done = bench(home, "bench", "--suite", "elementwise", "--suite", "gather", "--suite", "matmul", "--suite", "overhead",
                 "--tier", "quick", "--threads", 1, "--device", "cpu", "-o", tmp_path / "r.json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = bench(
        home, "bench", "verify", tmp_path / "r.json", "--network", "dlrm infer bf16 b128", "--device", "cpu", "-o", kept
    )
    assert shown.returncode == 0 and "With its own operations replayed" in shown.stdout, shown.stderr
    again = bench(home, "bench", "verify", tmp_path / "r.json", "--trials", kept)
    assert again.stdout == shown.stdout


def test_an_interrupt_keeps_what_was_measured_and_resume_goes_on(tmp_path: Path) -> None:
    command = [str(PLANNER), "bench", "--suite", "elementwise", "--threads", "1", "--device", "cpu"]
    process = subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    folder = tmp_path / "measurements"
    for _ in range(600):
        kept = [line for file in folder.glob("*.partial") for line in file.read_text().splitlines()] if folder.exists() else []
        if len(kept) > 10:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume" in said
    journal = next(folder.glob("*.partial"))
    before = [json.loads(line) for line in journal.read_text().splitlines()]
    done = bench(tmp_path, "bench", "--resume", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert not journal.exists()
    record = json.loads(Path(done.stdout.strip()).read_text())["record"]
    first = [e["cell"] for e in before if "cell" in e]
    assert record["cells"][: len(first)] == first and len(record["cells"]) > len(first)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("bench", "--suite", "matmull"), "Did you mean matmul"),
        (("bench", "--device", "cudda"), "unknown device"),
        (("bench", "--device", "cpu", "--network", "burt"), "Did you mean bert"),
        (("bench", "--tier", "slow"), "quick or standard"),
        (("bench", "--resume"), "no interrupted run"),
        (("bench", "show", "20990101"), "unknown record"),
        (("calibrate", "--from-csv", "{csv}"), "--device ID"),
        (("calibrate", "--from-csv", "{csv}", "--device", "nvidia-l5"), "nvidia-l4"),
        (("calibrate", "--from-csv", "{csv}", "--device", "nvidia-l4"), "a fit needs at least"),
        (("calibrate", "--from-bench", "latest"), "planner bench profile"),
    ],
)
def test_wrong_input_is_one_message(home: Path, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    csv = tmp_path / "k.csv"
    csv.write_text("law,m,n,k,dtype,microseconds\nmatmul,1,4096,4096,bf16,130\n")
    done = bench(
        home,
        *[a.replace("{csv}", str(csv)) for a in arguments],
        *(["-o", str(tmp_path / "out")] if "calibrate" in arguments else []),
    )
    assert done.returncode == 2, done.stdout
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_there_stays(home: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("mine")
    assert bench(home, "bench", "--tier", "quick", "-o", there).returncode == 2 and there.read_text() == "mine"


def test_two_runs_at_once_both_leave_a_record(tmp_path: Path) -> None:
    command = [str(PLANNER), "bench", "--tier", "quick", "--suite", "overhead", "--threads", "1", "--device", "cpu"]
    both = [
        subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)
    ]
    assert [p.wait(timeout=120) for p in both] == [0, 0]
    for p in both:
        assert p.stdout
        p.stdout.close()
    assert len(list((tmp_path / "measurements").glob("*.json"))) == 2


def test_collectives_among_two_processes(tmp_path: Path) -> None:
    out = tmp_path / "cells"
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        "-m",
        "planner.measure.together",
    ]
    done = subprocess.run([*command, str(out), "cpu", "quick"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    cells = [json.loads(line)["operation"] for line in out.read_text().splitlines()]
    assert {c["variant"] for c in cells} == {"all_reduce", "all_gather"} and all(c["shape"]["ranks"] == 2 for c in cells)
