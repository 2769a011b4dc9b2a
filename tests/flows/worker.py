"""A real Celery worker beside the tests, on the test's own database and broker."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection


def environment() -> dict[str, str]:
    """What a process of Stillwatch needs to work on the database and the broker of this test."""
    url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "governance.settings",
        "DATABASE_URL": url,
        "BROKER_URL": settings.BROKER_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "FINGERPRINT_KEY": settings.FINGERPRINT_KEY.decode(),
        "EXCERPT_KEY": settings.EXCERPT_KEYS[0].decode(),
        "SERVICE_KEY_PEPPER": ";".join(settings.SERVICE_KEY_PEPPERS),
        "AUDIT_KEY": ";".join(settings.AUDIT_KEYS),
        "AUDIT_FOLDER": str(settings.AUDIT_FOLDER),
        "AUDIT_ORIGIN": settings.AUDIT_ORIGIN,
        "EVIDENCE_FOLDER": str(settings.EVIDENCE_FOLDER),
    }


def owner_address() -> str:
    """The address of this test's database for the owner of its tables."""
    path = f"/{connection.settings_dict['NAME']}"
    return urlsplit(settings.MIGRATE_DATABASE_URL)._replace(path=path).geturl()


@contextmanager
def running_worker(timetable: Path | None = None, *, queues: str = "celery") -> Iterator["subprocess.Popen[bytes]"]:
    """A worker; with `timetable`, the path of a file it may use, it keeps the timetable too."""
    command = [sys.executable, "-m", "celery", "-A", "governance", "worker"]
    command += ["--concurrency", "1", "--loglevel", "WARNING", "--queues", queues]
    if timetable is not None:
        command += ["--beat", "--schedule", str(timetable)]
    worker = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment(), start_new_session=True)
    try:
        yield worker
    finally:
        kill(worker)


def kill(worker: "subprocess.Popen[bytes]") -> None:
    """`kill -9` the worker and every process it made."""
    try:
        os.killpg(worker.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    worker.wait()
