"""Heartbeats: every few seconds each queue runs a task that stores the time.

If one is missing, the scheduler, the broker or the worker of that queue does not work.
"""

from datetime import datetime
from typing import Final

from governance.platform.models import Heartbeat

# The queues, and the process that works through each.
QUEUES: Final = {"celery": "worker", "delivery": "courier"}


def record_heartbeat(queue: str, *, now: datetime) -> None:
    Heartbeat.objects.bulk_create(
        [Heartbeat(queue=queue, at=now)], update_conflicts=True, unique_fields=["queue"], update_fields=["at"]
    )


def last_heartbeats() -> dict[str, datetime | None]:
    """Return when each queue last ran one; None for never."""
    noted = dict(Heartbeat.objects.values_list("queue", "at"))
    return {queue: noted.get(queue) for queue in QUEUES}
