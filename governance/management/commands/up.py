"""`manage.py up`: all of Stillwatch on one machine, until Ctrl-C.

Starts the embedded servers (unless DATABASE_URL and BROKER_URL name others), brings the database up to date, and keeps
five processes running: the check that gateways ask, the web server, Celery's worker, courier and scheduler. What ends
is started again, and said in a line; the others go on meanwhile.
"""

import fcntl
import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import Account
from governance.audit.actor import Actor
from governance.audit.models import Entry
from governance.demo.gateways import GatewaySecrets, usable_secrets
from governance.demo.live_gateways import running_gateways
from governance.platform import embedded
from governance.platform.ports import refuse_used_port
from governance.platform.processes import (
    check_server_command,
    courier_command,
    scheduler_command,
    web_command,
    worker_command,
)
from governance.platform.supervision import Supervised, SupervisedServers, end_all
from governance.staff.actions import DemoSignIn, ensure_demo_staff

HOST = "127.0.0.1"
WEB_SERVERS = {"check", "web server"}
LOOK_EVERY = 0.2  # seconds
STARTS_WITHIN = 300.0  # seconds; a process that cannot start ends before that


class Command(BaseCommand):
    help = "Start Stillwatch on this machine and keep it running until Ctrl-C."
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        """Raises CommandError, with one line, for whatever keeps Stillwatch from running."""
        _interrupt_on_signals()
        try:
            with ExitStack() as running:
                running.enter_context(_alone_in(settings.DATA_DIR))
                running.callback(settings.CHECK_URL_FILE.unlink, missing_ok=True)
                port, check_port = settings.PORT, settings.CHECK_PORT
                refuse_used_port("PORT", HOST, port)
                refuse_used_port("CHECK_PORT", HOST, check_port)
                if settings.EMBEDDED:
                    self._say(f"Starting PostgreSQL and Valkey in {settings.DATA_DIR}")
                    running.enter_context(embedded.start(settings.DATA_DIR))
                sign_ins, gateways = self._prepare()
                self._say("Starting the check, the web server and the workers")
                settings.CHECK_URL_FILE.write_text(f"http://{HOST}:{check_port}\n")
                processes = running.enter_context(_processes(port, check_port))
                for name, at in (("check", check_port), ("web server", port)):
                    self._wait_for_answer(processes, name, at)
                    self._say(f"The {name} answers")
                if gateways is not None:
                    folder = settings.DATA_DIR / "demo-gateway"
                    running.enter_context(running_gateways(gateways, f"http://{HOST}:{check_port}", folder))
                self._welcome(sign_ins, port)
                self._keep_running(processes)
        except KeyboardInterrupt:
            self._say("Stopped.")
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename or settings.DATA_DIR}") from error
        except (OperationalError, embedded.ServersError) as error:
            raise CommandError(str(error).strip().splitlines()[0]) from error

    def _prepare(self) -> tuple[list[DemoSignIn], GatewaySecrets | None]:
        self._say("Bringing the database up to date")
        call_command("migrate", interactive=False, verbosity=0)
        self._say("Collecting the files of the pages")
        call_command("collectstatic", interactive=False, verbosity=0)
        sign_ins: list[DemoSignIn] = []
        gateways: GatewaySecrets | None = None
        if settings.DEMO != "none":
            # What has a log has begun its life already, if only with somebody who may sign in.
            if not Account.objects.exists() and not Entry.objects.exists():
                minutes = "a minute" if settings.DEMO == "small" else "some minutes"
                self._say(f"Loading the demonstration, once; it takes {minutes}")
                call_command("load_demo")
            sign_ins = ensure_demo_staff(settings.DEMO_STAFF_FILE, by=Actor.system("up"), now=timezone.now())
            gateways = usable_secrets(settings.DEMO_GATEWAYS_FILE, now=timezone.now())
        connection.close()
        return sign_ins, gateways

    def _wait_for_answer(self, processes: dict[str, Supervised], name: str, port: int) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while not _answers(port):
            _refuse_ended(processes)
            if time.monotonic() > until:
                raise CommandError(f"the {name} does not answer at http://{HOST}:{port}/health/")
            time.sleep(0.1)

    def _keep_running(self, processes: dict[str, Supervised]) -> None:
        """Until somebody says that it is to end."""
        supervised: list[Supervised | SupervisedServers] = [*processes.values()]
        servers = SupervisedServers(settings.DATA_DIR)
        if settings.EMBEDDED:
            supervised.append(servers)
        try:
            while True:
                for one in supervised:
                    one.keep_running(time.monotonic(), self._say)
                time.sleep(LOOK_EVERY)
        finally:
            servers.wait()

    def _welcome(self, sign_ins: list[DemoSignIn], port: int) -> None:
        if sign_ins:
            self._say("\nSign in with one of these, made for this machine only:")
        for role, email, password in sign_ins:
            self._say(f"  {role:<10}{email:<28}{password}")
        if not sign_ins:
            self._say("\nTo let somebody sign in: manage.py add_user EMAIL --name NAME --role admin")
        self._say(f"\nGateways ask at http://{HOST}:{settings.CHECK_PORT}/")
        self._say(f"ready: http://{HOST}:{port}/")

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
def _processes(port: int, check_port: int) -> Iterator[dict[str, Supervised]]:
    level = os.environ.get("LOG_LEVEL", "WARNING")
    environment = os.environ | {"STILLWATCH_URL": f"http://{HOST}:{port}", "LOG_LEVEL": level}
    environment |= {"PORT": str(port), "CHECK_PORT": str(check_port)}
    # Granian's only warning is about many threads.
    granian = "error" if level == "WARNING" else level.lower()
    commands = {
        "check": check_server_command(host=HOST, port=check_port, log_level=granian),
        "web server": web_command(host=HOST, port=port, log_level=granian),
        "worker": worker_command(log_level=level),
        "courier": courier_command(log_level=level),
        "scheduler": scheduler_command(timetable=str(settings.DATA_DIR / "timetable"), log_level=level),
    }
    processes = {
        name: Supervised(
            name, command, cwd=settings.BASE_DIR, environment=environment, workers_answer_on=name in WEB_SERVERS
        )
        for name, command in commands.items()
    }
    try:
        for process in processes.values():
            process.start(time.monotonic())
        yield processes
    finally:
        end_all(processes.values())


def _refuse_ended(processes: dict[str, Supervised]) -> None:
    """What ends while it starts for the first time cannot run here."""
    for name, process in processes.items():
        if process.status is not None:
            raise CommandError(f"the {name} ended with status {process.status}")


def _answers(port: int) -> bool:
    caller = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        caller.request("GET", "/health/")
        return caller.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        caller.close()
