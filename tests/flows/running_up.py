"""A running `manage.py up` on a data folder of its own: what it says, its processes, and calls to it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until

# What a call may end with while the server it goes to is away.
NO_ANSWER = (OSError, HTTPException, ValueError)
TERMS = {"kind": "block", "reason": "bulk_harvest"}
OWN = {"DATABASE_URL", "BROKER_URL", "STILLWATCH_URL", "DJANGO_SETTINGS_MODULE"}


class Up:
    """A running `manage.py up`, with what it has said so far."""

    def __init__(
        self, data: Path, port: int, demo: str = "small", environment: Mapping[str, str] | None = None
    ) -> None:
        self.data, self.port, self.check_port, self.said = data, port, free_port(), ""
        self.environment = {name: value for name, value in os.environ.items() if name not in OWN}
        self.environment |= {"STILLWATCH_DATA": str(data), "STILLWATCH_DEMO": demo}
        self.environment |= {"PORT": str(port), "CHECK_PORT": str(self.check_port), **(environment or {})}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            for line in out:
                self.said += line

    def wait_until_ready(self) -> None:
        until = time.monotonic() + 4 * PATIENCE  # eight processes start
        while not re.search("^ready: ", self.said, re.MULTILINE):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.1)

    def family(self) -> list[psutil.Process]:
        """Its child processes, and whatever else works on its data folder."""
        return [*psutil.Process(self.process.pid).children(recursive=True), *self.at_work()]

    def at_work(self) -> list[psutil.Process]:
        """Every process but its own that was started for its data folder, also one whose parent is gone."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                is_named = str(self.data) in " ".join(process.cmdline())
                if is_named or process.environ().get("STILLWATCH_DATA") == str(self.data):
                    found.append(process)
        return [process for process in found if process.pid != self.process.pid]

    def end(self, sign: signal.Signals) -> int:
        self.process.send_signal(sign)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        return status

    def sign_ins(self) -> list[str]:
        return re.findall(r"^  .*@.*$", self.said, re.MULTILINE)


@pytest.fixture
def data() -> Iterator[Path]:
    """Not pytest's own temporary folder: under root PostgreSQL's user could not reach that."""
    with tempfile.TemporaryDirectory(prefix="stillwatch-up-") as folder:
        yield Path(folder)


def health(port: int) -> int:
    caller = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        caller.request("GET", "/health/")
        return caller.getresponse().status
    finally:
        caller.close()


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def left_of(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that do not end. The kernel may list a killed process for a while."""
    until = time.monotonic() + PATIENCE
    while (left := alive(processes)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


@contextmanager
def running_up(data: Path, environment: Mapping[str, str] | None = None) -> Iterator[Up]:
    """`manage.py up` without a demonstration, ready, until the block ends."""
    one = Up(data, free_port(), demo="none", environment=environment)
    try:
        one.wait_until_ready()
        yield one
    finally:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)


@pytest.fixture
def up(data: Path) -> Iterator[Up]:
    with running_up(data) as one:
        yield one


def manage(up: Up, *arguments: str) -> str:
    status, said = manage_status(up, *arguments)
    assert status == 0, said
    return said


def manage_status(up: Up, *arguments: str) -> tuple[int, str]:
    """What a command ends with, and what it says."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=up.environment, capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout or done.stderr).strip()


def call(
    port: int, method: str, path: str, secret: str, body: Any = None, *, timeout: float = PATIENCE
) -> tuple[int, Any]:
    caller = HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        caller.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = caller.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        caller.close()


def decision(port: int, secret: str, account: str) -> str:
    """What the check decides, or the status that it answers with instead."""
    status, said = call(port, "GET", f"/access/check?account={account}", secret)
    return str(said["decision"]) if status == 200 else str(status)


def block(up: Up, secret: str, name: str) -> None:
    """Block an account as soon as the API takes it."""

    def is_taken() -> bool:
        try:
            status, said = call(up.port, "POST", "/api/v1/restrictions", secret, TERMS | {"account": name})
        except NO_ANSWER:
            return False
        assert status < 300 or status >= 500, said
        return status < 300

    wait_until(is_taken, f"{name} is blocked")


def children(up: Up, part: str) -> list[psutil.Process]:
    """The processes of `up` with this in their command lines."""
    return [p for p in psutil.Process(up.process.pid).children() if part in p.cmdline()]


def worker_of(server: psutil.Process) -> psutil.Process:
    return next(p for p in server.children() if p.cmdline() == server.cmdline())


def server_of(up: Up, program: str) -> psutil.Process:
    found = [p for p in up.family() if p.name().startswith(program)]
    return next(p for p in found if p.parent() not in found)


VICTIMS: dict[str, Callable[[Up], psutil.Process]] = {
    "scheduler": lambda up: children(up, "beat")[0],
    "courier": lambda up: children(up, "courier@%h")[0],
    "worker": lambda up: next(p for p in children(up, "worker") if "delivery" not in p.cmdline()),
    "worker of the web server": lambda up: worker_of(children(up, "governance.asgi:application")[0]),
    "web server": lambda up: children(up, "governance.asgi:application")[0],
    "Valkey": lambda up: server_of(up, "valkey"),
    "PostgreSQL": lambda up: server_of(up, "postgres"),
    "worker of the check": lambda up: worker_of(children(up, "governance.check:application")[0]),
    "check": lambda up: children(up, "governance.check:application")[0],
}
