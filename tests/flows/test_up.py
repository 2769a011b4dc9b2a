import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from tests.servers import free_port
from tests.waiting import PATIENCE

OWN = {"DATABASE_URL", "BROKER_URL", "STILLWATCH_URL", "DJANGO_SETTINGS_MODULE"}


class Up:
    """A running `manage.py up`, with what it has said so far."""

    def __init__(self, data: Path, port: int, demo: str = "small") -> None:
        self.data, self.port, self.check_port, self.said = data, port, free_port(), ""
        environment = {name: value for name, value in os.environ.items() if name not in OWN}
        environment |= {"STILLWATCH_DATA": str(data), "STILLWATCH_DEMO": demo}
        environment |= {"PORT": str(port), "CHECK_PORT": str(self.check_port)}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen)
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
    """Those that do not end. What was killed is listed until the kernel has come to it, which a busy machine delays."""
    until = time.monotonic() + PATIENCE
    while (left := alive(processes)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


class TestUp:
    def test_serves_until_ctrl_c_which_leaves_nothing_running(self, data: Path) -> None:
        up = Up(data, free_port())

        up.wait_until_ready()
        answer = health(up.port)
        family = up.family()
        status = up.end(signal.SIGINT)

        assert answer == 200
        assert len(family) > 4
        assert left_of(family) == []
        assert up.at_work() == []
        assert status == 0
        assert f"\nready: http://127.0.0.1:{up.port}/\n" in up.said
        assert "Traceback" not in up.said

    @pytest.mark.long
    def test_goes_on_after_a_hard_kill_with_what_there_was(self, data: Path) -> None:
        first = Up(data, free_port())
        first.wait_until_ready()
        family = first.family()
        first.end(signal.SIGKILL)

        second = Up(data, first.port)
        second.wait_until_ready()
        family += second.family()
        status = second.end(signal.SIGTERM)

        assert len(second.sign_ins()) == 3
        assert second.sign_ins() == first.sign_ins()
        assert "Loaded the demonstration" not in second.said
        assert status == 0
        assert left_of(family) == []
        assert second.at_work() == []


class TestUpRefuses:
    def test_a_port_in_use(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            up = Up(data, taken.getsockname()[1])
            status = up.wait()

        assert status == 1
        assert up.said.count("\n") == 1
        assert f"port {up.port} cannot be used (Address already in use)" in up.said

    def test_a_data_folder_that_another_one_uses(self, data: Path) -> None:
        with (data / "up.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            up = Up(data, free_port())
            status = up.wait()

        assert status == 1
        assert up.said.count("\n") == 1
        assert f"already runs in {data}" in up.said

    def test_a_data_folder_that_is_none(self, data: Path) -> None:
        (data / "file").touch()

        up = Up(data / "file", free_port())
        status = up.wait()

        assert (status, up.said) == (1, f"stillwatch: File exists: {data / 'file'}\n")
