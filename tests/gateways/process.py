"""A gateway as a process of its own, on loopback only."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from tests.servers import end
from tests.waiting import PATIENCE


class Answer(NamedTuple):
    """What a gateway answers a customer."""

    status: int
    headers: Mapping[str, str]
    body: str


def ask(port: int, *, path: str = "/v1/chat/completions", **headers: str) -> Answer:
    """What the gateway answers a customer."""
    caller = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        caller.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = caller.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
    finally:
        caller.close()


def status(port: int, *, path: str = "/v1/chat/completions", **headers: str) -> tuple[int, str]:
    """What the gateway answers a customer, and its body."""
    answer = ask(port, path=path, **headers)
    return answer.status, answer.body


@contextmanager
def running(
    command: Sequence[str | Path], port: int, folder: Path, *, cwd: Path | None = None, **environment: str
) -> Iterator[None]:
    log = folder / "log"
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=cwd or folder, stdout=said, stderr=said, env=os.environ | environment)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            try:
                status(port)
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        end(process)
