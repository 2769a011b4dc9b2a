"""The embedded servers: a real PostgreSQL 18 and Valkey 9 out of wheels, for an installation on one machine.

Both listen on Unix sockets only, in a folder closed to other users (see embedded_home.py), and PostgreSQL
asks the kernel besides who is calling (peer authentication).

Each process that uses the servers holds a shared lock; the last one to leave stops them. So a command joins the servers
of a running `manage.py up`, and what a `kill -9` left behind is joined by the next start and stopped with it.
"""

import fcntl
import os
import pwd
import shlex
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psutil
import psycopg

from governance.platform.embedded_home import LINKS, Home, ServersError, home_of, sockets_of

__all__ = ["Addresses", "ServersError", "addresses", "programs", "restart", "silent_servers", "start", "stop"]

DATABASE = OWNER = "stillwatch"
RUN = "stillwatch_run"
OTHERS = (RUN, "stillwatch_read")
POSTGRES_PORT = "5432"  # names the socket; given everywhere, or else a PGPORT in the environment changes it
POSTGRES_SOCKET = f".s.PGSQL.{POSTGRES_PORT}"
VALKEY_SOCKET = "valkey.sock"
PATIENCE = 60.0  # seconds until a server that does not answer counts as broken

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "port": POSTGRES_PORT,
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "max_parallel_workers_per_gather": "0",  # a container's /dev/shm is often too small for parallel plans
    "jit": "off",  # compiling costs more than the queries here take
    "log_checkpoints": "off",
}
# For tests alone: what they write need not outlive them.
FORGETFUL_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
VALKEY_SETTINGS = {"port": "0", "unixsocketperm": "700", "save": "", "appendonly": "no", "daemonize": "yes"}


class Addresses(NamedTuple):
    """Where the servers of one data folder listen, as URLs: the database for those who run, and for its owner."""

    database_url: str
    owner_url: str
    broker_url: str


def addresses(data: Path) -> Addresses:
    """The addresses that the servers of this data folder have, or will have once started. Touches nothing."""
    sockets = sockets_of(data)
    return Addresses(
        database_url=_database_url(sockets, RUN),
        owner_url=_database_url(sockets, OWNER),
        broker_url=f"redis+socket://{quote(str(sockets / VALKEY_SOCKET))}?virtual_host=0",
    )


def _database_url(sockets: Path, role: str) -> str:
    return f"postgresql://{role}@:{POSTGRES_PORT}/{DATABASE}?host={quote(str(sockets), safe='')}"


@contextmanager
def start(data: Path, *, durable: bool = True) -> Iterator[Addresses]:
    """Run, or join, the servers of this data folder; at the end stop them unless others still use them.

    `durable=False` trades the safety of what is written for speed. Raises ServersError.
    """
    with _plain_errors():
        data.mkdir(0o700, parents=True, exist_ok=True)
        users = (data / "users.lock").open("a")
    try:
        with users:
            with _plain_errors(), _one_at_a_time(data):
                fcntl.flock(users, fcntl.LOCK_SH)
                home = home_of(data)
                _start_postgres(home, POSTGRES_SETTINGS | ({} if durable else FORGETFUL_SETTINGS))
                _start_valkey(home)
            yield addresses(data)
    finally:
        stop(data)


def restart(data: Path) -> None:
    """Start those of the servers that have ended, for somebody who runs them. Raises ServersError."""
    with _plain_errors(), _one_at_a_time(data):
        home = home_of(data)
        _start_postgres(home, POSTGRES_SETTINGS)
        _start_valkey(home)


def stop(data: Path) -> bool:
    """Stop the servers of this data folder unless somebody uses them; say whether they are stopped.

    Raises ServersError.
    """
    if not (data / "servers").exists():
        return True
    with _plain_errors(), _one_at_a_time(data), (data / "users.lock").open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        home = home_of(data)
        _stop_valkey(home)
        _stop_postgres(home)
        if sockets_of(data).parent == LINKS:
            sockets_of(data).unlink(missing_ok=True)
        return True


def programs(data: Path) -> Path:
    """The folder of PostgreSQL's programs, of the version of the server. Raises ServersError, OSError."""
    return home_of(data).postgres


def silent_servers(data: Path) -> list[str]:
    """Which of the servers of this data folder do not take connections, by name."""
    sockets = {"PostgreSQL": POSTGRES_SOCKET, "Valkey": VALKEY_SOCKET}
    return [name for name, file in sockets.items() if not _accepts(sockets_of(data) / file)]


# PostgreSQL ------------------------------------------------------------------------------------------------


def _start_postgres(home: Home, settings: dict[str, str]) -> None:
    database, log = home.folder / "postgres", home.folder / "postgres.log"
    if not database.exists():
        _create_cluster(home, database)
    _say_who_may_be_whom(database)
    if not _accepts(home.sockets / POSTGRES_SOCKET):
        _forget_stale_process(database / "postmaster.pid")
        log.unlink(missing_ok=True)
        settings = settings | {"unix_socket_directories": str(home.sockets)}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        _run(home, [*_pg_ctl(home, "start"), "-l", log, "-o", options], log=log)
    _create_database(home)


def _create_cluster(home: Home, database: Path) -> None:
    # Made beside and renamed, so that one that was interrupted is not taken for a whole one.
    draft = database.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = ["--username", OWNER, "--auth-local=peer", "--auth-host=reject"]
    _run(home, [home.postgres / "initdb", "-D", draft, *locale, *access])
    (draft / "pg_hba.conf").write_text("local all all peer map=caller\n")
    draft.rename(database)


def _say_who_may_be_whom(database: Path) -> None:
    """The caller may connect as any of the roles. Written at every start, since an older release knew one alone."""
    caller = pwd.getpwuid(os.geteuid()).pw_name
    (database / "pg_ident.conf").write_text("".join(f'caller "{caller}" {role}\n' for role in (OWNER, *OTHERS)))


def _create_database(home: Home) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with psycopg.connect(
                host=str(home.sockets), port=POSTGRES_PORT, user=OWNER, dbname="postgres", autocommit=True
            ) as server:
                names = {name for (name,) in server.execute("SELECT datname FROM pg_database")}
                if DATABASE not in names:
                    server.execute(f"CREATE DATABASE {DATABASE}")
                roles = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
                for role in sorted({*OTHERS} - roles):
                    server.execute(f"CREATE ROLE {role} LOGIN")
                    server.execute("SELECT pg_reload_conf()")  # an older release may have started the server
                return
        except psycopg.OperationalError as error:  # after a crash it refuses until it has recovered
            if time.monotonic() > until:
                raise ServersError(f"PostgreSQL does not answer: {str(error).strip()}") from error
            time.sleep(0.2)


def _forget_stale_process(pid_file: Path) -> None:
    """PostgreSQL refuses to start when the process that a crash left on record is another program by now."""
    with suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        if psutil.Process(int(pid_file.read_text().split()[0])).name() != "postgres":
            pid_file.unlink()


def _stop_postgres(home: Home) -> None:
    if _accepts(home.sockets / POSTGRES_SOCKET):
        _run(home, [*_pg_ctl(home, "stop"), "-m", "fast"])


def _pg_ctl(home: Home, verb: str) -> list[str | Path]:
    return [home.postgres / "pg_ctl", verb, "-D", home.folder / "postgres", "-w", "-t", f"{PATIENCE:.0f}"]


# Valkey ----------------------------------------------------------------------------------------------------


def _start_valkey(home: Home) -> None:
    valkey, log = home.sockets / VALKEY_SOCKET, home.folder / "valkey.log"
    if _accepts(valkey):
        return
    log.unlink(missing_ok=True)
    settings = VALKEY_SETTINGS | {"dir": str(home.folder), "unixsocket": str(valkey), "logfile": str(log)}
    _run(home, [home.valkey, *(part for name, value in settings.items() for part in (f"--{name}", value))])
    until = time.monotonic() + PATIENCE
    while not _accepts(valkey):
        if time.monotonic() > until:
            raise ServersError(f"Valkey did not start: {_last_words(log.read_text())}")
        time.sleep(0.02)


def _stop_valkey(home: Home) -> None:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as valkey:
        valkey.settimeout(PATIENCE)
        valkey.connect(str(home.sockets / VALKEY_SOCKET))
        valkey.sendall(b"SHUTDOWN NOSAVE\r\n")
        valkey.recv(64)  # comes back empty once it is gone


# Both ------------------------------------------------------------------------------------------------------


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as caller:
        return caller.connect_ex(str(path)) == 0


def _run(home: Home, command: Sequence[str | Path], log: Path | None = None) -> None:
    done = home.call(command)
    if done.returncode:
        said = log.read_text() if log and log.exists() else done.stderr
        raise ServersError(f"{Path(command[0]).name} failed: {_last_words(said)}")


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    grave = [line for line in lines if any(sign in line for sign in ("FATAL", "PANIC", "error:"))]
    return (grave or lines or ["no output"])[-1]


@contextmanager
def _one_at_a_time(data: Path) -> Iterator[None]:
    with (data / "starting.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ServersError(f"{error.strerror}: {error.filename}" if error.filename else str(error)) from error
