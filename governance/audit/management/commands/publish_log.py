from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from governance.audit import anchors
from governance.audit.models import PublicationTrouble
from governance.audit.publishing import publish


class Command(BaseCommand):
    help = "Publish what is new in the audit log at once, as the courier does every minute."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            checkpoint = publish(now=timezone.now())
            anchors.anchor(now=timezone.now())
        except ValueError as error:
            raise CommandError(str(error)) from error
        if troubles := [
            f"{trouble.get_kind_display()}: {trouble.message}" for trouble in PublicationTrouble.objects.all()
        ]:
            raise CommandError("\n".join(troubles))
        self.stdout.write(checkpoint.note if checkpoint else "Nothing is new.")
