"""PostgreSQL and Valkey for the tests: started when the first test needs them, gone when the session ends."""

import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from governance.platform import embedded
from governance.usage import backpressure, last_usage
from governance.usage.excerpts import reset_excerpt_thresholds
from tests.measuring import Measured

pytest.register_assert_rewrite("tests.flows")  # what several tests of a folder assert with

hypothesis_settings.register_profile("any machine", deadline=None)  # a slow one is no failure
hypothesis_settings.load_profile("any machine")

# What takes longest: begun last it would keep one process busy while the others have nothing left to do.
LONGEST_FILES = ["test_accessibility.py", "test_kills.py", "test_every_url.py", "test_documentation.py"]
LONGEST_FOLDERS = {"flows", "gateways"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (item.path.name not in LONGEST_FILES, item.path.parent.name not in LONGEST_FOLDERS))


@pytest.fixture(scope="session")
def servers() -> Iterator[None]:
    """The embedded servers, shared by the workers of pytest-xdist; with DATABASE_URL set, one's own."""
    if not settings.EMBEDDED:
        yield
        return
    with embedded.start(settings.DATA_DIR, durable=False):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(servers: None, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Before pytest-django makes this worker's database there is a server to make it on."""


@pytest.fixture(autouse=True)
def _know_nobody() -> None:
    """A process may remember what is committed; between tests that is wiped out."""
    reset_excerpt_thresholds()
    backpressure.reset_lag_cache()
    last_usage.reset_last_usage_cache()


@pytest.fixture(autouse=True)
def _folder_of_the_log() -> Iterator[None]:
    """Each test begins a log, so none finds what another has published."""
    folder = Path(settings.DATA_DIR) / "logs" / secrets.token_hex(8)
    with override_settings(AUDIT_FOLDER=folder):
        yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    """Takes a line with figures, which is printed when all tests have run, by whichever process."""
    return partial(record_property, "measured")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured."""
    reports = terminalreporter.getreports("passed")
    measured = [value for report in reports for name, value in report.user_properties if name == "measured"]
    if measured:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(map(str, measured)))


def pytest_configure() -> None:
    """A `kill` ends the session as Ctrl-C does, with everything tidied up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests that commit are cleaned up after by TRUNCATE, which the audit log refuses unless a setting allows it.

    The last request of a page that was closed may still be on its way when the database is to be dropped.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_no_truncate")
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 10_000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    connection.close()  # in a thread with a browser it is not the one that drops the database


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind: neither of this session nor of one that was killed hard."""
    if hasattr(config, "workerinput") or not settings.EMBEDDED:
        return
    for data in (settings.DATA_DIR, *Path(tempfile.gettempdir()).glob("stillwatch-tests-*")):
        with suppress(embedded.ServersError):
            if embedded.stop(data):
                shutil.rmtree(data, ignore_errors=True)
