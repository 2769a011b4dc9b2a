"""`manage.py up` starts again what dies, and gateways are answered all the while."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from governance import embedded
from tests.flows.test_up import OWN, Up, data, health, left_of
from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until

__all__ = ["data"]  # a fixture

TERMS = {"kind": "block", "reason": "bulk_harvest"}
# What a call may end with while the server it goes to is away.
NO_ANSWER = (OSError, HTTPException, ValueError)
# A process that was killed takes connections until the kernel has closed its socket, which a busy machine delays.
TRIES = 10

# A process that was killed takes connections until the kernel has closed its socket, which a busy machine delays.
TRIES = 10


def manage(up: Up, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in OWN}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment | {"STILLWATCH_DATA": str(up.data)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def call(port: int, method: str, path: str, secret: str, body: Any = None) -> tuple[int, Any]:
    caller = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
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


class Asker:
    """Asks for a blocked customer without a pause; a connection that is cut is tried again, as gateways do."""

    def __init__(self, port: int, secret: str) -> None:
        self.answers: Counter[str] = Counter()
        self.cut = 0
        self._port, self._secret = port, secret
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask_on)
        self._thread.start()

    def _ask_on(self) -> None:
        while not self._ended.is_set():
            self.answers[self._answer()] += 1

    def _answer(self) -> str:
        said = ""
        for _ in range(TRIES):
            try:
                return decision(self._port, self._secret, "acct_mole")
            except NO_ANSWER as error:
                self.cut += 1
                said = repr(error)
        return said

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


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
    "worker of the web server": lambda up: worker_of(children(up, "governance.wsgi:application")[0]),
    "web server": lambda up: children(up, "governance.wsgi:application")[0],
    "Valkey": lambda up: server_of(up, "valkey"),
    "PostgreSQL": lambda up: server_of(up, "postgres"),
    "worker of the check": lambda up: worker_of(children(up, "governance.check:application")[0]),
    "check": lambda up: children(up, "governance.check:application")[0],
}


# For each an account that is blocked after its end.
ACCOUNTS = {name: f"acct_{place}" for place, name in enumerate(VICTIMS)}


def is_back(up: Up, victim: str, killed: int) -> bool:
    try:
        return VICTIMS[victim](up).pid != killed and embedded.silent(up.data) == [] and health(up.port) == 200
    except (*NO_ANSWER, LookupError, StopIteration, psutil.Error):
        return False


@pytest.fixture
def up(data: Path) -> Iterator[Up]:
    one = Up(data, free_port(), demo="none")
    try:
        one.wait_until_ready()
        yield one
    finally:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)


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


@pytest.mark.long
def test_whatever_is_killed_is_started_again_and_every_question_is_answered(up: Up, tmp_path: Path) -> None:
    register = tmp_path / "accounts.jsonl"
    register.write_text("".join(f'{{"account": "{name}"}}\n' for name in ["acct_mole", *ACCOUNTS.values()]))
    manage(up, "import_accounts", str(register))
    asking = manage(up, "issue_service_key", "asking", "--scope", "access:read")
    restricting = manage(up, "issue_service_key", "restricting", "--scope", "restrictions:write")
    block(up, restricting, "acct_mole")
    wait_until(lambda: decision(up.check_port, asking, "acct_mole") == "deny", "the block is in force")
    asker, answered = Asker(up.check_port, asking), {}
    orphans: list[psutil.Process] = []
    for name, victim in VICTIMS.items():
        process, account = victim(up), ACCOUNTS[name]
        orphans += process.children(recursive=True)
        process.kill()
        wait_until(lambda name=name, pid=process.pid: is_back(up, name, pid), f"the {name} is back")  # type: ignore[misc]
        block(up, restricting, account)
        wait_until(
            lambda account=account: decision(up.check_port, asking, account) == "deny",  # type: ignore[misc]
            f"a block made after the end of the {name} is in force",
        )
        answered[name] = dict(asker.answers)
    asker.end()
    left_while_up_runs = left_of(orphans)
    family = up.family()
    status = up.end(signal.SIGINT)

    sys.stdout.write(f"{sum(asker.answers.values())} answers, {asker.cut} connections cut and tried again\n")
    assert set(asker.answers) == {"deny"}, answered
    assert up.said.count("starting") >= 7, up.said
    assert "Traceback" not in up.said
    assert status == 0
    assert left_while_up_runs == []
    assert left_of(family) == []
    assert up.at_work() == []
