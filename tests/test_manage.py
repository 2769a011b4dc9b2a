"""Commands as a shell runs them."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from tests.flows.worker import environment

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
    empty = urlsplit(environment()["DATABASE_URL"])._replace(path="/template1").geturl()

    status, said = said_by("issue_service_key", "edge", "--scope", "access:read", given={"DATABASE_URL": empty})

    assert status == 1
    assert said.startswith("stillwatch: The database of DATABASE_URL has no tables of Stillwatch")
    assert said.count("\n") == 1


def test_a_database_that_is_away_is_told_in_a_line() -> None:
    gone = urlsplit(environment()["DATABASE_URL"])._replace(path="/there_is_none").geturl()

    status, said = said_by("issue_service_key", "edge", "--scope", "access:read", given={"DATABASE_URL": gone})

    assert status == 1
    assert said.startswith("stillwatch: PostgreSQL: ")
    assert 'database "there_is_none" does not exist' in said
    assert said.count("\n") == 1


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
