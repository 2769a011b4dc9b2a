"""An event loop sends answers under deadlines: who does not read an answer does not get the rest of it."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final, NamedTuple

from governance.web.answers import Answer, close_file, problem_as_answer
from governance.web.api_responses import FOR_MACHINES
from governance.web.asgi_scope import Scope, Send, header_of, network_of
from stillwatch_gateway.keys import bearer_token

# Of a longer answer, pieces of this size. The web server takes so much at least, whether it is read or not.
PIECE: Final = 2**16


class SendLimits(NamedTuple):
    """How long sending may take, and how many bytes of answers a process keeps until they are read."""

    seconds: float = 30.0  # for each piece
    bytes: int = 2**30
    bytes_of_an_asker: int = 2**28  # of one service key, or one network


class TooManyUnreadError(Exception):
    """So many answers are not read yet that this one is not kept."""


class SendAnswers:
    """Sends what threads have made, and counts what is not read yet."""

    def __init__(self, limits: SendLimits) -> None:
        self._limits = limits
        self._kept: Counter[str] = Counter()

    async def send(self, answer: Answer, scope: Scope, send: Send) -> None:
        """Send an answer and close its body."""
        try:
            with self._kept_meanwhile(answer, scope):
                await self._send(answer, send)
        except TooManyUnreadError:
            detail = "Too many answers are not read yet. Send the request again later."
            await self._send(problem_as_answer(HTTPStatus.SERVICE_UNAVAILABLE, detail), send)
        finally:
            close_file(answer.body)

    @contextmanager
    def _kept_meanwhile(self, answer: Answer, scope: Scope) -> Iterator[None]:
        """Raises TooManyUnreadError."""
        if answer.size <= PIECE:
            yield
            return
        asker = _asker(scope)
        self._kept[asker] += answer.size
        try:
            if self._kept[asker] > self._limits.bytes_of_an_asker or self._kept.total() > self._limits.bytes:
                raise TooManyUnreadError
            yield
        finally:
            self._kept[asker] -= answer.size
            if not self._kept[asker]:
                del self._kept[asker]

    async def _send(self, answer: Answer, send: Send) -> None:
        await send(answer.start.message())
        piece = answer.body.read(PIECE)
        more = True
        while more:
            following = answer.body.read(PIECE) if len(piece) == PIECE else b""
            more = bool(following)
            try:
                async with asyncio.timeout(self._limits.seconds):
                    await send({"type": "http.response.body", "body": piece, "more_body": more})
            except TimeoutError:
                return  # the connection cannot be used again, since the rest is missing
            piece = following


def _asker(scope: Scope) -> str:
    """The service key, or the network of who asks for a page: a header that pages do not look at could be any."""
    is_for_machines = f"{scope['path']}/".startswith(FOR_MACHINES)
    secret = bearer_token(header_of(scope, b"authorization")) if is_for_machines else None
    return secret or network_of(scope)
