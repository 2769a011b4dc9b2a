"""The usage events of a day are a table of their own: made ahead, and dropped whole when they are no longer kept.

What belongs to a day that has no table goes into the default one, so that nothing is refused for want of a table. It
should be empty: what is found there is moved to where it belongs, and said aloud.

Two functions in the database do it with the rights of the tables' owner, which the caller has not (migration 0007).
"""

import logging
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from governance.platform.locks import Lock, lock_until_commit

logger = logging.getLogger(__name__)

DAYS_AHEAD = 3
# Making a partition waits for readers of the default table; intake must not wait long.
LOCK_TIMEOUT = "2s"
# Dropping a partition waits for readers of events, and later transactions wait behind it: so give up soon.
DROP_LOCK_TIMEOUT = "200ms"

_made: set[date] = set()


def ensure_partitions(days: Iterable[date]) -> None:
    """Make the partitions of these UTC days where they are missing. Call it outside of a long transaction.

    What this process has seen stand is remembered, so that the usual call costs nothing. Where a day cannot be made
    now, or is gone since, as after a failover, its events will be found in the default table. Raises OperationalError
    where the database does not answer.
    """
    missing = sorted(set(days) - _made)
    if not missing:
        return
    try:
        create_partitions(missing)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.error("No partition for %s: %s", ", ".join(map(str, missing)), type(error).__name__)  # noqa: TRY400


def reset_partition_cache() -> None:
    """For a process that goes to another database, in which these days need not stand."""
    _made.clear()


def create_partitions(days: Collection[date]) -> None:
    """Make the partitions of these UTC days where they are missing, with what the default table held of them.

    Raises OperationalError where that would take long.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        transaction.on_commit(lambda: _made.update(days))
        lock_until_commit(Lock.USAGE_PARTITIONS)
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        for day in sorted(days):
            cursor.execute("SELECT usage_make_day(%s::date)", [day])


def count_events_in_default() -> dict[date, int]:
    """How many events of which days lie in the default table; none where all is well."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT day, count(*) FROM usage_usageevent_default GROUP BY day")
        return dict(cursor.fetchall())


def list_partition_days() -> list[date]:
    """The days that have a partition, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT to_date(right(child.relname, 8), 'YYYYMMDD') FROM pg_inherits
            JOIN pg_class AS child ON child.oid = inhrelid
            WHERE inhparent = 'usage_usageevent'::regclass AND child.relname ~ '_[0-9]{8}$' ORDER BY 1
            """
        )
        return [day for (day,) in cursor.fetchall()]


def drop_partition(day: date) -> None:
    """Drop the partition of a day with all its events, as the last step of the caller's transaction.

    Raises OperationalError where somebody reads events for longer than intake may wait: see `is_lock_timeout`.
    """
    with connection.cursor() as cursor:
        lock_until_commit(Lock.USAGE_PARTITIONS)
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [DROP_LOCK_TIMEOUT])
        cursor.execute("SELECT usage_drop_day(%s::date)", [day])
    transaction.on_commit(lambda: _made.discard(day))


def upcoming_days(today: date) -> list[date]:
    """Today and the next days, which should have their tables."""
    return [today + timedelta(days=offset) for offset in range(DAYS_AHEAD + 1)]
