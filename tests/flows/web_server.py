"""The real web server beside the tests, on the test's own database."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from django.conf import settings

from tests.flows.worker import environment
from tests.servers import end, free_port
from tests.waiting import PATIENCE


@contextmanager
def running_web_server(*, port: int = 0, **environ: str) -> Iterator[int]:
    """The port of a web server that answers: any that is free, unless one is given."""
    port = port or free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--log-level", "error"]
    command += ["--blocking-threads", "8", "governance.wsgi:application"]
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment() | environ)
    try:
        _wait_for_answer(server, port)
        yield port
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
