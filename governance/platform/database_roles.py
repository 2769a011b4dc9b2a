"""Three database roles: one owns the tables, one runs Stillwatch, one reads for reports.

`migrate` connects as the owner and then grants what the two others may do; `stillwatch_run` and `stillwatch_read` are
roles that the administrator of the database has made (README, "Run it for real"). Where they are
missing one role does everything, as in a trial.

What is granted is written down here alone: there are no default privileges, so that a table that nobody thought of is
closed to reports.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

RUN: Final = "stillwatch_run"
READ: Final = "stillwatch_read"
# How the owner connects; the database is the same.
CONNECTING: Final = ("USER", "PASSWORD", "HOST", "PORT")

# The run role adds to these and reads them, and changes nothing that is there.
APPEND_ONLY: Final = ("audit_entry", "audit_checkpoint")
# Of one of these it fills in what others sign later.
FILLED_IN: Final = {"audit_checkpoint": ("cosignatures", "cosigned_at", "time_stamp", "stamped_at")}
ONLY_READ: Final = ("django_migrations",)
# The functions by which the run role makes and drops the days of usage, as the owner.
FUNCTIONS: Final = ("usage_make_day(date)", "usage_drop_day(date)")

# What reports never need: whole tables, and columns of others.
SECRET_TABLES: Final = (
    "account_emailaddress",
    "account_emailconfirmation",
    "django_session",
    "mfa_authenticator",
    "staff_attemptcount",
    "staff_signinorigin",
    "staff_staffsession",
    "usage_datakey",
    "usage_excerpt",
    "web_keptanswer",
)
SECRET_COLUMNS: Final = {
    "gateways_gateway": ("canary_headers", "litellm_key"),
    "webhooks_webhook": ("secrets",),
    "sharing_partner": ("token_digest", "shared_keys", "collection_token"),
    "staff_servicekey": ("digest",),
    "staff_user": ("password",),
}


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect as the owner of the tables until the block ends. For commands: no other thread may use the database."""
    mine = {name: connection.settings_dict[name] for name in CONNECTING}
    if mine == settings.DATABASE_OWNER:
        yield
        return
    connection.close()
    connection.settings_dict.update(settings.DATABASE_OWNER)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(mine)


def grant_roles() -> list[str]:
    """Give the run and the read role exactly what they need. Return those of them that exist.

    To be called as the owner, after every migration: new tables are granted here.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s) AND rolname <> current_user", [RUN, READ]
        )
        found = sorted(name for (name,) in cursor.fetchall())
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        tables = {name for (name,) in cursor.fetchall()}
        statements = [_all_taken_back(role) for role in found]
        if RUN in found:
            statements += _for_running(tables)
        if READ in found:
            statements += _for_reading(tables)
        for statement in statements:
            cursor.execute(statement)
    return found


def _all_taken_back(role: str) -> str:
    return f"""
        REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};
        REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role};
        REVOKE CREATE ON SCHEMA public FROM {role}, PUBLIC;
        GRANT USAGE ON SCHEMA public TO {role}
    """


def _for_running(tables: set[str]) -> list[str]:
    statements = [
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {RUN}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUN}",
        *(f"GRANT EXECUTE ON FUNCTION {function} TO {RUN}" for function in FUNCTIONS),
    ]
    statements += [f"REVOKE UPDATE, DELETE ON {table} FROM {RUN}" for table in APPEND_ONLY if table in tables]
    statements += [
        f"GRANT UPDATE ({', '.join(columns)}) ON {table} TO {RUN}"
        for table, columns in FILLED_IN.items()
        if table in tables
    ]
    return statements + [f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {RUN}" for table in ONLY_READ]


def _for_reading(tables: set[str]) -> list[str]:
    statements = [f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READ}"]
    closed = sorted(tables & {*SECRET_TABLES, *SECRET_COLUMNS})
    statements += [f"REVOKE SELECT ON {table} FROM {READ}" for table in closed]  # noqa: S608 - our own names
    for table, secrets in SECRET_COLUMNS.items():
        if table in tables:
            open_columns = sql.SQL(", ").join(map(sql.Identifier, _columns(table, without=secrets)))
            granted = sql.SQL("GRANT SELECT ({}) ON {} TO {}")
            statement = granted.format(open_columns, sql.Identifier(table), sql.Identifier(READ))
            statements.append(statement.as_string(None))
    return statements


def _columns(table: str, *, without: tuple[str, ...]) -> list[str]:
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
    return [column.name for column in described if column.name not in without]
