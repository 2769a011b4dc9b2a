"""Limits for each service key, so that requests with one cannot keep those with another from being answered.

All of it is used by the event loop alone, so it needs no lock.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Final
from uuid import UUID

from governance.gateways.check.request_parsing import RefusedRequestError
from governance.gateways.check.sql import UsableKey

# Bodies that are received at once, of one service key. The usual ones are small; those with long prompts have a quota
# of their own, so that they keep no other customer of the gateway from being answered.
LARGEST_SMALL_BODY: Final = 2**20
MOST_SMALL_BYTES: Final = 64 * 2**20
MOST_LARGE_BYTES: Final = 128 * 2**20
TURN_SECONDS: Final = 30.0


class Quotas:
    """What each service key occupies in this process."""

    def __init__(self, *, waiting: int) -> None:
        self._most_waiting = waiting
        self._waiting: Counter[UUID] = Counter()
        self.small_bodies, self.large_bodies = BodyQuota(MOST_SMALL_BYTES), BodyQuota(MOST_LARGE_BYTES)

    @contextmanager
    def waiting(self, key: UsableKey) -> Iterator[None]:
        """Count a poll, a stream or a check that waits. Raises RefusedRequestError (429) where the key has too many."""
        if self._waiting[key.id] >= self._most_waiting:
            raise _over_quota(f"At most {self._most_waiting} requests of one service key may wait at once.")
        self._waiting[key.id] += 1
        try:
            yield
        finally:
            self._waiting[key.id] -= 1
            if not self._waiting[key.id]:
                del self._waiting[key.id]

    @contextmanager
    def receiving(self, key: UsableKey) -> Iterator["Reservation"]:
        """Count the bytes of a body while it is received and read."""
        reservation = Reservation(self, key)
        try:
            yield reservation
        finally:
            reservation.release()


class BodyQuota:
    """How many bytes of bodies each service key may have on their way. A body beyond it waits for its turn."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken: Counter[UUID] = Counter()
        self._queues: dict[UUID, deque[tuple[int, asyncio.Future[None]]]] = {}

    def take(self, key: UUID, size: int) -> bool:
        """Take so many bytes, if they are free and nobody waits for them."""
        if key in self._queues or self.taken[key] + size > self.most:
            return False
        self.taken[key] += size
        return True

    async def take_in_turn(self, key: UUID, size: int) -> None:
        """Wait for so many bytes, after those who wait already. Raises TimeoutError."""
        turn = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(key, deque())
        queue.append((size, turn))
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # the turn came at the same moment
                self.taken[key] -= size
            with suppress(ValueError):
                queue.remove((size, turn))
            self._call_next(key)
            raise

    def give_back(self, key: UUID, size: int) -> None:
        self.taken[key] -= size
        self._call_next(key)

    def _call_next(self, key: UUID) -> None:
        queue = self._queues.get(key, deque())
        while queue and self.taken[key] + queue[0][0] <= self.most:
            size, turn = queue.popleft()
            if not turn.done():
                self.taken[key] += size
                turn.set_result(None)
        if not queue:
            self._queues.pop(key, None)
        if not self.taken[key]:
            del self.taken[key]


class Reservation:
    """The bytes that one body may occupy."""

    def __init__(self, quotas: Quotas, key: UsableKey) -> None:
        self._quotas, self._key = quotas, key
        self._of: BodyQuota = quotas.small_bodies
        self.size = 0

    async def resize(self, size: int) -> None:
        """Occupy `size` bytes instead. Raises RefusedRequestError (429) if there is no room for them in time."""
        wanted = self._quotas.small_bodies if size <= LARGEST_SMALL_BODY else self._quotas.large_bodies
        self.release()
        if not size:
            return
        if not wanted.take(self._key.id, size):
            await self._wait_for_turn(wanted, size)
        self._of, self.size = wanted, size

    async def _wait_for_turn(self, wanted: BodyQuota, size: int) -> None:
        detail = f"At most {wanted.most:,} bytes of one service key are received at once."
        if size > wanted.most:
            raise _over_quota(detail)
        with self._quotas.waiting(self._key):
            try:
                await wanted.take_in_turn(self._key.id, size)
            except TimeoutError as error:
                raise _over_quota(detail) from error

    def release(self) -> None:
        size, self.size = self.size, 0
        if size:
            self._of.give_back(self._key.id, size)


def _over_quota(detail: str) -> RefusedRequestError:
    return RefusedRequestError(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", f"{detail} Try again in a second.")
