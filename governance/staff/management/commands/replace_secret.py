from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.platform.command_arguments import duration_argument
from governance.staff.models import ServiceKey
from governance.staff.secret_format import SHOWN_LETTERS
from governance.staff.service_keys import TwoSecretsError, replace_secret


class Command(BaseCommand):
    help = "Give a service key a new secret and print it, once. The present one works beside it for some days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", help="the present secret or its first ten characters")
        parser.add_argument("--keep", type=duration_argument, default="7d", help="how long it goes on: 12h, 7d (usual)")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        key = ServiceKey.objects.usable(at=now).filter(shown_prefix=options["prefix"][:SHOWN_LETTERS]).first()
        if key is None:
            raise CommandError("No usable service key starts with that.")
        try:
            secret = replace_secret(key, keep=options["keep"], by=Actor.system("command line"), now=now)
        except TwoSecretsError as error:
            raise CommandError(str(error)) from error
        if secret is None:
            raise CommandError("No usable service key starts with that.")
        self.stdout.write(secret)
