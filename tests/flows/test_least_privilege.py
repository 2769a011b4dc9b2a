"""Who runs Stillwatch cannot rewrite what was done: three database roles, each with what it needs and no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings as installed
from django.db import connection
from django.test import Client
from psycopg.errors import InsufficientPrivilege

from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.platform.database_roles import READ, RUN, SECRET_COLUMNS, SECRET_TABLES, grant_roles
from governance.staff.models import ServiceKey
from governance.usage.partitions import create_partitions, drop_partition, list_partition_days, reset_partition_cache
from tests.everything import one_of_everything
from tests.factories import PASSWORD, account, case, line, person, service_key
from tests.review.pages import address, block_form, signed_in

pytestmark = pytest.mark.skipif(not installed.EMBEDDED, reason="the roles belong to the embedded servers")

REFUSED = (
    "UPDATE audit_entry SET verb = 'nothing'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_no_change",
    "DROP TRIGGER audit_entry_no_change ON audit_entry",
    "ALTER TABLE audit_entry ADD COLUMN x int",
    "ALTER TABLE audit_entry OWNER TO stillwatch_run",
    "DROP TABLE audit_entry",
    "UPDATE audit_entry SET leaf = 'x'",
    "DELETE FROM audit_checkpoint",
    "UPDATE audit_checkpoint SET root = 'x'",
    "ALTER TABLE audit_entry ALTER COLUMN leaf SET DEFAULT 'x'",
    "CREATE OR REPLACE FUNCTION audit_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "DROP FUNCTION audit_entry_is_append_only() CASCADE",
    "CREATE RULE quiet AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
    "SELECT * FROM audit_entry FOR UPDATE",
    "SET session_replication_role = replica",
    "SET ROLE stillwatch",
    "CREATE TABLE public.mine (x int)",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "ALTER SYSTEM SET fsync = off",
    "COPY audit_entry TO PROGRAM 'true'",
    "SELECT pg_read_file('/etc/passwd')",
    "DROP TABLE accounts_account",
    "TRUNCATE accounts_account",
    "ALTER TABLE usage_usageevent DETACH PARTITION usage_usageevent_default",
    "DELETE FROM django_migrations",
)


@contextmanager
def connected_as(role: str) -> Iterator["psycopg.Connection[Any]"]:
    """A connection of its own to the test's database, as the processes have it."""
    parts = urlsplit(installed.DATABASE_URL)
    url = parts._replace(
        netloc=parts.netloc.replace(f"{RUN}@", f"{role}@"), path=f"/{connection.settings_dict['NAME']}"
    ).geturl()
    with psycopg.connect(url) as one:
        yield one


@pytest.fixture
def as_run_role(db: None) -> Iterator[None]:
    """The test's own connection has the rights of the role that runs Stillwatch."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {RUN}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


@pytest.mark.django_db
class TestTheRunRole:
    @pytest.mark.parametrize("statement", REFUSED)
    def test_is_refused(self, statement: str) -> None:
        with connected_as(RUN) as running:
            running.autocommit = "DATABASE" in statement or "SYSTEM" in statement
            with pytest.raises(InsufficientPrivilege):
                running.execute(statement)

    def test_owns_nothing(self) -> None:
        with connected_as(RUN) as running:
            owned = running.execute(
                "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
                " UNION ALL SELECT count(*) FROM pg_proc WHERE proowner = current_user::regrole"
                " UNION ALL SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole"
                " UNION ALL SELECT count(*) FROM pg_roles WHERE rolname = current_user"
                " AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication)"
            ).fetchall()

        assert owned == [(0,)] * 4

    @pytest.mark.usefixtures("as_run_role")
    def test_does_everything_that_the_application_does(self, settings: Any) -> None:
        settings.INTAKE_MAX_LAG = 0
        one_of_everything()
        opened = case(account("acct_quill"))
        mira = person("Mira Okafor")
        _, known = service_key(*ServiceKey.Scope.values)
        client = signed_in(mira)

        statuses = [
            Client().post("/sign-in/", {"username": mira.email, "password": PASSWORD}).status_code,
            client.get("/queue/").status_code,
            client.get(address(opened)).status_code,
            client.post(address(opened, "decide/"), block_form()).status_code,
            client.post("/api/v1/usage-events", line(), content_type="application/x-ndjson", **known).status_code,
            client.get("/api/v1/restrictions", **known).status_code,
        ]

        assert statuses == [302, 200, 200, 302, 202, 200]
        assert Entry.objects.exists()
        assert not any(iter_chain_checks())

    @pytest.mark.usefixtures("as_run_role")
    def test_has_days_of_usage_made_and_dropped(self) -> None:
        day = date(2031, 5, 4)

        create_partitions([day])
        made = day in list_partition_days()
        drop_partition(day)
        reset_partition_cache()

        assert (made, day in list_partition_days()) == (True, False)


@pytest.mark.django_db
class TestTheReadRole:
    def test_reads_for_reports(self) -> None:
        with connected_as(READ) as reading:
            for table in ("audit_entry", "review_decision", "restrictions_restriction", "usage_usageevent"):
                assert isinstance(reading.execute(f"TABLE {table}").fetchall(), list)
            assert reading.execute("SELECT email, role FROM staff_user").fetchall() == []

    @pytest.mark.parametrize("table", SECRET_TABLES)
    def test_reads_no_secret_table(self, table: str) -> None:
        with connected_as(READ) as reading, pytest.raises(InsufficientPrivilege):
            reading.execute(f"TABLE {table}")

    @pytest.mark.parametrize(("table", "column"), [(t, c) for t, columns in SECRET_COLUMNS.items() for c in columns])
    def test_reads_no_secret_column(self, table: str, column: str) -> None:
        with connected_as(READ) as reading, pytest.raises(InsufficientPrivilege):
            reading.execute(f"SELECT {column} FROM {table}")  # noqa: S608 - our own names

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO django_migrations (app) VALUES ('x')",
            "DELETE FROM accounts_account",
            "SELECT usage_drop_day('2026-01-01')",
        ],
    )
    def test_changes_nothing(self, statement: str) -> None:
        with connected_as(READ) as reading, pytest.raises(InsufficientPrivilege):
            reading.execute(statement)


@pytest.mark.django_db
def test_granting_again_gives_nothing_more() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT UPDATE ON audit_entry TO {RUN}")
        cursor.execute(f"GRANT SELECT ON staff_user TO {READ}")

        assert grant_roles() == [READ, RUN]

        cursor.execute(
            "SELECT has_table_privilege(%s, 'audit_entry', 'UPDATE'), has_table_privilege(%s, 'staff_user', 'SELECT')",
            [RUN, READ],
        )
        assert cursor.fetchone() == (False, False)
