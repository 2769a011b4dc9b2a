"""Forward requests of gateways that arrive at the web server to the process of the check.

For trying it out, and where one port is all there is. It takes a thread of the web server for as long as a request
lasts, so only some at a time, and half of the threads at most: filling them blocks neither the pages nor the check at
its own port.
"""

import http.client
import string
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

from governance.gateways.check.app import LOADING_SECONDS, PROTOCOLS
from governance.gateways.check.feed_endpoints import CHANGES_AT, SNAPSHOT_AT
from governance.gateways.check.feed_requests import LONGEST_WAIT
from governance.web.wsgi_problems import Application, problem_answer

FEED_PATHS: Final = {SNAPSHOT_AT, CHANGES_AT}
AT_ONCE: Final = 64
ANSWER_SECONDS: Final = LONGEST_WAIT + LOADING_SECONDS
HOP_BY_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "server", "date"}
_PIECE: Final = 2**16
_ASCII: Final = string.punctuation


def is_check_path(path: str) -> bool:
    """Return True if gateways ask at this path."""
    return path in FEED_PATHS or PROTOCOLS.find(path) is not None


def forwarded_at_once(threads: int) -> int:
    """Return how many requests a web server with so many threads forwards at a time."""
    return max(1, min(AT_ONCE, threads // 2))


class ForwardToCheck:
    """WSGI middleware. `check_url` is where the process of the check listens, such as `http://127.0.0.1:8001`."""

    def __init__(self, application: Application, check_url: str, *, at_once: int = AT_ONCE) -> None:
        self._application = application
        address = urlsplit(check_url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._free = threading.BoundedSemaphore(at_once)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not is_check_path(environ["PATH_INFO"]):
            return self._application(environ, start_response)
        if not self._free.acquire(blocking=False):
            return problem_answer(
                start_response, HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests here. Use the port of the check."
            )
        answer = _Forwarded(self._host, self._port, self._free.release)
        try:
            return answer.begin(environ, start_response)
        except (OSError, http.client.HTTPException):
            answer.close()
            return problem_answer(start_response, HTTPStatus.SERVICE_UNAVAILABLE, "The check does not answer.")
        except BaseException:
            answer.close()
            raise


class _Forwarded:
    """One request on its way; `close` is called by the web server when it has been answered, or the asker has gone."""

    def __init__(self, host: str, port: int, closed: Callable[[], None]) -> None:
        self._caller, self._closed = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS), closed
        self._answer: http.client.HTTPResponse

    def begin(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Raises OSError, HTTPException."""
        address = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:")
        if query := environ.get("QUERY_STRING", ""):
            address += f"?{quote(query.encode('latin-1'), safe=_ASCII)}"  # it is quoted but for what is not ASCII
        self._caller.putrequest(environ["REQUEST_METHOD"], address, skip_host=True, skip_accept_encoding=True)
        for name, value in _headers(environ):
            self._caller.putheader(name, value.encode("latin-1", "replace"))
        body = _body(environ)
        if body is not None:
            self._caller.putheader("Content-Length", str(len(body)))
        self._caller.endheaders(body)
        self._answer = self._caller.getresponse()
        headers = [(name, value) for name, value in self._answer.getheaders() if name.lower() not in HOP_BY_HOP]
        start_response(f"{self._answer.status} {self._answer.reason}", headers)
        return self

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._answer.read1(_PIECE):
            yield piece

    def close(self) -> None:
        self._caller.close()
        self._closed()


def _headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if kind := environ.get("CONTENT_TYPE"):
        yield "Content-Type", kind
    for name, value in environ.items():
        if name.startswith("HTTP_") and name[5:].replace("_", "-").lower() not in HOP_BY_HOP:
            yield name[5:].replace("_", "-").title(), value


def _body(environ: dict[str, Any]) -> bytes | None:
    length = environ.get("CONTENT_LENGTH") or ""
    return bytes(environ["wsgi.input"].read(int(length))) if length.isdigit() else None
