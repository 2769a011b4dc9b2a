"""Wake workers (Celery) and processes that listen to the database (NOTIFY) once a transaction has committed.

A message holds only names: the rows are the truth, and a lost message costs time only.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# After a failed message the broker is left alone for this long, so that a dead broker slows down one request alone.
QUIET_SECONDS = 5.0
# By then the timetable has enqueued the same: under a backlog, messages must not pile up.
MESSAGE_LASTS_SECONDS = 60

# What PostgreSQL calls out when a transaction has changed what is in force, or which service keys are usable.
CHANGES_CHANNEL: Final = "stillwatch_changes"
KEYS_CHANNEL: Final = "stillwatch_keys"

_quiet_until = 0.0
_silent: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def suppress_tasks() -> Iterator[None]:
    """Enqueue no tasks in this block: for work on rows that no worker sees."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def enqueue_on_commit(task: str, *names: str) -> None:
    """Run the Celery task of this name soon after the present transaction has committed; `names` say for which rows.

    A broker that cannot be reached is logged and forgotten; the timetable finds the rows a little later.
    """
    if not _silent.get():
        transaction.on_commit(lambda: _send(task, names))


def notify_on_commit(channel: str) -> None:
    """Notify listeners on this channel once the current transaction has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [channel])


def _send(task: str, names: tuple[str, ...]) -> None:
    global _quiet_until  # noqa: PLW0603 - one clock a process is the point
    if time.monotonic() < _quiet_until:
        return
    try:
        current_app.send_task(task, names, retry=False, expires=MESSAGE_LASTS_SECONDS)
    except (OperationalError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("The broker did not take a message for %s: %s", task, type(error).__name__)
