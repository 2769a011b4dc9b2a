"""An event loop receives the bodies of requests, under deadlines, before a thread answers: who is slow holds no thread.

Anybody may send a body to a page, such as that for signing in; each network has a quota of those. What machines send
is received only from those who show a usable service key, and each key has a quota of its own. A view gets a body
whole and with its length, which Django needs.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple

from django.db import DatabaseError

from governance.web.answers import close_file, problem_as_answer
from governance.web.api_responses import FOR_MACHINES
from governance.web.asgi_scope import Message, Receive, Scope, Send, header_of, network_of
from governance.web.body_quotas import BodyCounter, BodyQuota, CountedBody, QuotaFullError, SenderQuotaFullError
from governance.web.threads import BODY
from stillwatch_gateway.keys import bearer_token

KEPT_IN_MEMORY: Final = 2**19


class Limits(NamedTuple):
    """How many bodies a process keeps at once, and how long and large they may be."""

    keys: BodyQuota  # to the API, each from a service key
    pages: BodyQuota = BodyQuota("pages", 1024, 128, 2**28, 2**26)  # each from a network, where no key is shown
    gateways: BodyQuota = BodyQuota("gateways", 64, 64, 2**28, 2**28)
    longest: int = 64 * 2**20
    longest_form: int = 2_621_440
    first_seconds: float = 10.0  # until the first piece
    seconds: float = 30.0  # for the whole, and longer only as far as so many bytes came for each further second:
    slowest: int = 16 * 1024


def limits(*, of_a_key: int, seconds: float) -> Limits:
    """Return the limits of a process that keeps so many bodies of one service key at once."""
    return Limits(BodyQuota("keys", max(1024, of_a_key), of_a_key, 2**29, 2**28), seconds=seconds)


class RefusedBodyError(Exception):
    """Nothing more of a body is received: the status and the detail of the answer."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status

    async def send_to(self, send: Send) -> None:
        answer = problem_as_answer(self.status, str(self))
        await send(answer.start.message())
        await send({"type": "http.response.body", "body": answer.body.read()})


class _Sender(NamedTuple):
    """By what a body is counted, and what is answered where there are too many."""

    quota: BodyQuota
    name: str
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
        self._counter = BodyCounter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._application(scope, receive, send)
            return
        body: _KeptBody | None = None
        try:
            sender = await self._sender(scope)
            if sender is None:  # the view says who may send
                await self._application({**scope, BODY: _NotReceived()}, receive, send)
                return
            body = _KeptBody(self._count_body(sender))
            await self._receive(scope, receive, sender, body)
            await self._application(_with_length(scope, body), receive, body.forgotten_with_answer(send))
        except RefusedBodyError as refused:
            await refused.send_to(send)
        finally:
            if body is not None:
                body.forget()

    async def _sender(self, scope: Scope) -> _Sender | None:
        """None where nothing is to be received. Raises RefusedBodyError."""
        path, limits = scope["path"], self._limits
        if self._is_forwarded(path):
            refusal = _unavailable("Too many requests here. Use the port of the check.")
            return _Sender(limits.gateways, "", limits.longest, refusal)
        if not f"{path}/".startswith(FOR_MACHINES):
            refusal = _unavailable("Too many forms are sent at once; send it again.")
            return _Sender(limits.pages, network_of(scope), limits.longest_form, refusal)
        secret = bearer_token(header_of(scope, b"authorization"))
        try:
            if secret is None or not await self._is_usable(secret):
                return None
        except DatabaseError as error:
            raise _unavailable("The database does not answer; nothing was saved. Send the request again.") from error
        status = HTTPStatus.SERVICE_UNAVAILABLE if self._drops_at_429(path) else HTTPStatus.TOO_MANY_REQUESTS
        detail = (
            f"At most {limits.keys.bodies_of_a_sender} bodies of one service key are received and answered at once, "
            f"and {limits.keys.bytes_of_a_sender:,} bytes. Send this again later."
        )
        return _Sender(limits.keys, secret, limits.longest, RefusedBodyError(status, detail))

    def _count_body(self, sender: _Sender) -> CountedBody:
        """Raises RefusedBodyError."""
        try:
            return self._counter.take(sender.quota, sender.name)
        except SenderQuotaFullError as error:
            raise sender.too_many from error
        except QuotaFullError as error:
            raise _unavailable(_TOO_MUCH) from error

    async def _receive(self, scope: Scope, receive: Receive, sender: _Sender, body: "_KeptBody") -> None:
        """Raises RefusedBodyError."""
        if header_of(scope, b"transfer-encoding").strip().lower() not in {"", "chunked"}:
            raise RefusedBodyError(HTTPStatus.NOT_IMPLEMENTED, "Send the body as it is, or in chunks.")
        too_large = RefusedBodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send at most {sender.longest} bytes.")
        if int(header_of(scope, b"content-length") or 0) > sender.longest:
            raise too_large
        began, more = asyncio.get_running_loop().time(), True
        while more:
            message = await self._next(receive, began, body.counted.size)
            if message["type"] == "http.disconnect":
                raise RefusedBodyError(HTTPStatus.BAD_REQUEST, "The body is incomplete.")
            piece, more = message.get("body", b""), message.get("more_body", False)
            if body.counted.size + len(piece) > sender.longest:
                raise too_large
            try:
                body.add(piece, is_last=not more)
            except SenderQuotaFullError as error:
                raise sender.too_many from error
            except QuotaFullError as error:
                raise _unavailable(_TOO_MUCH) from error
            except OSError as error:
                detail = "The disk is full; nothing was saved. Send the request again later."
                raise _unavailable(detail) from error

    async def _next(self, receive: Receive, began: float, size: int) -> Any:
        """Raises RefusedBodyError."""
        limits = self._limits
        first_seconds = min(limits.first_seconds, limits.seconds)
        try:
            async with asyncio.timeout_at(began + (limits.seconds + size / limits.slowest if size else first_seconds)):
                return await receive()
        except TimeoutError as error:
            detail = (
                f"Begin a body within {first_seconds:g} seconds, and send it within {limits.seconds:g}, or a long one "
                f"at {limits.slowest:,} bytes a second."
            )
            raise RefusedBodyError(HTTPStatus.REQUEST_TIMEOUT, detail) from error


_TOO_MUCH: Final = "Too much is sent at once; send it again."


def _unavailable(detail: str) -> RefusedBodyError:
    return RefusedBodyError(HTTPStatus.SERVICE_UNAVAILABLE, detail)


class _KeptBody:
    """A body as far as it has come: in memory, and on the disk where it is large."""

    def __init__(self, counted: CountedBody) -> None:
        self.counted = counted
        self.file: IO[bytes] = SpooledTemporaryFile(KEPT_IN_MEMORY)  # noqa: SIM115 - closed with the answer

    def add(self, piece: bytes, *, is_last: bool) -> None:
        """Raises SenderQuotaFullError, QuotaFullError, and OSError where the disk is full."""
        self.counted.add(len(piece))
        self.file.write(piece)
        if is_last:
            self.file.seek(0)  # writes what is left

    def forgotten_with_answer(self, send: Send) -> Send:
        """Send an answer: once it begins, nobody needs the body any more, however slowly the answer is read."""

        async def forget_and_send(message: Message) -> None:
            self.forget()
            await send(message)

        return forget_and_send

    def forget(self) -> None:
        """May be called again."""
        self.counted.free()
        close_file(self.file)


class _NotReceived(io.RawIOBase):
    """A body that is not read. Were it empty, a view that reads it all the same would take it for what was sent."""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        raise OSError("This body was not received.")


def _has_body(scope: Scope) -> bool:
    """Whether there may be one: over HTTP/2 none may follow though no length says so."""
    length = header_of(scope, b"content-length")
    if length:
        return length != "0"
    return bool(header_of(scope, b"transfer-encoding")) or scope["http_version"].startswith(("2", "3"))


def _with_length(scope: Scope, body: _KeptBody) -> Scope:
    kept = [header for header in scope["headers"] if header[0] not in {b"content-length", b"transfer-encoding"}]
    return {**scope, "headers": [*kept, (b"content-length", b"%d" % body.counted.size)], BODY: body.file}
