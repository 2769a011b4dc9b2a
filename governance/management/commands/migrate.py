from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from governance.platform.database_roles import as_owner, grant_roles


class Command(Migrate):
    """Django's own, as the owner of the tables; then the other roles are granted what they need of the new ones."""

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            super().handle(*args, **options)
            if not (options.get("plan") or options.get("check_unapplied")):
                grant_roles()
