"""Where there is no space for large bodies they are refused, and small ones are taken."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.flows.test_slow_bodies import EMPTY, EVENTS, asked, issued_key
from tests.flows.web_server import running_web_server
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

MIB = 2**20


@pytest.fixture
def full_folder() -> Iterator[Path]:
    """A folder that takes one MiB."""
    folder = Path(tempfile.mkdtemp(prefix="stillwatch-temp-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "stillwatch-test", str(folder)]
    try:
        if sys.platform != "linux" or subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("only root may mount a small disk, on Linux")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


def test_a_large_body_is_answered_503(full_folder: Path) -> None:
    secret, answers = issued_key("large"), {}
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    with running_web_server(TMPDIR=str(full_folder)) as web:
        for size in (MIB + 100, MIB + 4_000, MIB + 8_000, MIB + 20_000, 2 * MIB):
            with closing(HTTPConnection("127.0.0.1", web, timeout=PATIENCE)) as caller:
                caller.request("POST", EVENTS, b" " * size, headers)
                answer = caller.getresponse()
                answers[size] = (answer.status, answer.headers["Content-Type"])
        taken = asked(web, "POST", EVENTS, secret, EMPTY)

    assert set(answers.values()) == {(503, "application/problem+json")}
    assert taken == 202
