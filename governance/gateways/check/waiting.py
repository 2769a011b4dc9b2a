"""Waiting with deadlines: for changes that a thread loads, and for request bodies."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from governance.gateways.check.quotas import LARGEST_SMALL_BODY, Reservation
from governance.gateways.check.request_parsing import Receive, RefusedRequestError, Request

BODY_SECONDS: Final = 30.0


class Announcements:
    """Wakes every coroutine that waits, from whatever thread something has happened in."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._next: asyncio.Future[None]

    def start(self) -> None:
        """Call this in the event loop, before anything is announced."""
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.create_future()

    def announce(self) -> None:
        with suppress(RuntimeError):  # the loop has been closed
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        announced, self._next = self._next, asyncio.get_running_loop().create_future()
        announced.set_result(None)

    async def wait(self, seconds: float, *others: "asyncio.Future[Any]") -> None:
        """Until the next announcement, or until one of the others is done, or the time is up."""
        await asyncio.wait([self._next, *others], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def receive_body(request: Request, receive: Receive, *, most: int, reserved: Reservation) -> bytes:
    """Wait for a turn, then receive the body.

    Raises RefusedRequestError where it is longer than `most` bytes, or is not there in time: 429 where no turn came.
    """
    try:
        stated = int(request.header(b"content-length") or 0)
    except ValueError as error:
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "Bad request", "Content-Length is not a number.") from error
    if stated > most:
        raise _too_large(most)
    # Of a body of unknown length as much is counted as it may have: were it counted as it grows, many that have grown a
    # little could wait for one another.
    await reserved.resize(stated if request.header(b"content-length") else min(most, LARGEST_SMALL_BODY))
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "Bad request", "The body is incomplete.")
                body += message.get("body", b"")
                if len(body) > most:
                    raise _too_large(most)
                if len(body) > reserved.size:
                    await reserved.resize(most)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError as error:
        detail = f"The body was not received within {BODY_SECONDS:.0f} seconds."
        raise RefusedRequestError(HTTPStatus.REQUEST_TIMEOUT, "Request timeout", detail) from error


def _too_large(most: int) -> RefusedRequestError:
    return RefusedRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", f"At most {most:,} bytes are read.")


async def wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
