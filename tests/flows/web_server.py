"""The real web server, and the process of the check, beside the tests, on the test's own database."""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from types import MappingProxyType

from django.conf import settings

from governance.platform.processes import check_server_command, web_command
from tests.flows.worker import environment
from tests.servers import end, free_port
from tests.waiting import PATIENCE


@contextmanager
def running_web_server(threads: int = 8, *, port: int = 0, **environ: str) -> Iterator[int]:
    """The port of a web server that answers: any that is free, unless one is given."""
    port = port or free_port()
    command = web_command(host="127.0.0.1", port=port, workers=1)
    with running_server(command, port, {"WEB_THREADS": str(threads)} | environ):
        yield port


@contextmanager
def running_check(workers: int = 1, *, port: int = 0, **environ: str) -> Iterator[int]:
    """The port of a process of the check that answers: any that is free, unless one is given."""
    port = port or free_port()
    command = check_server_command(host="127.0.0.1", port=port, workers=workers)
    with tempfile.TemporaryDirectory() as folder, running_server(command, port, {"CHECK_FOLDER": folder} | environ):
        yield port


@contextmanager
def running_server(command: list[str], port: int, environ: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment() | dict(environ))
    try:
        _wait_for_answer(server, port)
        yield
    finally:
        end(server)


def _wait_for_answer(server: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        assert server.poll() is None, "the web server ended by itself"
        assert time.monotonic() < until, "the web server does not answer"
        caller = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            caller.request("GET", "/health/")
            caller.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            caller.close()
