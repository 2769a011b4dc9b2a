from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.staff.models import ServiceKey
from governance.staff.service_keys import revoke_service_key


class Command(BaseCommand):
    help = "Revoke a service key, from its next request on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", help="the first ten characters of its secret, as shown in the admin")

    def handle(self, *args: Any, **options: Any) -> None:
        key = ServiceKey.objects.filter(shown_prefix=options["prefix"][:10]).first()
        if key is None:
            raise CommandError("No service key starts with that.")
        revoke_service_key(key, by=Actor.system("command line"), now=timezone.now())
        self.stdout.write(f"The key {key.shown_prefix}… of {key.name} is revoked.")
