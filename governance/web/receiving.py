"""An event loop receives the bodies of requests, under deadlines, before a thread answers: who is slow holds no thread.

Anybody may send a body to a page, such as that for signing in; each network has a quota of those. What machines send
is received only from those who show a usable service key, and each key has a quota of its own. A view gets a body
whole and with its length, which Django needs.
"""

import asyncio
import io
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple

from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError

from governance.staff.client_address import client_network
from governance.web.api_responses import FOR_MACHINES
from governance.web.threads import BODY, Receive, Scope, Send
from governance.web.wsgi_problems import problem_parts
from stillwatch_gateway.keys import bearer_token

KEPT_IN_MEMORY: Final = 2**19


class Limits(NamedTuple):
    """How many bodies a process receives at once, and how long and large they may be."""

    of_a_key: int
    of_a_network: int = 128  # to pages, where no key is shown
    of_gateways: int = 64
    bodies: int = 2048
    bytes: int = 2**30  # of all bodies that are not answered yet
    bytes_of_a_kind: int = 2**28  # … and of one key, or one network
    longest: int = 64 * 2**20
    longest_form: int = 2_621_440
    first_seconds: float = 10.0  # until the first piece
    seconds: float = 30.0  # for the whole, and longer only as far as so many bytes came for each further second:
    slowest: int = 16 * 1024


class RefusedBodyError(Exception):
    """Nothing more of a body is received: the status and the detail of the answer."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status

    async def send_to(self, send: Send) -> None:
        headers, body = problem_parts(self.status, str(self))
        sent = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": self.status.value, "headers": sent})
        await send({"type": "http.response.body", "body": body})


class _Kind(NamedTuple):
    """By what a body is counted, and what is answered where there are too many of its kind."""

    counted_as: Hashable
    most: int
    longest: int
    too_many: RefusedBodyError


class ReceiveBodies:
    """ASGI middleware that hands requests on once their bodies are there.

    Args:
        is_usable: says of a service key whether what is sent with it may be received. Raises DatabaseError.
        is_forwarded: says of a path whether it is handed on to the check, which looks at keys by itself.
        drops_at_429: says of a path whether its senders give up at 429, so that they get 503.
    """

    def __init__(
        self,
        application: Callable[[Scope, Receive, Send], Awaitable[None]],
        limits: Limits,
        *,
        is_usable: Callable[[str], Awaitable[bool]],
        is_forwarded: Callable[[str], bool],
        drops_at_429: Callable[[str], bool],
    ) -> None:
        self._application, self._limits = application, limits
        self._is_usable, self._is_forwarded, self._drops_at_429 = is_usable, is_forwarded, drops_at_429
        self._receiving: Counter[Hashable] = Counter()
        self._held, self._bytes = Counter[Hashable](), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._application(scope, receive, send)
            return
        body = _HeldBody()
        try:
            kind = await self._kind(scope)
            if kind is None:  # the view says who may send
                await self._application({**scope, BODY: _NotReceived()}, receive, send)
                return
            with self._place(kind):
                await self._receive(scope, receive, kind, body)
            await self._application(_with_length(scope, body), receive, send)
        except RefusedBodyError as refused:
            await refused.send_to(send)
        finally:
            self._forget(body)

    def _forget(self, body: "_HeldBody") -> None:
        self._bytes -= body.size
        self._held[body.counted_as] -= body.size
        if not self._held[body.counted_as]:
            del self._held[body.counted_as]
        body.file.close()

    async def _kind(self, scope: Scope) -> _Kind | None:
        """None where nothing is to be received. Raises RefusedBodyError."""
        path, limits = scope["path"], self._limits
        if self._is_forwarded(path):
            refusal = RefusedBodyError(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests here. Use the port of the check."
            )
            return _Kind("gateways", limits.of_gateways, limits.longest, refusal)
        if not f"{path}/".startswith(FOR_MACHINES):
            refusal = RefusedBodyError(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many forms are sent at once; send it again."
            )
            network = client_network(ASGIRequest(dict(scope), io.BytesIO()))
            return _Kind(("page", network), limits.of_a_network, limits.longest_form, refusal)
        secret = bearer_token(_header(scope, b"authorization"))
        try:
            if secret is None or not await self._is_usable(secret):
                return None
        except DatabaseError as error:
            detail = "The database does not answer; nothing was saved. Send the request again."
            raise RefusedBodyError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error
        status = HTTPStatus.SERVICE_UNAVAILABLE if self._drops_at_429(path) else HTTPStatus.TOO_MANY_REQUESTS
        detail = (
            f"At most {limits.of_a_key} bodies of one service key are received at once, and "
            f"{limits.bytes_of_a_kind:,} bytes. Send this again later."
        )
        return _Kind(("key", secret), limits.of_a_key, limits.longest, RefusedBodyError(status, detail))

    @contextmanager
    def _place(self, kind: _Kind) -> Iterator[None]:
        """Raises RefusedBodyError where too many bodies are being received."""
        if self._receiving[kind.counted_as] >= kind.most or self._receiving.total() >= self._limits.bodies:
            raise kind.too_many
        self._receiving[kind.counted_as] += 1
        try:
            yield
        finally:
            self._receiving[kind.counted_as] -= 1
            if not self._receiving[kind.counted_as]:
                del self._receiving[kind.counted_as]

    async def _receive(self, scope: Scope, receive: Receive, kind: _Kind, body: "_HeldBody") -> None:
        """Raises RefusedBodyError."""
        if _header(scope, b"transfer-encoding").strip().lower() not in {"", "chunked"}:
            raise RefusedBodyError(HTTPStatus.NOT_IMPLEMENTED, "Send the body as it is, or in chunks.")
        too_large = RefusedBodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send at most {kind.longest} bytes.")
        if int(_header(scope, b"content-length") or 0) > kind.longest:
            raise too_large
        body.counted_as = kind.counted_as
        began, more = asyncio.get_running_loop().time(), True
        while more:
            message = await self._next(receive, until=began + self._seconds(body.size))
            if message["type"] == "http.disconnect":
                raise RefusedBodyError(HTTPStatus.BAD_REQUEST, "The body is incomplete.")
            piece, more = message.get("body", b""), message.get("more_body", False)
            body.size += len(piece)
            self._held[body.counted_as] += len(piece)
            self._bytes += len(piece)
            if body.size > kind.longest:
                raise too_large
            if self._held[body.counted_as] > self._limits.bytes_of_a_kind:
                raise kind.too_many
            if self._bytes > self._limits.bytes:
                raise RefusedBodyError(HTTPStatus.SERVICE_UNAVAILABLE, "Too much is sent at once; send it again.")
            try:
                body.file.write(piece)
            except OSError as error:
                detail = "The disk is full; nothing was saved. Send the request again later."
                raise RefusedBodyError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error

    def _seconds(self, size: int) -> float:
        """How long a body of which so many bytes have come may take."""
        limits = self._limits
        return limits.seconds + size / limits.slowest if size else min(limits.first_seconds, limits.seconds)

    async def _next(self, receive: Receive, *, until: float) -> Any:
        """Raises RefusedBodyError."""
        try:
            async with asyncio.timeout_at(until):
                return await receive()
        except TimeoutError as error:
            detail = (
                f"Send a body within {self._limits.seconds:g} seconds, or a long one at {self._limits.slowest:,} bytes "
                "a second."
            )
            raise RefusedBodyError(HTTPStatus.REQUEST_TIMEOUT, detail) from error


class _HeldBody:
    """A body as far as it has come: in memory, and on the disk where it is large."""

    def __init__(self) -> None:
        self.file: IO[bytes] = SpooledTemporaryFile(KEPT_IN_MEMORY)  # noqa: SIM115 - closed with the answer
        self.size = 0
        self.counted_as: Hashable = None


class _NotReceived(io.RawIOBase):
    """A body that is not read. Were it empty, a view that reads it all the same would take it for what was sent."""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        raise OSError("This body was not received.")


def _has_body(scope: Scope) -> bool:
    """Whether there may be one: over HTTP/2 none may follow though no length says so."""
    length = _header(scope, b"content-length")
    if length:
        return length != "0"
    return bool(_header(scope, b"transfer-encoding")) or scope["http_version"].startswith(("2", "3"))


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for known, value in scope["headers"] if known == name), "")


def _with_length(scope: Scope, body: _HeldBody) -> Scope:
    body.file.seek(0)
    kept = [header for header in scope["headers"] if header[0] not in {b"content-length", b"transfer-encoding"}]
    return {**scope, "headers": [*kept, (b"content-length", b"%d" % body.size)], BODY: body.file}
