"""Keep processes running: one that ends is started again, after a pause that grows while it keeps ending."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from governance.platform import embedded
from governance.platform.embedded_home import ServersError

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # of Linux's <sys/prctl.h>
# How a process is asked to end, and how many seconds it then has: Celery finishes its tasks, then drops them.
ENDINGS = ((signal.SIGTERM, 6.0), (signal.SIGQUIT, 3.0))
# Seconds before the next start, by how often in a row the process ended soon.
PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
# A process that ran for so many seconds is in order: its next end counts as the first.
IN_ORDER_AFTER = 20.0
# So long the workers that a killed web server left may go on answering, while the next one starts.
SUCCESSION_SECONDS = 60.0  # a busy machine starts it slowly

Say = Callable[[str], None]


class Supervised:
    """A process with a group of its own, so that nothing it has started outlives it.

    With `workers_answer_on` what it has started may go on for a while after it was killed: workers of a web server
    take requests without it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: dict[str, str],
        workers_answer_on: bool = False,
    ) -> None:
        self.name = name
        self._command, self._cwd, self._environment = list(command), cwd, environment
        self._workers_answer_on = workers_answer_on
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = self._start_at = float("-inf")
        self._ended_soon = 0
        self._left_behind: list[tuple[int, signal.Signals, float]] = []  # groups, and what they are to get when

    def start(self, now: float) -> None:
        """Raises OSError where there is no such program."""
        self._started_at = now
        self._process = subprocess.Popen(
            self._command,
            cwd=self._cwd,
            env=self._environment,
            process_group=0,  # a terminal's Ctrl-C is to reach the parent alone, which then ends its processes
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - no other thread holds a lock that this needs
        )

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    @property
    def status(self) -> int | None:
        """The exit status where it has ended; negative: the signal that ended it."""
        return self._process.poll() if self._process is not None else None

    def keep_running(self, now: float, say: Say) -> None:
        """Start it again where it has ended, once its pause is over; call this often. Raises OSError."""
        self._end_left_behind(now)
        if self._process is None:
            if now >= self._start_at:
                self.start(now)
            return
        status = self.status
        if status is None:
            return
        self._ended_soon = 0 if now - self._started_at > IN_ORDER_AFTER else self._ended_soon + 1
        pause = PAUSES[min(self._ended_soon, len(PAUSES) - 1)]
        after = f" in {pause:.0f} s" if pause else ""
        say(f"The {self.name} ended ({_describe_status(status)}); starting it again{after}.")
        if self._workers_answer_on:
            group, until = self._process.pid, now + SUCCESSION_SECONDS
            self._left_behind += [(group, signal.SIGTERM, until), (group, signal.SIGKILL, until + ENDINGS[0][1])]
        else:
            _signal_group(self._process.pid, signal.SIGKILL)
        self._process, self._start_at = None, now + pause

    def _end_left_behind(self, now: float) -> None:
        for group, sign, at in self._left_behind:
            if now >= at:
                _signal_group(group, sign)
        self._left_behind = [due for due in self._left_behind if now < due[2]]

    def ask_to_end(self, sign: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(sign)

    def wait(self, seconds: float) -> None:
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)

    def kill(self) -> None:
        for group, _, _ in self._left_behind:
            _signal_group(group, signal.SIGKILL)
        if self._process is not None:
            _signal_group(self._process.pid, signal.SIGKILL)  # usually the whole group is gone
            self._process.wait()


def end_all(processes: Iterable[Supervised]) -> None:
    processes = list(processes)
    for sign, patience in ENDINGS:
        until = time.monotonic() + patience
        for process in processes:
            process.ask_to_end(sign)
        for process in processes:
            process.wait(max(0.0, until - time.monotonic()))
    for process in processes:
        process.kill()


class SupervisedServers:
    """The embedded servers of a data folder. PostgreSQL may take a while to recover: nothing else waits for that."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._thread: threading.Thread | None = None
        self._failed, self._start_at = 0, float("-inf")

    def keep_running(self, now: float, say: Say) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        silent = embedded.silent_servers(self._data)
        if not silent:
            self._failed = 0
        elif now >= self._start_at:
            if not self._failed:
                say(f"{' and '.join(silent)} ended; starting again.")
            self._failed += 1
            self._start_at = now + PAUSES[min(self._failed, len(PAUSES) - 1)]
            self._thread = threading.Thread(target=self._start, args=(say,), name="servers")
            self._thread.start()

    def _start(self, say: Say) -> None:
        try:
            embedded.restart(self._data)
        except ServersError as error:
            if self._failed == 1:
                say(f"{error}; trying until it works.")

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()


def _end_with_parent() -> None:
    """Where this process is killed hard, Linux ends its children."""
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(group: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, sign)


def _describe_status(status: int) -> str:
    return f"status {status}" if status >= 0 else signal.Signals(-status).name
