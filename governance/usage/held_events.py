"""Usage events of accounts under a legal hold, which are kept when their day is dropped."""

from datetime import date
from typing import Final

from django.db import connection

_KEEP: Final = """
    INSERT INTO usage_heldevent (key, account_id, day, event)
    SELECT event.key, event.account_id, event.day, to_jsonb(event) FROM usage_usageevent event
    WHERE event.day = %s AND event.account_id IN (SELECT account_id FROM privacy_heldaccount)
    ON CONFLICT DO NOTHING
"""


def keep_held_events(day: date) -> None:
    """Copy the events of held accounts on this UTC day. Runs in the transaction that drops the day, before it."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [day])
