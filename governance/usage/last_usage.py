"""Noting that usage comes in: by this a gateway is seen to serve customers, whether it asks about them or not."""

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

# A gateway sends many batches a second: its row is written again once its usage is newer by so much.
MIN_UPDATE_INTERVAL: Final = timedelta(seconds=5)
# What is older was sent late, and says nothing of what a gateway does now.
MAX_EVENT_AGE: Final = timedelta(days=1)

_NOTE: Final = """
INSERT INTO usage_lastusage AS known (service_key_id, newest_at, received_at) VALUES (%s, %s, %s)
ON CONFLICT (service_key_id) DO UPDATE SET
    newest_at = greatest(known.newest_at, excluded.newest_at), received_at = excluded.received_at
"""

_noted: dict[uuid.UUID, datetime] = {}


def record_last_usage(service_key: uuid.UUID, newest_at: datetime | None, *, now: datetime) -> None:
    """Note the time of the newest event of a batch that came in with a service key; None for a batch without any."""
    if newest_at is None or newest_at < now - MAX_EVENT_AGE:
        return
    newest_at = min(newest_at, now)  # a clock may run ahead
    noted = _noted.get(service_key)
    if noted is not None and newest_at < noted + MIN_UPDATE_INTERVAL:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [service_key, newest_at, now])
    _noted[service_key] = newest_at


def reset_last_usage_cache() -> None:
    _noted.clear()
