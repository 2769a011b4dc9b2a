"""Embedded servers that do not come: said in one line, after a time."""

import re
from pathlib import Path

import pytest

from governance.platform import embedded
from governance.platform.embedded_home import Home, ServersError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(embedded, "PATIENCE", 0.1)
    return Home(tmp_path, tmp_path, tmp_path, tmp_path / "valkey-server", owner=None)


def program(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o700)


def test_a_postgresql_that_takes_no_connections_is_given_up(home: Home) -> None:
    with pytest.raises(ServersError, match=r"^PostgreSQL does not answer: "):
        embedded._create_database(home)


def test_a_valkey_that_does_not_come_is_given_up_with_the_last_that_it_said(home: Home) -> None:
    program(home.valkey, f"printf 'Starting\\nThe socket is taken\\n\\n' > {home.folder}/valkey.log")

    with pytest.raises(ServersError, match=r"^Valkey did not start: The socket is taken$"):
        embedded._start_valkey(home)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["echo 'initdb: error: no space left' >&2", "echo 'removing contents' >&2"], "initdb: error: no space left"),
        (["echo 'something' >&2"], "something"),
        ([], "no output"),
    ],
)
def test_a_program_that_fails_is_quoted_by_the_line_that_matters(home: Home, lines: list[str], said: str) -> None:
    program(home.postgres / "initdb", *lines, "exit 1")

    with pytest.raises(ServersError, match=f"^initdb failed: {re.escape(said)}$"):
        embedded._create_cluster(home, home.folder / "postgres")
