"""The usage events of a day are a table of their own: made ahead, and dropped whole when they are no longer kept."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import connection, transaction
from psycopg import sql

# One number for the whole database, so that two processes never make the same day at once.
PARTITION_LOCK = 0x5711_DA75
DAYS_AHEAD = 3

_made: set[date] = set()


def ensure_days(days: Iterable[date]) -> None:
    """Make the partitions of these UTC days where they are missing. Call it outside of a long transaction.

    What this process has seen stand is remembered, so that the usual call costs nothing.
    """
    missing = sorted(set(days) - _made)
    if not missing:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
        for day in missing:
            cursor.execute(_create(day).as_string(cursor.connection))
        transaction.on_commit(lambda: _made.update(missing))


def ensure_ahead(today: date) -> None:
    """Make today's partition and those of the next days."""
    ensure_days(today + timedelta(days=offset) for offset in range(DAYS_AHEAD + 1))


def _create(day: date) -> sql.Composed:
    return sql.SQL(
        "CREATE TABLE IF NOT EXISTS {name} PARTITION OF usage_usageevent FOR VALUES FROM ({start}) TO ({end})"
    ).format(
        name=sql.Identifier(f"usage_usageevent_{day:%Y%m%d}"),
        start=sql.Literal(day.isoformat()),
        end=sql.Literal((day + timedelta(days=1)).isoformat()),
    )
