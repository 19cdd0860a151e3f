"""Fetching from a server that misbehaves: every fault is one message, and nothing half read is given."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from planner.catalogue.prices.fetch import Fetcher, Patience, UnavailableError
from planner.errors import InputError

BODY = b"instance,region\n" + b"x" * 2000
HASTY = Patience(connect=1, read=0.3, total=0.6, attempts=3, wait=0.001, most=1_000_000, redirects=3)
PLAIN = ("text/plain",)


@pytest.fixture
def fetcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetcher]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Fetcher(HASTY) as found:
        yield found


@pytest.mark.parametrize("name", ["good", "moved", "busy-twice", "too-many", "cut-off-once"])
def test_what_is_right_in_the_end_is_given(name: str, server: Any, fetcher: Fetcher) -> None:
    assert fetcher.get(f"{server.url}/{name}", PLAIN) == BODY
    assert server.asked[name] == {"busy-twice": 3, "too-many": 2, "cut-off-once": 2}.get(name, 1)


@pytest.mark.parametrize(
    ("name", "says", "asked"),
    [
        ("broken", "answered 500", 3),
        ("cut-off", "the connection failed", 3),
        ("slow", "did not answer in time", 3),
        ("dripping", "took longer than 0.6 s", 3),
        ("missing", "answered 404", 1),
        ("page", "is 'text/html', not text/plain", 1),
        ("endless", "is larger than 1 MB", 1),
        ("loop", "redirects more than 3 times", 4),
    ],
)
def test_what_stays_wrong_is_one_message(name: str, says: str, asked: int, server: Any, fetcher: Fetcher) -> None:
    """What may be there later is tried three times; the rest is not asked for again."""
    with pytest.raises(InputError) as caught:
        fetcher.get(f"{server.url}/{name}", PLAIN)
    assert says in caught.value.what and f"{server.url}/{name}" in caught.value.where
    assert isinstance(caught.value, UnavailableError) == (asked == 3)
    assert server.asked[name] == asked


def test_nobody_listens(fetcher: Fetcher) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UnavailableError, match="the connection failed"):
            fetcher.get(f"http://127.0.0.1:{taken.getsockname()[1]}/x", PLAIN)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://[", "/etc/passwd"])
def test_what_is_no_address(url: str, fetcher: Fetcher) -> None:
    with pytest.raises(InputError):
        fetcher.get(url, PLAIN)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, refused: Callable[..., InputError]) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    assert "planner[prices]" in refused(Fetcher).hint
