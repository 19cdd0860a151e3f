"""A real server on this machine that answers well or badly, as its path says."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BODY = b"instance,region\n" + b"x" * 2000


class _Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        name = self.server.route(self.path.strip("/").partition("?")[0])
        self.server.asked[name] += 1
        self.server.questions.append(self.path)
        if name in self.server.files:
            kind, body = self.server.files[name]
            return self._send(200, body, kind)
        getattr(self, f"_{name.rpartition('/')[2].replace('-', '_')}", self._missing)()

    def _send(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def _good(self) -> None:
        self._send(200, BODY)

    def _missing(self) -> None:
        self._send(404, b"not found")

    def _broken(self) -> None:
        self._send(500, b"sorry")

    def _busy_twice(self) -> None:
        self._send(503 if self.server.asked["busy-twice"] < 3 else 200, BODY)

    def _too_many(self) -> None:
        self._send(429 if self.server.asked["too-many"] < 2 else 200, BODY)

    def _cut_off(self) -> None:
        self._send(200, BODY[:100], length=str(len(BODY)))
        self.close_connection = True

    def _cut_off_once(self) -> None:
        self._cut_off() if self.server.asked["cut-off-once"] < 2 else self._good()

    def _slow(self) -> None:
        self.server.closing.wait(5)

    def _dripping(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while not self.server.closing.wait(0.05):
            self.wfile.write(b".")
            self.wfile.flush()

    def _page(self) -> None:
        self._send(200, b"<html>Sign in to the network</html>", "text/html")

    def _endless(self) -> None:
        self._send(200, b"x" * 5_000_000)

    def _loop(self) -> None:
        self._send(302, b"", Location="/loop")

    def _moved(self) -> None:
        self._send(301, b"", Location="/good")

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.questions: list[str] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.closing = threading.Event()

    def route(self, path: str) -> str:
        """What a path asks for."""
        return path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A client that went away is what the tests are about."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Started in a thread, stopped after the test."""
    found = Server()
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        found.closing.set()
        found.shutdown()
        thread.join()
        found.server_close()
