"""Threads answer by WSGI what an event loop has received, and the event loop sends what they answer.

A thread is free as soon as its answer is made: who reads slowly, or not at all, keeps it from nobody. Only an answer
without a length, such as a stream, keeps its thread until it ends.
"""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final

from governance.web.answers import Answer, FileToSend, StartOfAnswer, problem_as_answer, whole_answer
from governance.web.asgi_scope import Message, Receive, Scope, Send
from governance.web.sending import SendAnswers, SendLimits
from governance.web.wsgi_environ import wsgi_environ
from governance.web.wsgi_problems import Application

# In the scope of a request: the file with its body, which `wsgi.input` is.
BODY: Final = "stillwatch.body"

_LIMITS: Final = SendLimits()
logger = logging.getLogger(__name__)


class AnswerInThreads:
    """An ASGI application that answers by a WSGI application, in so many threads. Bodies have to be in the scope."""

    def __init__(self, application: Application, *, threads: int, limits: SendLimits = _LIMITS) -> None:
        self._application, self._limits = application, limits
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="answers")
        self._answers = SendAnswers(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _start_and_stop(receive, send)
        if scope["type"] != "http":
            return
        environ = wsgi_environ(scope, scope.get(BODY), FileToSend)
        loop = asyncio.get_running_loop()
        stream = _Stream(loop, receive, send, seconds=self._limits.seconds)
        try:
            answer = await loop.run_in_executor(self._threads, self._answer, environ, stream)
        except Exception:
            if stream.has_begun:
                raise
            logger.exception("A request could not be answered.")
            detail = "Something went wrong here; it has been logged. Send the request again later."
            answer = problem_as_answer(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
        finally:
            stream.end()
        if answer is not None:
            await self._answers.send(answer, scope, send)

    def _answer(self, environ: dict[str, Any], stream: "_Stream") -> Answer | None:
        """None for an answer that the stream has sent."""
        start = StartOfAnswer()
        pieces = self._application(environ, start)
        try:
            if start.has_known_length:
                return whole_answer(start, pieces)
            stream.send_all(start, pieces)
        except (OSError, HTTPException):
            if stream.has_begun:
                raise
            logger.warning("An answer could not be made whole.", exc_info=True)
            detail = "The answer could not be made, as on a full disk. Send the request again later."
            return problem_as_answer(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        return None


class _Stream:
    """An answer that a thread has sent piece by piece, until nobody reads it any more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send, *, seconds: float) -> None:
        self._loop, self._receive, self._send, self._seconds = loop, receive, send, seconds
        self._watching: asyncio.Task[None] | None = None
        self._gone = threading.Event()
        self.has_begun = False

    def send_all(self, start: StartOfAnswer, pieces: Iterable[bytes]) -> None:
        """Called by a thread."""
        self.has_begun = True
        self._wait_for(self._begin(start.message()))
        for piece in pieces:
            if self._gone.is_set():
                return
            self._wait_for(self._send_in_time(piece, more=True))
        if not self._gone.is_set():
            self._wait_for(self._send_in_time(b"", more=False))

    def _wait_for(self, sending: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    async def _begin(self, message: Message) -> None:
        self._watching = asyncio.create_task(self._wait_for_disconnect())
        await self._send(message)

    async def _send_in_time(self, piece: bytes, *, more: bool) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._send({"type": "http.response.body", "body": piece, "more_body": more})
        except TimeoutError:
            self._gone.set()

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()

    def end(self) -> None:
        if self._watching is not None:
            self._watching.cancel()


async def _start_and_stop(receive: Receive, send: Send) -> None:
    """There is nothing to do when the web server starts and stops, but it asks."""
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
