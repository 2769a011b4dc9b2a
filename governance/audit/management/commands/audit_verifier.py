from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from governance.audit import stillwatch_verify


class Command(BaseCommand):
    help = "Print the program by which outsiders verify the published audit log: redirect it to stillwatch_verify.py."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(Path(stillwatch_verify.__file__).read_text("utf-8"), ending="")
