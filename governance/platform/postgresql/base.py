"""The backend that the setting ENGINE names."""

from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base

from governance.platform.bounded_connection import BoundedConnection, bounded_connection_class


class DatabaseWrapper(base.DatabaseWrapper):
    """Leaves a connection on which PostgreSQL says nothing, so that the next one may reach a server that does.

    The setting SILENT_SECONDS of a database says how long it may take to answer a statement. Whether a connection still
    works, which is asked before it is used again, is answered at once, so DATABASE_SILENT_SECONDS is enough for that.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any]
        if self.pool:
            connection = super().get_new_connection(conn_params)
        else:
            self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # as Django does without such an option
            connection = bounded_connection_class(self.settings_dict.get("SILENT_SECONDS")).connect(**conn_params)
        return connection

    def is_usable(self) -> bool:
        if not isinstance(self.connection, BoundedConnection):
            return super().is_usable()
        with self.connection.silent_for(settings.DATABASE_SILENT_SECONDS):
            return super().is_usable()
