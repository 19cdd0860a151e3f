"""The live view over a real socket: the page, its state, a plan that breaks and is mended, and who may ask."""

import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.errors import InputError
from planner.report import live as view
from planner.report.live import Live, server, watch


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text("one")
    return path


@pytest.fixture
def live(plan: Path) -> Live:
    def render() -> str:
        text = plan.read_text()
        if text == "wrong":
            raise InputError("is wrong", where=f"{plan}:1")
        return f"<p>{text}</p>"

    return Live(plan, render)


@pytest.fixture
def port(live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(view, "EVERY", 0.01)
    live.look()
    made, stop, told = server(live, 0), threading.Event(), threading.Event()
    thread = threading.Thread(target=watch, args=(live, made, lambda _: told.set(), stop))
    thread.start()
    yield int(made.server_address[1])
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def ask(port: int, path: str, host: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def wait(port: int, done: str, key: str) -> dict[str, object]:
    for _ in range(1000):
        state: dict[str, object] = json.loads(ask(port, "/state")[1])
        if done in str(state[key]):
            return state
        threading.Event().wait(0.01)
    raise AssertionError(state)


def rewrite(plan: Path, text: str) -> None:
    """At once, so that nobody sees it empty, and later by its clock than what it replaces."""
    before, beside = plan.stat(), plan.with_suffix(".new")
    beside.write_text(text)
    os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns + 10_000_000))
    beside.replace(plan)


def test_the_page_is_rendered_again_when_the_plan_changes(port: int, plan: Path) -> None:
    assert ask(port, "/report/1") == (200, "<p>one</p>") and "iframe" in ask(port, "/")[1]
    rewrite(plan, "two")
    assert wait(port, "2", "version")["error"] == ""
    assert ask(port, "/report/2")[1] == "<p>two</p>"


def test_a_wrong_plan_keeps_the_last_page_and_says_what_is_wrong(port: int, plan: Path) -> None:
    rewrite(plan, "wrong")
    state = wait(port, "is wrong", "error")
    assert state["version"] == 1 and ask(port, "/report/1")[1] == "<p>one</p>"
    rewrite(plan, "mended")
    assert wait(port, "2", "version")["error"] == ""


def test_nobody_else_is_served(port: int) -> None:
    assert ask(port, "/state", "evil.test:80")[0] == 403
    assert ask(port, "/etc/passwd")[0] == 404 and ask(port, "/report/../../x")[0] in (200, 404)


def test_a_port_in_use_is_one_message(port: int, live: Live) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        server(live, port)
