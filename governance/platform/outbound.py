"""HTTP requests to other servers: receivers of webhooks, gateways, LiteLLM. All of them go through here.

- A redirect is an answer like any other and is not followed: secrets go to the address that was given and no other.
- The whole request has a deadline, from the connection to the end of the answer, so that a server that sends a little
  now and then does not hold a worker.
- Answers have a maximum size. Proxies are not used.
- A host name is resolved once. All its addresses are checked, and the connection goes to one that was checked, so that
  a name that means something else a moment later gains nothing (SSRF, DNS rebinding).
- Errors hold no secret and no text of a server (outbound_errors.py).
"""

import os
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum, auto
from http.client import HTTPException
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from governance.platform.outbound_errors import (
    AddressRefusedError,
    AnswerTooLongError,
    ConnectionClosedError,
    OutboundError,
    to_outbound_error,
)

CONNECT_SECONDS: Final = 5.0
MOST_ADDRESSES: Final = 3  # of one name are tried
LONGEST_QUOTE: Final = 200  # characters of what a server says
USER_AGENT: Final = "Stillwatch"
# Whether a connection may be made to this IP address.
AddressCheck = Callable[[str], bool]


class BodyLimit(Enum):
    """How much of an answer is read."""

    WHOLE = auto()  # a longer answer is an error
    CUT = auto()  # the beginning of a longer one
    FIRST_PART = auto()  # what comes with one read: for answers that may be streams


class OutboundResponse(NamedTuple):
    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes

    @property
    def redirects_to(self) -> str:
        return self.headers.get("Location", "") if 300 <= self.status < 400 else ""


class OutboundClient:
    """Sends requests to one server, one after another, over a connection that is kept open until the client is closed.

    Args:
        url: where the server is; anything after host and port is ignored.
        seconds: the deadline of each request as a whole; only the resolving of the name is not interrupted.
        most_bytes: the maximum size of an answer.
        secrets: what `quote` masks in the text of the server.
        is_allowed: the check of every address that the host name has; without one all are allowed.

    Raises OutboundError if the URL is not usable.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float,
        most_bytes: int,
        body: BodyLimit = BodyLimit.WHOLE,
        secrets: Collection[str] = (),
        is_allowed: AddressCheck | None = None,
    ) -> None:
        self._seconds, self._most_bytes, self._body = seconds, most_bytes, body
        self._secrets = [secret for secret in secrets if secret]
        self._is_allowed = is_allowed
        self._deadline: _Deadline  # of the present request
        self._has_sent = False
        self._pool = self._new_pool(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        self._pool.close()

    def request(
        self,
        method: str,
        target: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = False,
    ) -> OutboundResponse:
        """Send a request for `target`, a path with its query. Return the answer, whatever its status.

        Raises OutboundError. A request that `is_repeatable` is sent again, once, if the server has closed the kept
        connection in the meantime.
        """
        try:
            return self._request(method, target, content, headers or {})
        except ConnectionClosedError:
            if not is_repeatable or not self._has_sent:
                raise
            return self._request(method, target, content, headers or {})

    def quote(self, text: str) -> str:
        """Return text of the server for a message: without the secrets, and not too long."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text[:LONGEST_QUOTE]

    def _new_pool(self, url: str) -> urllib3.HTTPConnectionPool:
        options: dict[str, Any] = {"maxsize": 1, "retries": False, "client": self}
        try:
            parts = urlsplit(url)
            match parts.scheme, parts.hostname:
                case "http", str(host) if parts.port != 0:
                    return _HttpPool(host, parts.port, **options)
                case "https", str(host) if parts.port != 0:
                    return _HttpsPool(host, parts.port, ssl_context=ssl.create_default_context(), **options)
        except (HTTPError, ValueError):
            pass
        raise OutboundError("it has no usable address")

    def _request(self, method: str, target: str, content: bytes | None, headers: Mapping[str, str]) -> OutboundResponse:
        with self._time_limit():
            response = self._pool.urlopen(
                method,
                target or "/",
                body=content,
                headers={"User-Agent": USER_AGENT, **headers},
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=self._seconds),
                preload_content=False,
                decode_content=False,
            )
            try:
                received = self._read(response)
            finally:
                response.close()  # after the whole answer the connection is in the pool again already
            self._has_sent = True
            return OutboundResponse(response.status, response.headers, received)

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        if self._body is BodyLimit.FIRST_PART:
            return response.read1(self._most_bytes)
        received = response.read(self._most_bytes + 1)
        if len(received) > self._most_bytes and self._body is BodyLimit.WHOLE:
            raise AnswerTooLongError(self._most_bytes)
        return received[: self._most_bytes]

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """Cut the connection when the time is over, and turn every failure into an OutboundError."""
        with _Deadline(self._seconds) as deadline:
            self._deadline = deadline
            try:
                yield
            except (HTTPError, HTTPException, OSError, ValueError) as error:
                raise to_outbound_error(TimeoutError() if deadline.is_over else error) from None
        if deadline.is_over:  # what was cut off can look like a short answer
            raise to_outbound_error(TimeoutError())

    def watch(self, connected: socket.socket) -> None:
        """Let the deadline of the present request cut this connection."""
        self._deadline.watch(connected)

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a connection to one of the host's addresses. Raises AddressRefusedError, OSError."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if self._is_allowed is not None and not all(self._is_allowed(str(address[0])) for *_, address in found):
            raise AddressRefusedError
        failure: OSError = socket.gaierror()
        for family, kind, protocol, _, address in found[:MOST_ADDRESSES]:
            connected = socket.socket(family, kind, protocol)
            try:
                connected.settimeout(min(CONNECT_SECONDS, self._seconds))
                connected.connect(address)
            except OSError as error:
                connected.close()
                failure = error
            else:
                self.watch(connected)
                return connected
        raise failure


def send(
    method: str,
    url: str,
    *,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float,
    most_bytes: int,
    body: BodyLimit = BodyLimit.WHOLE,
    is_allowed: AddressCheck | None = None,
) -> OutboundResponse:
    """Send one request over a connection of its own, as `OutboundClient.request` does. Raises OutboundError."""
    with OutboundClient(url, seconds=seconds, most_bytes=most_bytes, body=body, is_allowed=is_allowed) as client:
        return client.request(method, target_of(url), content=content, headers=headers)


def target_of(url: str) -> str:
    """Return the path and the query of a URL, as a request names them."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _Deadline:
    """Shuts a connection down when the time is over, whatever another thread does with it."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._copy: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self.is_over = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._copy is not None:
            self._copy.close()

    def watch(self, connected: socket.socket) -> None:
        # A descriptor of our own: TLS takes the socket over, and urllib3 may let go of it before the answer ends.
        copy = socket.socket(fileno=os.dup(connected.fileno()))
        with self._lock:
            before, self._copy = self._copy, copy
            if self.is_over:
                self._shut_down()
        if before is not None:
            before.close()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._copy is not None:
            with suppress(OSError):
                self._copy.shutdown(socket.SHUT_RDWR)


class _Connection(HTTPConnection):
    """Connects where the client says."""

    def __init__(self, *args: Any, client: OutboundClient, **options: Any) -> None:
        super().__init__(*args, **options)
        self._client = client

    def _new_conn(self) -> socket.socket:
        return self._client.connect(self._dns_host, self.port)

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:  # a connection that was kept
            self._client.watch(self.sock)
        super().request(*args, **options)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
