"""Threads answer requests, as Django does best, and an event loop receives what is sent.

Servers of WSGI let a thread wait for a body for as long as its sender likes.
"""

import asyncio
import io
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from governance.web.body_stream import BODY_SECONDS, SLOWEST, BodyStream, Message, Receive
from governance.web.lengths import Application, problem_answer

Send = Callable[[Message], Awaitable[None]]

BUFFERED: Final = 2**16
_UNPREFIXED: Final = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}

logger = logging.getLogger(__name__)


class AnswerInThreads:
    """An ASGI application that answers by a WSGI application, in so many threads."""

    def __init__(self, application: Application, *, threads: int) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="web")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        loop = asyncio.get_running_loop()
        exchange = _Exchange(scope, receive, send, loop)
        try:
            for message in await loop.run_in_executor(self._threads, exchange.answer, self._application):
                await send(message)
        finally:
            exchange.end()


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


class _Head:
    """The head of an answer, as a WSGI application starts it."""

    def __init__(self) -> None:
        self._status, self._headers = "", list[tuple[str, str]]()

    def __call__(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        self._status, self._headers = status, headers

    @property
    def length(self) -> int | None:
        stated = {name.lower(): value for name, value in self._headers}.get("content-length", "")
        return int(stated) if stated.isdigit() else None

    def message(self) -> Message:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self._headers]
        return {"type": "http.response.start", "status": int(self._status.split(" ", 1)[0]), "headers": headers}


class _Exchange:
    """A request and its answer."""

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: Send, loop: asyncio.AbstractEventLoop) -> None:
        self._scope, self._receive, self._send, self._loop = scope, receive, send, loop
        self._body = BodyStream(receive, loop, began=time.monotonic())
        self._gone = threading.Event()
        self._watching: asyncio.Task[None] | None = None

    def end(self) -> None:
        """Call this in the event loop."""
        if self._watching is not None:
            self._watching.cancel()

    def answer(self, application: Application) -> list[Message]:
        """Answer in this thread; return the last messages, which are yet to be sent."""
        head = _Head()
        try:
            pieces = application(environ_of(self._scope, self._body), head)
        except Exception:
            if not self._body.is_late:
                logger.exception("A request could not be answered.")
            head, pieces = _Head(), []
            problem_answer(head, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; it has been logged.")
        try:
            if self._body.is_late:
                return _too_slow()
            return self._given(head, pieces)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def _given(self, head: _Head, pieces: Iterable[bytes]) -> list[Message]:
        """The messages of an answer that is there; one that comes piece by piece is sent meanwhile."""
        if isinstance(pieces, list):
            return [head.message(), {"type": "http.response.body", "body": b"".join(pieces)}]
        following = iter(pieces)
        first = next(following, b"")
        if head.length == len(first):
            return [head.message(), {"type": "http.response.body", "body": first}]
        self._send_now(head.message())
        self._loop.call_soon_threadsafe(self._notice_disconnect)
        while first is not None and not self._gone.is_set():
            self._send_now({"type": "http.response.body", "body": first, "more_body": True})
            first = next(following, None)
        return [{"type": "http.response.body", "body": b""}]

    def _send_now(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(_awaited(self._send, message), self._loop).result()

    def _notice_disconnect(self) -> None:
        self._watching = self._loop.create_task(self._wait_for_disconnect())

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()


async def _awaited(send: Send, message: Message) -> None:
    await send(message)


def _too_slow() -> list[Message]:
    head = _Head()
    detail = f"Send a body within {BODY_SECONDS:.0f} seconds, or a long one at {SLOWEST:,} bytes a second."
    [body] = problem_answer(head, HTTPStatus.REQUEST_TIMEOUT, detail)
    return [head.message(), {"type": "http.response.body", "body": body}]


def environ_of(scope: Mapping[str, Any], body: BodyStream) -> dict[str, Any]:
    """What WSGI says of a request: several headers of one name are joined, and one that is not ASCII is blank."""
    server, client = scope.get("server") or ("", ""), scope.get("client") or ("", "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BufferedReader(body, BUFFERED),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    joined: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("ascii") if value.isascii() else ""
        if name not in joined:
            joined[name] = text
        elif name not in _UNPREFIXED:
            joined[name] += (";" if name == b"cookie" else ",") + text
    for name, text in joined.items():
        environ[_UNPREFIXED.get(name) or f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"] = text
    return environ
