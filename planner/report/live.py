"""The live view: a report on 127.0.0.1 from the standard library's server, rendered again when its plan changes.

The page itself stays what it is: a file without a network. The server wraps it in a frame of its own whose one script asks
whether there is a newer one, so that scroll position and settings survive (they stand in the frame's address).
"""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from planner.errors import InputError

EVERY = 0.5  # seconds between looks at the plan
FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><title>planner: live view</title>
<style>html,body,iframe{{margin:0;width:100%;height:100%;border:0;display:block}}
#said{{position:fixed;left:0;right:0;bottom:0;margin:0;padding:8px 16px;background:#a5301f;color:#fff;font:14px sans-serif}}
#said{{white-space:pre-wrap}}
</style><iframe id="page" title="The report"></iframe><p id="said" role="alert" hidden></p>
<script>
(function () {{
  var page = document.getElementById("page"), said = document.getElementById("said"), seen = -1;
  function show(text) {{
    var y = 0, hash = "";
    try {{ y = page.contentWindow.scrollY; hash = page.contentWindow.location.hash; }} catch (error) {{ /* the first */ }}
    page.onload = function () {{ try {{ page.contentWindow.scrollTo(0, y); }} catch (error) {{ /* moved away */ }} }};
    page.src = "/report/" + text + (hash || location.hash);
  }}
  function ask() {{
    fetch("/state").then(function (answer) {{ return answer.json(); }}).then(function (state) {{
      said.hidden = !state.error; said.textContent = state.error;
      if (state.version !== seen) {{ seen = state.version; show(seen); }}
    }}).catch(function () {{ said.hidden = false; said.textContent = "The planner has stopped."; }});
  }}
  ask(); setInterval(ask, {milliseconds});
}})();
</script></html>
"""


class Live:
    """What is served: the latest page, how many there were, and the message of a plan that cannot be rendered."""

    def __init__(self, plan: Path, render: Callable[[], str]) -> None:
        self.plan, self.render = plan, render
        self.page, self.version, self.error = "", 0, ""
        self._stamp: tuple[int, int] | None = None

    def look(self) -> bool:
        """Render again if the plan's file changed; whether anything did."""
        try:
            status = self.plan.stat()
            stamp = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp = (0, 0)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self.page, self.error = self.render(), ""
            self.version += 1
        except InputError as error:
            self.error = str(error)
        return True


def server(live: Live, port: int) -> ThreadingHTTPServer:
    """A server of the live view on 127.0.0.1; ``port`` 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            import json

            path = self.path.partition("?")[0]
            if self.headers.get("Host", "").rpartition(":")[0] not in ("127.0.0.1", "localhost"):
                self.send_error(403)  # another name that was pointed here
            elif path == "/":
                self._send(FRAME.format(milliseconds=int(EVERY * 1000)), "text/html")
            elif path == "/state":
                self._send(json.dumps({"version": live.version, "error": live.error}), "application/json")
            elif path.startswith("/report/"):
                self._send(live.page, "text/html")
            else:
                self.send_error(404)

        def _send(self, text: str, kind: str) -> None:
            body = text.encode("utf-8", "replace")
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing: stderr is for the planner's own messages."""

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise InputError(f"port {port} cannot be used: {error.strerror}", where="--port", hint="0 takes a free one.") from None


def watch(live: Live, made: ThreadingHTTPServer, told: Callable[[Live], None], stop: threading.Event) -> None:
    """Serve until ``stop``; ``told`` hears of every page that was rendered, and of every plan that could not be."""
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        while not stop.wait(EVERY):
            if live.look():
                told(live)
    finally:
        made.shutdown()
        made.server_close()
