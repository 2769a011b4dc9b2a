"""Putting the database of a test back in time while it is in use, as a restore does."""

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

TABLES = (
    "accounts_organisation",
    "accounts_account",
    "accounts_apikey",
    "audit_entry",
    "restrictions_feedepoch",
    "restrictions_restriction",
    "restrictions_change",
    "restrictions_coveredname",
    "restrictions_coveredaccount",
    "restrictions_liftedorigin",
    "gateways_gateway",
    "gateways_gatewayinstance",
    "gateways_propagationentry",
    "gateways_refusal",
    "gateways_lostdecision",
    "restrictions_lostname",
)


def remember_database() -> Callable[[], None]:
    """Return a function that puts these tables back to what they hold now, in one transaction."""
    kept: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT to_jsonb(kept)::text FROM {table} kept")  # noqa: S608 - a name from above
            kept[table] = [row for (row,) in cursor.fetchall()]

    def put_back() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # As pg_restore does: no trigger runs, no foreign key is looked at in between.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in reversed(TABLES):
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608
            for table in TABLES:
                row = f"(jsonb_populate_record(NULL::{table}, one.row::jsonb)).*"
                insert = f"INSERT INTO {table} SELECT {row} FROM unnest(%s::text[]) AS one (row)"  # noqa: S608
                cursor.execute(insert, [kept[table]])
            cursor.execute("SET LOCAL session_replication_role = origin")

    return put_back
