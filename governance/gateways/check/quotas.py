"""Limits for each service key, so that requests with one cannot keep those with another from being answered.

All of it is used by the event loop alone, so it needs no lock.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Final

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
        self._waiting: Counter[bytes] = Counter()
        self.small_bodies, self.large_bodies = BodyQuota(MOST_SMALL_BYTES), BodyQuota(MOST_LARGE_BYTES)

    @contextmanager
    def waiting(self, key: UsableKey) -> Iterator[None]:
        """Count a poll, a stream or a check that waits. Raises RefusedRequestError (429) where the key has too many."""
        if self._waiting[key.digest] >= self._most_waiting:
            raise _over_quota(f"At most {self._most_waiting} requests of one service key may wait at once.")
        self._waiting[key.digest] += 1
        try:
            yield
        finally:
            self._waiting[key.digest] -= 1
            if not self._waiting[key.digest]:
                del self._waiting[key.digest]

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
        self.taken: Counter[bytes] = Counter()
        self._queues: dict[bytes, deque[tuple[int, asyncio.Future[None]]]] = {}

    def take(self, digest: bytes, size: int) -> bool:
        """Take so many bytes, if they are free and nobody waits for them."""
        if digest in self._queues or self.taken[digest] + size > self.most:
            return False
        self.taken[digest] += size
        return True

    async def take_in_turn(self, digest: bytes, size: int) -> None:
        """Wait for so many bytes, after those who wait already. Raises TimeoutError."""
        turn = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(digest, deque())
        queue.append((size, turn))
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # the turn came at the same moment
                self.taken[digest] -= size
            with suppress(ValueError):
                queue.remove((size, turn))
            self._call_next(digest)
            raise

    def give_back(self, digest: bytes, size: int) -> None:
        self.taken[digest] -= size
        self._call_next(digest)

    def _call_next(self, digest: bytes) -> None:
        queue = self._queues.get(digest, deque())
        while queue and self.taken[digest] + queue[0][0] <= self.most:
            size, turn = queue.popleft()
            if not turn.done():
                self.taken[digest] += size
                turn.set_result(None)
        if not queue:
            self._queues.pop(digest, None)
        if not self.taken[digest]:
            del self.taken[digest]


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
        if not wanted.take(self._key.digest, size):
            await self._wait_for_turn(wanted, size)
        self._of, self.size = wanted, size

    async def _wait_for_turn(self, wanted: BodyQuota, size: int) -> None:
        detail = f"At most {wanted.most:,} bytes of one service key are received at once."
        if size > wanted.most:
            raise _over_quota(detail)
        with self._quotas.waiting(self._key):
            try:
                await wanted.take_in_turn(self._key.digest, size)
            except TimeoutError as error:
                raise _over_quota(detail) from error

    def release(self) -> None:
        size, self.size = self.size, 0
        if size:
            self._of.give_back(self._key.digest, size)


def _over_quota(detail: str) -> RefusedRequestError:
    return RefusedRequestError(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", f"{detail} Try again in a second.")
