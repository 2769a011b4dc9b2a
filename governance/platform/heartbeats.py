"""Heartbeats of the timetable: each queue carries one out every few seconds, which shows that all of it works.

One that is missing says that the scheduler, the broker or the worker of that queue does not work.
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
    """When each queue last carried one out; None: never."""
    noted = dict(Heartbeat.objects.values_list("queue", "at"))
    return {queue: noted.get(queue) for queue in QUEUES}
