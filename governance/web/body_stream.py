"""The body of a request, read by a thread while the event loop receives it, under a deadline."""

import asyncio
import io
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

# The whole body may take so long, and longer only as far as this much of it has come for each further second.
BODY_SECONDS: Final = 30.0
SLOWEST: Final = 16 * 1024


class IncompleteBodyError(OSError):
    """The sender has gone, or was too slow."""


class BodyStream(io.RawIOBase):
    """What `wsgi.input` reads. Reading raises IncompleteBodyError where the rest of the body does not come in time."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop, *, began: float) -> None:
        self._receive, self._loop, self._began = receive, loop, began
        self._piece, self._received = memoryview(b""), 0
        self.is_complete = self.is_late = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        """Raises IncompleteBodyError."""
        while not self._piece and not self.is_complete:
            self._take(self._next_message())
        size = min(len(target), len(self._piece))
        target[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def _next_message(self) -> Message:
        """Raises IncompleteBodyError."""
        left = self._began + BODY_SECONDS + self._received / SLOWEST - time.monotonic()
        if self.is_late or left <= 0:
            self.is_late = True
            raise IncompleteBodyError("The body came too slowly.")
        waiting = asyncio.run_coroutine_threadsafe(_awaited(self._receive), self._loop)
        try:
            return waiting.result(left)
        except TimeoutError as error:
            waiting.cancel()
            self.is_late = True
            raise IncompleteBodyError("The body came too slowly.") from error

    def _take(self, message: Message) -> None:
        """Raises IncompleteBodyError."""
        if message["type"] == "http.disconnect":
            raise IncompleteBodyError("The sender has gone.")
        self._piece = memoryview(message.get("body", b""))
        self._received += len(self._piece)
        self.is_complete = not message.get("more_body")


async def _awaited(receive: Receive) -> Message:
    return await receive()
