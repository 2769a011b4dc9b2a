"""The Celery application. Its tasks are in governance/tasks.py, and when they run in governance/timetable.py."""

import logging
import os
import sys
from typing import Any, Final

from billiard.process import current_process
from celery import Celery, Task
from celery.platforms import set_pdeathsig  # type: ignore[attr-defined]
from celery.signals import beat_embedded_init, task_prerun, worker_ready
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from governance.platform import timeouts

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
if not settings.configured:  # else this is another process, which only sends tasks
    timeouts.set_process_kind("worker")

logger = logging.getLogger(__name__)

NO_DATABASE: Final = (OperationalError, InterfaceError)


class RepeatedTask(Task[..., Any]):
    """Rows say what is left to do: one that PostgreSQL did not serve is logged in a line, and done at its next turn."""

    throws = NO_DATABASE  # else Celery logs a traceback for each, which are thousands while a server is away

    def on_failure(self, exc: Exception, *args: Any, **kwargs: Any) -> None:
        if isinstance(exc, NO_DATABASE):
            reason = (str(exc).splitlines() or [type(exc).__name__])[0]
            logger.warning("%s waits for its next run: PostgreSQL did not answer (%s)", self.name, reason)
        super().on_failure(exc, *args, **kwargs)


app = Celery("stillwatch", task_cls=RepeatedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("governance.tasks",)
# Else Celery closes the database connection before and after every task: 17 ms for one that finds nothing to do,
# against 5 ms. Connections are looked after as in a request instead: checked, and replaced when they are old.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


@task_prerun.connect
def look_after_connections(**_: Any) -> None:
    close_old_connections()


@worker_ready.connect
def measure_at_once(**_: Any) -> None:
    """Else the overview says for minutes after a start that its figures are old."""
    app.send_task("governance.tasks.measure_overview")


@beat_embedded_init.connect
def end_with_worker(**_: Any) -> None:
    """A worker's timetable ends with it, however it ends; Celery sees to that for its other processes alone.

    Otherwise that of a worker that was killed, or stopped while it started, goes on for ever beside the next worker's.
    """
    set_pdeathsig("SIGKILL")
    if os.getppid() != current_process()._parent_pid:  # type: ignore[attr-defined] # noqa: SLF001 - it is dead already
        sys.exit()
