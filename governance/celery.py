"""The Celery application. Its tasks are in governance/tasks.py, its timetable in settings.CELERY_BEAT_SCHEDULE."""

import os
import sys
from typing import Any

from billiard.process import current_process
from celery import Celery
from celery.platforms import set_pdeathsig  # type: ignore[attr-defined]
from celery.signals import beat_embedded_init, task_prerun
from django.conf import settings
from django.db import close_old_connections

from governance import timeouts

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
if not settings.configured:  # else this is another process, which only sends tasks
    timeouts.say_kind("worker")

app = Celery("stillwatch")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("governance.tasks",)
# Else Celery closes the database connection before and after every task: 17 ms for one that finds nothing to do,
# against 5 ms. Connections are looked after as in a request instead: checked, and replaced when they are old.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


@task_prerun.connect
def look_after_connections(**_: Any) -> None:
    close_old_connections()


@beat_embedded_init.connect
def end_with_worker(**_: Any) -> None:
    """A worker's timetable ends with it, however it ends; Celery sees to that for its other processes alone.

    Else one whose worker was killed hard, or told to end while it started, goes on for ever beside the next worker's.
    """
    set_pdeathsig("SIGKILL")
    if os.getppid() != current_process()._parent_pid:  # type: ignore[attr-defined] # noqa: SLF001 - it is dead already
        sys.exit()
