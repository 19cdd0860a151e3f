"""The command line called in this process, with the profiles of tests/catalogue/own."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from planner.cli.main import main

OWN = Path(__file__).parents[1] / "catalogue" / "own"


class Run(NamedTuple):
    """What a call left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of our own profiles and plan; the working directory is another, empty one."""
    empty = tmp_path / "cwd"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.delenv("PLANNER_PROFILES", raising=False)
    return Path(shutil.copytree(OWN, tmp_path / "own"))


@pytest.fixture
def planner(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Calls the entry point with arguments."""

    def call(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["planner", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Run(int(ended.value.code or 0), out, err)

    return call


@pytest.fixture
def refused(planner: Callable[..., Run]) -> Callable[..., str]:
    """Calls the entry point, which must refuse with one message on stderr; gives the message."""

    def call(*arguments: object) -> str:
        run = planner(*arguments)
        assert run.status == 2
        assert run.out == ""
        assert run.err.startswith("planner: ") and run.err.count("planner: ") == 1
        assert "Traceback" not in run.err and len(run.err.splitlines()) <= 3
        assert run.err.replace("\n", "").isprintable()
        return run.err

    return call
