"""Threads answer by WSGI what an event loop has received; a2wsgi stands between them."""

import asyncio
import io
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any, Final

from a2wsgi import WSGIMiddleware

from governance.web.wsgi_problems import Application

# As ASGI has them.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# In the scope of a request: the file with its body, which `wsgi.input` is, and whether its sender has gone.
BODY: Final = "stillwatch.body"
_GONE: Final = "stillwatch.gone"


class AnswerInThreads:
    """An ASGI application that answers by a WSGI application, in so many threads. Bodies have to be in the scope."""

    def __init__(self, application: Application, *, threads: int) -> None:
        self._application = application
        self._bridge: Any = WSGIMiddleware(self._answer, workers=threads)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._bridge(scope, receive, send)
            return
        answer = _Answer(receive, send)
        given = {**scope, "headers": _joined_cookies(scope["headers"]), _GONE: answer.gone}
        try:
            await self._bridge(given, receive, answer.send)
        finally:
            answer.end()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        scope = environ.pop("asgi.scope")
        environ |= {"wsgi.input": scope.get(BODY) or io.BytesIO(), "wsgi.errors": sys.stderr}
        return _UntilGone(self._application(environ, start_response), scope[_GONE])


def _joined_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """HTTP/2 sends each cookie alone. Names with underscores are left out: WSGI cannot tell them from dashes, by which
    a client could set a header that a proxy sets.
    """
    kept = [(name, value) for name, value in headers if b"_" not in name]
    cookies = [value for name, value in kept if name == b"cookie"]
    if len(cookies) < 2:
        return kept
    return [(name, value) for name, value in kept if name != b"cookie"] + [(b"cookie", b"; ".join(cookies))]


class _Answer:
    """An answer on its way; where it comes in many pieces, it is noticed that nobody receives them any more."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._pieces = 0
        self._watching: asyncio.Task[None] | None = None
        self.gone = threading.Event()

    async def send(self, message: Message) -> None:
        self._pieces += bool(message.get("more_body"))
        if self._pieces > 1 and self._watching is None:
            self._watching = asyncio.create_task(self._wait_for_disconnect())
        await self._send(message)

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone.set()

    def end(self) -> None:
        if self._watching is not None:
            self._watching.cancel()


class _UntilGone:
    """The pieces of an answer, until nobody receives them any more."""

    def __init__(self, pieces: Iterable[bytes], gone: threading.Event) -> None:
        self._pieces, self._gone = pieces, gone

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if self._gone.is_set():
                return
            yield piece

    def close(self) -> None:
        if hasattr(self._pieces, "close"):
            self._pieces.close()
