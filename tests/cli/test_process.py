"""What only a process of its own shows: pipes, signals, encodings, status, streams, and rights."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PLANNER = Path(sys.executable).with_name("planner")
PLAIN = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8", "COLUMNS": "80"}


def run(*arguments: object, stdin: bytes = b"", **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """The installed command with a plain environment."""
    command = [str(PLANNER), *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, env=PLAIN | environment, check=False, timeout=60)


def test_a_plan_from_stdin_and_a_report_to_stdout(own: Path) -> None:
    plan = (own / "plan.yaml").read_bytes()
    for arguments in (("report", "-", "--format", "md"), ("report", "-", "--format", "md", "-o", "-"), ("compare", "-")):
        done = run(*arguments, "--profiles", own, stdin=plan)
        assert done.returncode == 0, done.stderr
        assert b"Where should it run?" in done.stdout
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        (b"", b"stdin:1: expected fields"),
        (b"\xff", b"stdin:1: is not UTF-8 text"),
        (b"a: \0", b"stdin:1: is not text"),
        (b"[" * 1000, b"stdin:1: is nested deeper"),
        (b"x" * 1_000_001, b"stdin: is larger than 1 MB"),
        (b"title: x\nfoo: 1\n", b"stdin:2:1 foo: unknown field 'foo'"),
    ],
)
def test_a_wrong_plan_from_stdin(stdin: bytes, says: bytes) -> None:
    for verb in ("report", "compare"):
        done = run(verb, "-", stdin=stdin)
        assert (done.returncode, done.stdout) == (2, b"")
        assert says in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("workloads", "list"), ("workloads", "show", "gpt2", "--format", "json"), ("--help",)])
def test_a_reader_that_goes_away_is_no_error(arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([str(PLANNER), *arguments], stdout=write, stderr=subprocess.PIPE, env=PLAIN, check=False, timeout=60)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 0 or arguments == ("--help",)  # Typer prints its help itself and ends with 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [("workloads", "list"), ("init", "-o", "-"), ("--version",)])
def test_a_full_disk_behind_stdout_is_one_message(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([str(PLANNER), *arguments], stdout=full, stderr=subprocess.PIPE, env=PLAIN, check=False, timeout=60)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr and b"No space left" in done.stderr


def test_a_device_or_pipe_is_written_into_not_replaced(own: Path) -> None:
    pipe = own / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [str(PLANNER), "report", own / "plan.yaml", "--profiles", own, "--format", "md", "-o", pipe],
        stdout=subprocess.DEVNULL,
        env=PLAIN,
    ) as process:
        text = pipe.read_text()
        assert process.wait(60) == 0
    assert "Where should it run?" in text and pipe.is_fifo()


def test_an_interrupt_is_status_130(own: Path) -> None:
    pipe = own / "plan-pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen([str(PLANNER), "report", pipe], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=PLAIN)
    with process, pipe.open("wb"):  # opens once the planner reads, which then waits for text
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b"" and b"Traceback" not in err


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}]
)
def test_a_terminal_of_few_characters(environment: dict[str, str], own: Path) -> None:
    done = run("compare", own / "plan.yaml", "--profiles", own, **environment)
    assert done.returncode == 0, done.stderr
    assert b"box, on demand" in done.stdout


@pytest.mark.parametrize(
    "environment", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "xterm-256color", "CLICOLOR_FORCE": "1"}]
)
def test_no_colour_in_a_pipe(environment: dict[str, str], own: Path) -> None:
    for arguments in (("--help",), ("report", "none.yaml"), ("estimate",), ("compare", own / "plan.yaml", "--profiles", own)):
        done = run(*arguments, **environment)
        assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_each_shell(shell: str) -> None:
    """Typer looks for the shell it runs under, and takes its name only where it is told not to look."""
    done = run("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0 and b"_PLANNER_COMPLETE" in done.stdout.upper()


def test_completion_offers_the_verbs() -> None:
    done = run(_PLANNER_COMPLETE="complete_bash", COMP_WORDS="planner re", COMP_CWORD="1")
    assert done.stdout.split() == [b"report"]


def test_a_name_that_is_not_utf8(own: Path) -> None:
    done = run("report", os.fsdecode(b"no-\xff.yaml"))
    assert (done.returncode, done.stdout) == (2, b"") and b"No such file" in done.stderr
    odd = own / os.fsdecode(b"odd-\xff\x1b.yaml")
    (own / "plan.yaml").rename(odd)
    done = run("report", odd, "--profiles", own)
    assert done.returncode == 0 and b"\x1b" not in done.stdout + done.stderr


def test_a_file_that_may_not_be_read_or_written(own: Path) -> None:
    """Root may read and write everything unless it gives that right up."""
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if bound and (not shutil.which("setpriv") or subprocess.run([*bound, "true"], check=False).returncode):
        pytest.skip("root cannot give up its rights here")
    command = [*bound, str(PLANNER), "report", str(own / "plan.yaml"), "--profiles", str(own)]
    (own / "plan.yaml").chmod(0)
    done = subprocess.run(command, capture_output=True, check=False, env=PLAIN, timeout=60)
    assert (done.returncode, done.stdout) == (2, b"") and b"plan.yaml" in done.stderr and b"Traceback" not in done.stderr
    assert b"not readable" in done.stderr or b"Permission denied" in done.stderr  # Typer may see it first
    (own / "plan.yaml").chmod(0o644)
    (own / "report.html").write_text("old")
    own.chmod(0o555)
    done = subprocess.run(command, capture_output=True, check=False, env=PLAIN, timeout=60)
    own.chmod(0o755)
    assert done.returncode == 2 and b"cannot be written: Permission denied" in done.stderr
    assert done.stdout == b"" and (own / "report.html").read_text() == "old"
