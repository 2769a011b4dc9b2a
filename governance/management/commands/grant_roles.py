from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.platform.database_roles import READ, RUN, as_owner, grant_roles


class Command(BaseCommand):
    help = "Grants the roles stillwatch_run and stillwatch_read what they may do; `migrate` does so as well."

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            found = grant_roles()
        if not found:
            raise CommandError(f"There is neither a role {RUN} nor a role {READ} beside the owner: create them first.")
        self.stdout.write(f"Granted: {', '.join(found)}.")
