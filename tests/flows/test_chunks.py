"""Usage sent in chunks, without saying how long it is, to the real web server."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection

import pytest
from django.conf import settings

from tests.factories import line, service_key
from tests.flows.worker import environment
from tests.servers import free_port
from tests.waiting import PATIENCE


@contextmanager
def running_web_server() -> Iterator[HTTPConnection]:
    """A line to a web server on this test's database."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen([*command, "governance.wsgi:application"], cwd=settings.BASE_DIR, env=environment())
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as caller:
            _wait_for_answer(caller)
            yield caller
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _wait_for_answer(caller: HTTPConnection) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            caller.request("GET", "/health/")
            caller.getresponse().read()
        except OSError:
            assert time.monotonic() < until
            caller.close()
            time.sleep(0.1)
        else:
            return


@pytest.mark.django_db(transaction=True)
class TestABodySentInChunks:
    def test_is_read_whole(self) -> None:
        now = datetime.now(UTC).isoformat()
        chunks = [line(id=f"req_{number}", occurred_at=now) + b"\n" for number in range(2_000)]
        _, shown = service_key("usage:write")
        headers = {"Authorization": shown["HTTP_AUTHORIZATION"], "Content-Type": "application/x-ndjson"}

        with running_web_server() as caller:
            caller.request("POST", "/api/v1/usage-events", iter(chunks), headers)
            answer = caller.getresponse()
            said = json.loads(answer.read())

        assert answer.status == 202
        assert (said["accepted"], said["rejected"]) == (2_000, 0)
