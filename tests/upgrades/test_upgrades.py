"""A database of an earlier release is brought up to date by `migrate`, and everything in it is still there."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from psycopg import sql

from tests.flows.worker import environment
from tests.upgrades.make_dump import FOLDER, PROGRAMS, address_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]

DUMPS = sorted(FOLDER.glob("*.sql"))
OURS = ("accounts.", "governance.")

# Without those of partitions, which are made from day to day. Of checks the names alone: a dump writes what they say in
# another way.
SCHEMA = """
    SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull::text, pg_get_expr(adbin, adrelid)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT relname, conname, CASE WHEN contype <> 'c' THEN pg_get_constraintdef(pg_constraint.oid) END, NULL, NULL
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE connamespace = 'public'::regnamespace AND NOT relispartition
    UNION ALL
    SELECT relname, indexrelid::regclass::text, pg_get_indexdef(indexrelid), NULL, NULL
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT relispartition
"""


@pytest.fixture(params=DUMPS, ids=lambda dump: dump.stem)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database of a release, with at least one row in every table that the release had."""
    dump: Path = request.param
    name = f"{connection.settings_dict['NAME']}_upgraded"
    with psycopg.connect(address_of("postgres"), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        admin.execute(f'CREATE DATABASE "{name}"')
        read = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={dump}", f"--dbname={address_of(name)}"]
        subprocess.run([PROGRAMS / "psql", *read], check=True, stdout=subprocess.DEVNULL)
        yield name
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def manage(database: str, *command: str) -> str:
    """Run a command of this release on the database, and return what it printed."""
    address = address_of(database)
    ran = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=environment() | {"DATABASE_URL": address, "MIGRATE_DATABASE_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def rows_by_table(database: str) -> dict[str, int]:
    """How many rows each table of Stillwatch has."""
    ours = sorted(model._meta.db_table for model in apps.get_models() if model.__module__.startswith(OURS))
    with psycopg.connect(address_of(database)) as reader:
        found = reader.execute("SELECT tablename FROM pg_tables WHERE tablename = ANY(%s)", [ours]).fetchall()
        count = sql.SQL("SELECT count(*) FROM {}").format
        return {table: reader.execute(count(sql.Identifier(table))).fetchall()[0][0] for (table,) in found}


def as_declared(rows: Iterable[tuple[str | None, ...]]) -> set[tuple[str | None, ...]]:
    """The rows without the types that PostgreSQL adds to a condition, at other places once it was dumped and read."""
    return {tuple(text and re.sub(r"::(text|character varying)|\[\]|[()]", "", text) for text in row) for row in rows}


def test_there_is_a_dump_of_the_first_version_whose_upgrades_are_promised() -> None:
    assert FOLDER / "0.2.0.sql" in DUMPS


def test_migrate_brings_it_up_to_date(database: str) -> None:
    before = rows_by_table(database)

    manage(database, "migrate")

    assert "[ ]" not in manage(database, "showmigrations")
    assert before.items() <= rows_by_table(database).items()


def test_migrate_leaves_the_columns_constraints_and_indexes_of_a_new_database(database: str) -> None:
    manage(database, "migrate")

    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        new = as_declared(cursor.fetchall())
    with psycopg.connect(address_of(database)) as reader:
        upgraded = as_declared(reader.execute(SCHEMA).fetchall())
    assert upgraded ^ new == set()


def test_its_log_still_verifies_and_its_accounts_are_still_ranked(database: str) -> None:
    manage(database, "migrate")

    assert "entries" in manage(database, "audit_verify")
    assert "acct_harbour" in manage(database, "rank_accounts")
