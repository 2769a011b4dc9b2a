"""`manage.py up`: all of Stillwatch on one machine, until Ctrl-C.

Starts the embedded servers (unless DATABASE_URL and BROKER_URL name others), brings the database up to date,
and keeps two processes running: the Celery worker with its scheduler, and Granian. If one ends, all do.
"""

import ctypes
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import Account
from governance import embedded
from governance.audit.actor import Actor
from governance.audit.models import Entry
from governance.staff.actions import SignIn, ensure_demo_staff

HOST = "127.0.0.1"
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # of Linux's <sys/prctl.h>
# How a process is told to end and how many seconds it then has: Celery finishes its tasks, then drops them.
ENDINGS = ((signal.SIGTERM, 6.0), (signal.SIGQUIT, 3.0))

Processes = dict[str, subprocess.Popen[bytes]]


class Command(BaseCommand):
    help = "Start Stillwatch on this machine and keep it running until Ctrl-C."
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        """Raises CommandError, with one line, for whatever keeps Stillwatch from running."""
        _interrupt_on_signals()
        try:
            with ExitStack() as running:
                running.enter_context(_alone_in(settings.DATA_DIR))
                port = _free_port()
                if settings.EMBEDDED:
                    self._say(f"Starting PostgreSQL and Valkey in {settings.DATA_DIR}")
                    running.enter_context(embedded.start(settings.DATA_DIR))
                sign_ins = self._prepare()
                self._say("Starting the worker and the web server")
                processes = running.enter_context(_processes(port))
                self._wait_for_answer(processes, port)
                self._welcome(sign_ins, port)
                while True:
                    _check(processes)
                    time.sleep(1)
        except KeyboardInterrupt:
            self._say("Stopped.")
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename or settings.DATA_DIR}") from error
        except (OperationalError, embedded.ServersError) as error:
            raise CommandError(str(error).strip().splitlines()[0]) from error

    def _prepare(self) -> list[SignIn]:
        self._say("Bringing the database up to date")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        sign_ins: list[SignIn] = []
        if settings.DEMO != "none":
            # What has a log has begun its life already, if only with somebody who may sign in.
            if not Account.objects.exists() and not Entry.objects.exists():
                call_command("load_demo")
            sign_ins = ensure_demo_staff(settings.DEMO_STAFF_FILE, by=Actor.system("up"), now=timezone.now())
        connection.close()
        return sign_ins

    def _wait_for_answer(self, processes: Processes, port: int) -> None:
        until = time.monotonic() + 60
        while not _answers(port):
            _check(processes)
            if time.monotonic() > until:
                raise CommandError(f"the web server does not answer at http://{HOST}:{port}/health/")
            time.sleep(0.1)

    def _welcome(self, sign_ins: list[SignIn], port: int) -> None:
        if sign_ins:
            self._say("\nSign in with one of these, made for this machine alone:")
        for role, email, password in sign_ins:
            self._say(f"  {role:<10}{email:<28}{password}")
        if not sign_ins:
            self._say("\nTo let somebody sign in: manage.py add_user EMAIL --name NAME --role admin")
        self._say(f"\nready: http://{HOST}:{port}/")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _interrupt_on_signals() -> None:
    """Ctrl-C, `kill` and a closed terminal end the same way. A second one must not disturb the tidying up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for sign in signs:
            signal.signal(sign, signal.SIG_IGN)
        raise KeyboardInterrupt

    # SIGINT in any case: what a shell sends to the background starts with it ignored. SIGHUP not under nohup.
    signs = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signs.append(signal.SIGHUP)
    for sign in signs:
        signal.signal(sign, interrupt)


def _free_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise CommandError(f"PORT must be a number from 1 to 65535, not {text!r}")
    until = time.monotonic() + 5  # what a killed Stillwatch left behind takes a moment to end
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, int(text)))
            except OSError as error:
                if time.monotonic() > until:
                    raise CommandError(
                        f"port {text} cannot be used ({error.strerror}): try another, as PORT=8001 make run"
                    ) from error
            else:
                return int(text)
        time.sleep(0.2)


@contextmanager
def _alone_in(data: Path) -> Iterator[None]:
    data.mkdir(0o700, parents=True, exist_ok=True)
    with (data / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise CommandError(
                f"Stillwatch already runs in {data} (process {lock.read()}); a second one needs its own "
                "STILLWATCH_DATA and PORT"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _processes(port: int) -> Iterator[Processes]:
    level = os.environ.get("LOG_LEVEL", "WARNING")
    environment = os.environ | {"STILLWATCH_URL": f"http://{HOST}:{port}", "LOG_LEVEL": level}
    celery = ["-W", "ignore:You're running the worker"]  # under root Celery says so at length
    celery += ["-m", "celery", "--quiet", "-A", "governance", "worker", "--loglevel", level]
    celery += ["--without-gossip", "--without-mingle"]
    worker = ["--concurrency", "2", "--beat", "--schedule", str(settings.DATA_DIR / "timetable")]
    courier = ["--queues", "delivery", "--pool", "threads", "--concurrency", "8", "--hostname", "courier@%h"]
    granian = ["-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--no-ws"]
    threads = str(settings.GATEWAYS_WAITING + 16)
    granian += ["--workers", "2", "--blocking-threads", threads, "--workers-kill-timeout", "5"]
    # Its only warning is about many threads; nearly all of these sleep until a change comes.
    granian += ["--log-level", "error" if level == "WARNING" else level.lower(), "governance.wsgi:application"]
    commands = {"worker": [*celery, *worker], "courier": [*celery, *courier], "web server": granian}
    processes: Processes = {}
    try:
        for name, command in commands.items():
            processes[name] = subprocess.Popen(
                [sys.executable, *command],
                cwd=settings.BASE_DIR,
                env=environment,
                process_group=0,  # a terminal's Ctrl-C is to reach this process alone, which then ends them
                preexec_fn=_end_with_parent,  # noqa: PLW1509 no thread runs here
            )
        yield processes
    finally:
        _end(processes)


def _end_with_parent() -> None:
    """Where this process is killed hard, Linux ends its children."""
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(processes: Processes) -> None:
    for sign, patience in ENDINGS:
        until = time.monotonic() + patience
        for process in processes.values():
            process.send_signal(sign)
        for process in processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
    for process in processes.values():
        with suppress(ProcessLookupError, PermissionError):  # usually the whole group is gone
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _check(processes: Processes) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            raise CommandError(f"the {name} ended by itself with status {process.returncode}")
    if settings.EMBEDDED and (silent := embedded.silent(settings.DATA_DIR)):
        raise CommandError(f"{' and '.join(silent)} ended by itself")


def _answers(port: int) -> bool:
    caller = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        caller.request("GET", "/health/")
        return caller.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        caller.close()
