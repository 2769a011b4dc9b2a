from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from governance.management import doctor


class Command(BaseCommand):
    help = "Say what is wrong with this installation now. Ends with status 1 if anything is."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for found, trouble in enumerate(doctor.troubles(now=timezone.now()), start=1):  # noqa: B007 - counted below
            self.stdout.write(trouble)
        if found:
            raise SystemExit(1)
        self.stdout.write("Nothing is wrong.")
