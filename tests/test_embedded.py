import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from kombu import Connection

from governance.platform import embedded


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Not pytest's own temporary folder: under root PostgreSQL's user could not reach that."""
    with tempfile.TemporaryDirectory(prefix="stillwatch-embedded-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder in which no servers were."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """The folder of servers that start and end with each test; the first one makes their database."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def made(data: Path) -> Path:
    """The same, with a database in it."""
    with embedded.start(data, durable=False):
        return data


def answers(addresses: embedded.Addresses) -> bool:
    with psycopg.connect(addresses.database_url) as database, Connection(addresses.broker_url) as broker:
        broker.ensure_connection(max_retries=1)
        return database.execute("SELECT current_database()").fetchone() == ("stillwatch",)


def end_hard(data: Path) -> None:
    """End the servers of this folder as a crash does."""
    pid = int((data / "servers" / "postgres" / "postmaster.pid").read_text().split()[0])
    postgres = psutil.Process(pid)
    postgres.send_signal(signal.SIGQUIT)  # at once, its processes too
    commands = {one: one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])}
    [valkey] = [one for one, command in commands.items() if str(data) in str(command) and one != postgres]
    valkey.kill()
    psutil.wait_procs([postgres, valkey])


class TestServers:
    def test_answer_at_the_addresses_known_beforehand(self, data: Path) -> None:
        expected = embedded.addresses(data)

        with embedded.start(data, durable=False) as addresses:
            assert addresses == expected
            assert answers(addresses)
            assert answers(addresses._replace(database_url=addresses.owner_url))

    def test_answer_in_a_folder_whose_name_needs_quoting_and_is_too_long_for_a_socket(self, empty: Path) -> None:
        folder = empty / "it's 100% long?" / ("x" * 100)

        with embedded.start(folder, durable=False) as addresses:
            assert answers(addresses)

    def test_run_until_the_last_one_who_uses_them_leaves(self, data: Path) -> None:
        with embedded.start(data, durable=False) as addresses:
            with embedded.start(data, durable=False):
                pass
            still_there = answers(addresses)

        assert still_there
        assert embedded.silent_servers(data) == ["PostgreSQL", "Valkey"]

    def test_are_joined_when_a_killed_process_left_them_running(self, data: Path) -> None:
        start_and_die = (
            "import os, pathlib, sys; from governance.platform import embedded; "
            "servers = embedded.start(pathlib.Path(sys.argv[1]), durable=False); servers.__enter__(); "
            "os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", start_and_die, data], check=False)
        left_running = embedded.silent_servers(data) == []

        with embedded.start(data, durable=False) as addresses:
            joined = answers(addresses)

        assert left_running
        assert joined
        assert embedded.silent_servers(data) == ["PostgreSQL", "Valkey"]

    def test_keep_what_was_written(self, data: Path) -> None:
        with embedded.start(data) as addresses, psycopg.connect(addresses.owner_url) as database:
            database.execute("CREATE TABLE note (text text)")

        with embedded.start(data) as addresses, psycopg.connect(addresses.owner_url) as database:
            rows = database.execute("SELECT * FROM note").fetchall()

        assert rows == []

    def test_of_an_older_release_get_the_roles_it_did_not_know(self, data: Path) -> None:
        with embedded.start(data) as addresses, psycopg.connect(addresses.owner_url) as database:
            for role in embedded.OTHERS:
                database.execute(f"DROP ROLE {role}")
        ident = data / "servers" / "postgres" / "pg_ident.conf"
        ident.write_text(ident.read_text().splitlines(keepends=True)[0])

        with embedded.start(data) as addresses, psycopg.connect(addresses.database_url) as database:
            running = database.execute(
                "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()

        assert running == ("stillwatch_run", False)

    def test_are_closed_to_other_users(self, data: Path) -> None:
        with embedded.start(data, durable=False):
            servers = (data / "servers").stat()
            rules = (data / "servers" / "postgres" / "pg_hba.conf").read_text()

        assert servers.st_mode & 0o777 == 0o700
        assert rules == "local all all peer map=caller\n"

    def test_that_have_ended_are_started_again_with_what_was_written(self, data: Path) -> None:
        with embedded.start(data) as addresses:
            with psycopg.connect(addresses.owner_url) as database:
                database.execute("CREATE TABLE kept (text text)")
            end_hard(data)
            ended = embedded.silent_servers(data)

            embedded.restart(data)

            assert answers(addresses)
            with psycopg.connect(addresses.owner_url) as database:
                assert database.execute("SELECT * FROM kept").fetchall() == []
            end_hard(data)  # so that there is nothing left to stop
        assert ended == embedded.silent_servers(data) == ["PostgreSQL", "Valkey"]

    def test_start_though_another_program_has_the_process_id_that_a_crash_left(self, made: Path) -> None:
        (made / "servers" / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n")

        with embedded.start(made, durable=False) as addresses:
            assert answers(addresses)

    def test_say_in_one_line_that_postgresql_does_not_start(self, made: Path) -> None:
        version = made / "servers" / "postgres" / "PG_VERSION"
        kept = version.rename(version.with_name("kept"))

        with pytest.raises(embedded.ServersError, match=r"^pg_ctl failed: [^\n]*$"), embedded.start(made):
            pass

        kept.rename(version)

    def test_say_in_one_line_why_they_cannot_run(self, empty: Path) -> None:
        (empty / "servers").symlink_to("/proc/nowhere")

        with pytest.raises(embedded.ServersError, match=r"^[^\n]+$"), embedded.start(empty):
            pass
