from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.platform.database_roles import READ, RUN, as_owner, grant_roles


class Command(BaseCommand):
    help = "Grant the roles stillwatch_run and stillwatch_read what they need; `migrate` does so too."

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            found = grant_roles()
        if not found:
            raise CommandError(f"There is no role {RUN} and no role {READ} besides the owner: create them first.")
        self.stdout.write(f"Granted: {', '.join(found)}.")
