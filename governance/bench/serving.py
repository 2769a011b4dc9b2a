"""The web server, and what else works on the database of a benchmark, as processes of their own."""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
from django.conf import settings
from django.db import connection

from governance.platform.processes import check_server_command, web_command

HOST = "127.0.0.1"


def environment_of(port: int) -> dict[str, str]:
    """What a process of Stillwatch needs to work on the database of this benchmark."""
    path = f"/{connection.settings_dict['NAME']}"
    return os.environ | {
        "DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=path).geturl(),
        "MIGRATE_DATABASE_URL": urlsplit(settings.MIGRATE_DATABASE_URL)._replace(path=path).geturl(),
        "BROKER_URL": settings.BROKER_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "FINGERPRINT_KEY": settings.FINGERPRINT_KEY.decode(),
        "EXCERPT_KEY": settings.EXCERPT_KEYS[0].decode(),
        "SERVICE_KEY_PEPPER": ";".join(settings.SERVICE_KEY_PEPPERS),
        "STILLWATCH_URL": f"http://{HOST}:{port}",
        "INTAKE_MAX_LAG": "0",
        "LOG_LEVEL": "WARNING",
    }


@contextmanager
def web_server(workers: int = 2, threads: int = 128, **settings_of_it: str) -> Iterator[tuple[int, psutil.Process]]:
    """The web server as `manage.py up` runs it, on the database of this benchmark; its port and its process."""
    port = free_port()
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # no page is asked for, and none is collected
    settings_of_it |= {"WEB_THREADS": str(threads)}
    with _running(web_command(host=HOST, port=port, workers=workers), port, settings_of_it) as process:
        yield port, process


@contextmanager
def check_server(workers: int = 2, application: str = "") -> Iterator[tuple[int, psutil.Process]]:
    """The process of the check as `manage.py up` runs it, or another application in its place; port and process."""
    port = free_port()
    command = check_server_command(host=HOST, port=port, workers=workers)
    if application:
        command[-1] = application
    with _running(command, port, {}) as process:
        yield port, process


@contextmanager
def _running(command: list[str], port: int, settings_of_it: dict[str, str]) -> Iterator[psutil.Process]:
    environment = environment_of(port) | settings_of_it
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    try:
        wait_until_it_answers(port)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def wait_until_it_answers(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        caller = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            caller.request("GET", "/health/")
            caller.getresponse().read()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
        finally:
            caller.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
