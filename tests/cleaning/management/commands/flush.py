"""Django's `flush`, in milliseconds instead of half a second.

TRUNCATE makes new files for every table and index, however few rows there are; and what `migrate` fills in afterwards,
the names of models and permissions, is left alone here instead of created again.
"""

from typing import Any, Final

from django.core.management.commands import flush
from django.db import connection, transaction
from psycopg import sql

KEPT: Final = {"auth_permission", "django_content_type"}
# Bytes, four times an empty database. Past it dead rows slow down what comes after, and TRUNCATE is worth its time.
MUCH: Final = 128 * 1024 * 1024


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        tables = sorted({*connection.introspection.django_table_names(only_existing=True, include_views=False)} - KEPT)
        identifiers = [sql.Identifier(table) for table in tables]
        with transaction.atomic(), connection.cursor() as cursor:
            # As TRUNCATE does: what others are about to commit is waited for, and deleted too.
            cursor.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(sql.SQL(", ").join(identifiers)))
            cursor.execute("SET LOCAL session_replication_role = replica")  # else the audit log refuses
            cursor.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in identifiers))
            cursor.execute("SELECT pg_database_size(current_database())")
            [size] = cursor.fetchone()
        if size > MUCH:
            super().handle(**options)
