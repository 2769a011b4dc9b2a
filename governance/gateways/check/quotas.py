"""Limits for each service key, so that requests with one cannot keep those with another from being answered."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from governance.gateways.check.request_parsing import RefusedError
from governance.gateways.check.sql import UsableKey

MOST_BODY_BYTES: Final = 128 * 2**20  # being received at once


class Quotas:
    """What each service key occupies in this process. Used by the event loop alone, so it needs no lock."""

    def __init__(self, *, waiting: int, body_bytes: int = MOST_BODY_BYTES) -> None:
        self._most_waiting, self._most_body_bytes = waiting, body_bytes
        self._waiting: Counter[bytes] = Counter()
        self._body_bytes: Counter[bytes] = Counter()

    @contextmanager
    def waiting(self, key: UsableKey) -> Iterator[None]:
        """Count a poll, a stream or a check that waits. Raises RefusedError (429) where the key has too many."""
        if self._waiting[key.digest] >= self._most_waiting:
            raise _over_quota(f"At most {self._most_waiting} requests of one service key may wait at once.")
        self._waiting[key.digest] += 1
        try:
            yield
        finally:
            _give_back(self._waiting, key, 1)

    @contextmanager
    def receiving(self, key: UsableKey) -> Iterator["Reservation"]:
        """Count the bytes of a body while it is received and read."""
        reservation = Reservation(self, key)
        try:
            yield reservation
        finally:
            _give_back(self._body_bytes, key, reservation.size)

    def reserve(self, key: UsableKey, size: int) -> None:
        """Raises RefusedError (429)."""
        if self._body_bytes[key.digest] + size > self._most_body_bytes:
            raise _over_quota(f"At most {self._most_body_bytes:,} bytes of one service key are received at once.")
        self._body_bytes[key.digest] += size


class Reservation:
    """The bytes that one body occupies."""

    def __init__(self, quotas: Quotas, key: UsableKey) -> None:
        self._quotas, self._key, self.size = quotas, key, 0

    def grow_to(self, size: int) -> None:
        """Raises RefusedError (429)."""
        if size > self.size:
            self._quotas.reserve(self._key, size - self.size)
            self.size = size


def _give_back(counted: Counter[bytes], key: UsableKey, amount: int) -> None:
    counted[key.digest] -= amount
    if not counted[key.digest]:
        del counted[key.digest]


def _over_quota(detail: str) -> RefusedError:
    return RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", f"{detail} Try again in a second.")
