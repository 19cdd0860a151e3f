"""Bytes from an address: with time-outs, a limit of size, retries that wait longer each time, and nothing half read.

httpx speaks HTTP and tenacity retries (extra ``prices``); a proxy in the environment is used as httpx does.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner import __version__
from planner.errors import InputError, printable

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Patience:
    """How long and how often to try, and how much to take."""

    connect: float = 10.0
    """Seconds to a connection."""
    read: float = 20.0
    """Seconds between two pieces."""
    total: float = 180.0
    """Seconds for a whole answer, however steadily it drips."""
    attempts: int = 4
    wait: float = 1.0
    """Seconds before the second attempt; twice as long before each further one."""
    most: int = 64_000_000
    """Bytes of an answer."""
    redirects: int = 5


class UnavailableError(InputError):
    """Something that is not there now and may be later."""


class Fetcher:
    """Fetches over one connection pool; a context manager."""

    def __init__(self, patience: Patience | None = None) -> None:
        try:
            import httpx
            import tenacity
        except ImportError:
            raise InputError("prices are fetched with the extra 'prices'", hint="pip install 'planner[prices]'") from None
        self._httpx, self._tenacity = httpx, tenacity
        self.patience = patience or Patience()
        self._client = httpx.Client(
            timeout=httpx.Timeout(self.patience.read, connect=self.patience.connect),
            follow_redirects=True,
            max_redirects=self.patience.redirects,
            headers={"User-Agent": f"planner/{__version__}"},
        )

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, kinds: tuple[str, ...]) -> bytes:
        """The body at ``url``; its content type must contain one of ``kinds``.

        InputError where it is not that, too large, or somewhere else; UnavailableError where every attempt failed.
        """
        retrying = self._tenacity.Retrying(
            retry=self._tenacity.retry_if_exception_type(UnavailableError),
            stop=self._tenacity.stop_after_attempt(self.patience.attempts),
            wait=self._tenacity.wait_exponential(multiplier=self.patience.wait, max=30),
            reraise=True,
        )
        body: bytes = retrying(self._once, url, kinds)
        return body

    def _once(self, url: str, kinds: tuple[str, ...]) -> bytes:
        httpx = self._httpx
        try:
            with self._client.stream("GET", url) as response:
                self._answered(response, url, kinds)
                return self._body(response, url)
        except httpx.TooManyRedirects:
            raise InputError(f"redirects more than {self.patience.redirects} times", where=printable(url, 200)) from None
        except httpx.TimeoutException:
            raise UnavailableError("did not answer in time", where=printable(url, 200)) from None
        except httpx.TransportError as error:
            what = f"the connection failed: {printable(str(error) or type(error).__name__, 120)}"
            raise UnavailableError(what, where=printable(url, 200)) from None
        except (httpx.InvalidURL, httpx.HTTPError, ValueError) as error:
            raise InputError(f"is not an address to fetch: {printable(str(error), 120)}", where=printable(url, 200)) from None

    def _answered(self, response: "httpx.Response", url: str, kinds: tuple[str, ...]) -> None:
        where = printable(url, 200)
        if url.startswith("https:") and response.url.scheme != "https":
            raise InputError("leads to an address without encryption", where=where)
        if response.status_code == 429 or response.status_code >= 500:
            raise UnavailableError(f"answered {response.status_code}", where=where)
        if response.status_code != 200:
            raise InputError(f"answered {response.status_code}", where=where)
        kind = response.headers.get("content-type", "")
        if not any(k in kind for k in kinds):
            raise InputError(f"is '{printable(kind)}', not {' or '.join(kinds)}", where=where)

    def _body(self, response: "httpx.Response", url: str) -> bytes:
        start, parts, size = time.monotonic(), [], 0
        for part in response.iter_bytes():
            size += len(part)
            if size > self.patience.most:
                raise InputError(f"is larger than {self.patience.most / 1e6:g} MB", where=printable(url, 200))
            if time.monotonic() - start > self.patience.total:
                raise UnavailableError(f"took longer than {self.patience.total:g} s", where=printable(url, 200))
            parts.append(part)
        return b"".join(parts)
