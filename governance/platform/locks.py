"""Taking turns at what takes long, as a question over the network, without holding a row or a transaction meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection, transaction


class Turn(IntEnum):
    """What is done by one at a time; the figures are the first halves of PostgreSQL's advisory locks."""

    PUSHING = 0x5711_0001
    PROBING = 0x5711_0002
    DELIVERING = 0x5711_0003
    ANSWERING = 0x5711_0004
    AUTOMATIC = 0x5711_0005
    MATCHING = 0x5711_0006


@contextmanager
def turn(what: Turn, of: int = 0, *, wait: bool = False) -> Iterator[bool]:
    """Whether it is ours alone until the block ends; `of` is a number of 32 bits that says at whom.

    A process that dies gives it up with its connection.
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


def lock_until_commit(what: Turn, *, shared: bool = False) -> None:
    """Wait for the lock and hold it until the transaction ends; `shared` admits others who hold it shared too.

    It excludes who holds the same one by `turn`. Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Outside a transaction this lock would be released at once.")
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, 0)", [what])
