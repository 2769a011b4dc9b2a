"""PostgreSQL's advisory locks, for work that one process at a time may do and that is too slow for a row lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection, transaction


class Lock(IntEnum):
    """Every advisory lock of this project. The values are the first halves of PostgreSQL's two-part keys."""

    LITELLM_SYNC = 0x5711_0001
    CANARY_PROBE = 0x5711_0002
    WEBHOOK_DELIVERY = 0x5711_0003
    IDEMPOTENT_REQUEST = 0x5711_0004
    POLICY_OUTCOMES = 0x5711_0005
    POLICY_MATCHING = 0x5711_0006
    AUDIT_LOG = 0x5711_0007
    CAMPAIGN_SEARCH = 0x5711_0008
    USAGE_PARTITIONS = 0x5711_0009
    SETTINGS = 0x5711_000A
    LOG_PUBLICATION = 0x5711_000B
    LOG_ANCHORS = 0x5711_000C
    LEGAL_HOLDS = 0x5711_000D
    USAGE_SEALS = 0x5711_000E
    EVIDENCE_BUNDLE = 0x5711_000F
    PARTNER_MATCHING = 0x5711_0010


@contextmanager
def advisory_lock(lock: Lock, key: int = 0, *, wait: bool = False) -> Iterator[bool]:
    """Hold `lock` for the block and yield True, or yield False if another process holds it.

    Needs no transaction. A process that dies releases it with its connection.

    Args:
        key: which object is locked, as a 32-bit integer; 0 for the whole kind of work.
        wait: block until the lock is free instead of yielding False.
    """
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [lock, key])
            acquired = True
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [lock, key])
            [acquired] = cursor.fetchone() or (False,)
    try:
        yield acquired
    finally:
        if acquired:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [lock, key])


def lock_until_commit(lock: Lock, *, shared: bool = False) -> None:
    """Wait for `lock`, with key 0, and hold it until the transaction ends.

    With `shared`, others may hold it at the same time, if they ask for it shared too. `advisory_lock` and this function
    exclude each other.

    Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(f"Take {lock.name} inside a transaction: it ends with it.")
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, 0)", [lock])
