from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.audit.notes import format_key
from governance.audit.publishing import log_keys


class Command(BaseCommand):
    help = "Print the keys by which outsiders verify the published audit log, the newest first."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            keys = log_keys()
        except ValueError as error:
            raise CommandError(str(error)) from error
        if not keys:
            raise CommandError("The log is not published: set AUDIT_KEY, which rotate_log_key makes.")
        for key in keys:
            self.stdout.write(format_key(key.verifier))
