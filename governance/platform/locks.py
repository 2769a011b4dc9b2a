"""PostgreSQL's advisory locks: one process at a time does what takes long, without holding a row or a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection, transaction


class Lock(IntEnum):
    """What is done by one at a time; the figures are the first halves of the locks' keys."""

    PUSHING = 0x5711_0001
    PROBING = 0x5711_0002
    DELIVERING = 0x5711_0003
    ANSWERING = 0x5711_0004
    AUTOMATIC = 0x5711_0005
    MATCHING = 0x5711_0006


@contextmanager
def advisory_lock(what: Lock, of: int = 0, *, wait: bool = False) -> Iterator[bool]:
    """Hold a lock until the block ends, and say whether it was free; with `wait`, wait until it is.

    `of` is the second half of its key, a number of 32 bits. A process that dies releases it with its connection.
    """
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [what, of])
            ours = True
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [what, of])
            [ours] = cursor.fetchone() or (False,)
    try:
        yield ours
    finally:
        if ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [what, of])


def lock_until_commit(what: Lock, *, shared: bool = False) -> None:
    """Wait for the lock and hold it until the transaction ends; `shared` admits others who hold it shared too.

    It excludes who holds the same one by `advisory_lock`. Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Outside a transaction this lock would be released at once.")
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, 0)", [what])
