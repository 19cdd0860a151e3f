"""The help of every verb, word for word: a change of it is seen in review."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
from syrupy.assertion import SnapshotAssertion

from planner.cli.main import app


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The command, and every one below it."""
    yield path
    for name, below in sorted(getattr(command, "commands", {}).items()):
        yield from verbs(below, (*path, name))


ALL = list(verbs(typer.main.get_command(app)))


@pytest.mark.parametrize("verb", ALL, ids=[" ".join(verb) or "planner" for verb in ALL])
def test_help(
    verb: tuple[str, ...], planner: Callable[..., Any], snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    run = planner(*verb, "--help")
    assert (run.status, run.err) == (0, "")
    assert run.out == snapshot


def test_every_verb_says_what_it_does_and_shows_an_example() -> None:
    assert {verb[0] for verb in ALL if verb} >= {"init", "report", "compare", "estimate", "validate", "hardware", "workloads"}
