import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from governance.platform.installation_secrets import PEPPERS, add_key, make_key
from governance.staff.models import ServiceKey
from governance.staff.secret_format import pepper_version


class Command(BaseCommand):
    help = "Make a new pepper for the secrets of service keys beside the old one, and say which keys need which."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.EMBEDDED and PEPPERS.variable not in os.environ:
            peppers = add_key(PEPPERS, settings.DATA_DIR)
            self.stdout.write("Restart Stillwatch: new secrets are stored under the new pepper from then on.")
        else:
            peppers = [make_key(), *settings.SERVICE_KEY_PEPPERS]
            self.stdout.write(f"Set this for all processes, and keep it:\nSERVICE_KEY_PEPPER={';'.join(peppers)}")
        older = ServiceKey.objects.usable(at=timezone.now()).exclude(pepper=pepper_version(peppers[0]))
        self.stdout.write("Give these keys another secret, then remove the older peppers:")
        for key in older.order_by("name", "pk"):
            self.stdout.write(f"  {key.name}, {key.shown_prefix}…")
