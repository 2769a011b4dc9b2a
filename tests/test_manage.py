"""Commands as a shell runs them."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings

from governance.platform import embedded
from tests.flows.worker import environment
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def said_by(*arguments: str, given: Mapping[str, str] | None = None) -> tuple[int, str]:
    """What a command ends with, and what it says of what went wrong."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=environment() | dict(given or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def at(database: str) -> str:
    """The address of another database of the same server."""
    return urlsplit(environment()["DATABASE_URL"])._replace(path=f"/{database}").geturl()


@pytest.fixture
def old_database() -> Iterator[str]:
    """The address of a database with what version 0.1 left in it, as the owner of its tables."""
    name = "made_by_version_0_1"
    owner = urlsplit(settings.MIGRATE_DATABASE_URL)
    with psycopg.connect(owner._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name}")
    old = owner._replace(path=f"/{name}").geturl()
    with psycopg.connect(old) as database:
        database.execute(
            "CREATE TABLE django_migrations"
            " (id bigserial PRIMARY KEY, app varchar(255), name varchar(255), applied timestamptz DEFAULT now())"
        )
        for app in ("accounts", "audit", "enforcement", "risk"):
            database.execute("INSERT INTO django_migrations (app, name) VALUES (%s, '0001_initial')", [app])
    yield old
    with psycopg.connect(owner._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_command_whose_reader_has_gone_ends_without_a_traceback() -> None:
    command = [sys.executable, "manage.py", "diffsettings"]
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()

    assert said == b""


def test_a_database_without_tables_is_told_in_a_line() -> None:
    given = {"DATABASE_URL": at("template1")}

    status, said = said_by("issue_service_key", "edge", "--scope", "access:read", given=given)

    assert status == 1
    assert said.startswith("stillwatch: The database of DATABASE_URL has no Stillwatch tables")
    assert said.count("\n") == 1


def test_a_database_that_is_away_is_told_in_a_line() -> None:
    given = {"DATABASE_URL": at("there_is_none")}

    status, said = said_by("issue_service_key", "edge", "--scope", "access:read", given=given)

    assert status == 1
    assert said.startswith("stillwatch: PostgreSQL: ")
    assert 'database "there_is_none" does not exist' in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("STILLWATCH_URL", "stillwatch.example.com", "is not a URL that begins with https:// or http://"),
        ("STILLWATCH_URL", "https://", "is not a URL that begins with https:// or http://"),
        ("DATABASE_URL", "mysql://db/stillwatch", "is not a URL that begins with postgresql:// or postgres://"),
        ("SECRET_KEY", "", "Servers of your own need SECRET_KEY too"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL"),
        ("DATABASE_TIMEOUTS_COMMAND", "foo", "is not a list such as statement_timeout=60s"),
        ("DATABASE_TIMEOUTS_COMMAND", "lock_timeout=soon", "is not a list such as statement_timeout=60s"),
        ("WEBHOOK_PRIVATE_NETWORKS", "10.0.0.0/33", "10.0.0.0/33"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_in_a_line(variable: str, value: str, said: str) -> None:
    status, error = said_by("check", given={variable: value})

    assert (status, error.count("\n"), variable in error, said in error) == (1, 1, True, True)


@pytest.mark.skipif(not settings.EMBEDDED, reason="needs the roles of the embedded servers")
def test_a_role_that_owns_no_tables_does_not_migrate() -> None:
    addresses = embedded.addresses(settings.DATA_DIR)
    with psycopg.connect(addresses.owner_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE not_its_own")
        try:
            mine = urlsplit(addresses.database_url)._replace(path="/not_its_own").geturl()
            status, error = said_by("migrate", given={"DATABASE_URL": mine, "MIGRATE_DATABASE_URL": mine})
        finally:
            connection.execute("DROP DATABASE not_its_own")

    assert (status, error.count("\n"), "may not create tables" in error) == (1, 1, True)


def test_two_checks_do_not_share_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as first:
        port = first.getsockname()[1]
        status, said = said_by("serve_check", "--port", str(port))

    assert status == 1
    assert f"port {port} cannot be used (Address already in use)" in said


def test_a_port_that_there_is_not_is_told_in_a_line() -> None:
    status, said = said_by("serve_check", "--port", "70000")

    assert status == 1
    assert "port 70000 cannot be used (ports go from 1 to 65535)" in said


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_a_database_of_a_version_before_0_2_is_refused_in_a_line(
    command: str, old_database: str, tmp_path: Path
) -> None:
    places = {"STILLWATCH_DATA": str(tmp_path), "PORT": str(free_port()), "CHECK_PORT": str(free_port())}

    status, said = said_by(command, given=places | {"DATABASE_URL": old_database})

    assert status == 1
    assert said == (
        "CommandError: This database was made by a version before 0.2.0, and those cannot be upgraded. Use a new "
        "database: set STILLWATCH_DATA to a new folder, or DATABASE_URL to an empty database.\n"
    )
    with psycopg.connect(old_database) as database:
        assert database.execute("SELECT count(*) FROM django_migrations").fetchone() == (4,)
