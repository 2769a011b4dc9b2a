from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as Migrate
from django.db import connection
from django.db.migrations.exceptions import MigrationSchemaMissing

from governance.platform.database_roles import as_owner, grant_roles
from governance.platform.old_schema import TOO_OLD, is_too_old


class Command(Migrate):
    """Run Django's `migrate` as the owner of the tables, then grant the other roles what they need of the new ones."""

    help = "Bring the database up to date as the owner of its tables, and grant the other roles what they need."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a database that cannot be upgraded."""
        with as_owner():
            if is_too_old():
                raise CommandError(TOO_OLD)
            try:
                super().handle(*args, **options)
            except MigrationSchemaMissing as error:
                raise CommandError(
                    f"{connection.settings_dict['USER']} may not create tables: set MIGRATE_DATABASE_URL to connect "
                    "as the role that owns them."
                ) from error
            if not (options.get("plan") or options.get("check_unapplied")):
                grant_roles()
