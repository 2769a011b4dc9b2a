"""Whether a service key is usable, asked by an event loop."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import DatabaseError, connections
from django.utils import timezone

from governance.staff.service_keys import authenticate_service_key

REMEMBERED_SECONDS: Final = 5.0
MOST_WAITING: Final = 256
WAITING_SECONDS: Final = 10.0
_MOST_REMEMBERED: Final = 10_000


class NoAnswerInTimeError(DatabaseError):
    """The database does not answer, or not fast enough for all who ask."""


class UsableKeys:
    """Answers for some seconds what it knows, since views look at the key themselves before they act.

    Only some may wait for the database, and not for long: it may hang.
    """

    def __init__(self, threads: int = 4, *, most_waiting: int = MOST_WAITING, seconds: float = WAITING_SECONDS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="keys")
        self._until: dict[str, float] = {}
        self._most_waiting, self._seconds = most_waiting, seconds
        self._waiting = 0

    async def is_usable(self, secret: str) -> bool:
        """Raises DatabaseError."""
        now = time.monotonic()
        if self._until.get(secret, 0.0) > now:
            return True
        is_usable = await self._ask(secret)
        if len(self._until) >= _MOST_REMEMBERED:
            self._until.clear()
        if is_usable:
            self._until[secret] = now + REMEMBERED_SECONDS
        return is_usable

    async def _ask(self, secret: str) -> bool:
        if self._waiting >= self._most_waiting:
            raise NoAnswerInTimeError("Too many service keys are asked about.")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, _is_usable, secret)
        except TimeoutError as error:
            raise NoAnswerInTimeError(f"No answer in {self._seconds:g} seconds.") from error
        finally:
            self._waiting -= 1


def _is_usable(secret: str) -> bool:
    try:
        return authenticate_service_key(secret, now=timezone.now()) is not None
    finally:
        connections.close_all()
