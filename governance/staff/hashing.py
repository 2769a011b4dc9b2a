"""Password hashes, a few at a time.

Argon2 takes 100 MB of memory for a tenth of a second. So many at once would take all memory, and would keep database
connections from everybody else while they wait; here they wait for a place first, and hold no connection meanwhile.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

PATIENCE: Final = 10.0  # seconds


class HashingBusyError(Exception):
    """Too many passwords are being checked; the person should try again in some seconds."""


class HashingSlots:
    """At most `at_once` threads of this process hash, and at most `waiting` more wait for it."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._slots = threading.BoundedSemaphore(at_once)
        self._inside = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a place for the block, without a database connection at its beginning. Raises HashingBusyError.

        The connection stays where a transaction is open, which must not be while a person waits.
        """
        if not self._inside.acquire(blocking=False):
            raise HashingBusyError
        try:
            if not connection.in_atomic_block:
                connection.close()
            if not self._slots.acquire(timeout=PATIENCE):
                raise HashingBusyError
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._inside.release()


# Strangers wait for each other, never people who signed in from the same device or network before.
FOR_STRANGERS: Final = HashingSlots(at_once=1, waiting=8)
FOR_KNOWN: Final = HashingSlots(at_once=1, waiting=8)
