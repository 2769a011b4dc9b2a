import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from governance.audit.notes import LogKey, format_key
from governance.audit.queries import get_published_log
from governance.platform.installation_secrets import LOG_KEYS, add_key, make_key


class Command(BaseCommand):
    help = "Make a new key that signs the published audit log beside the old one."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.EMBEDDED and LOG_KEYS.variable not in os.environ:
            keys = add_key(LOG_KEYS, settings.DATA_DIR)
            self.stdout.write("Restart Stillwatch: the new key signs beside the old one from then on.")
        else:
            keys = [make_key(), *settings.AUDIT_KEYS]
            self.stdout.write(f"Set this for all processes, and keep it secret:\nAUDIT_KEY={';'.join(keys)}")
        key = format_key(LogKey(get_published_log().origin, keys[0]).verifier)
        self.stdout.write(f"Give this to those who verify the log:\n{key}")
