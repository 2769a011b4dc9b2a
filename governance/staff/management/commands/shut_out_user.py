from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.staff.actions import shut_out
from governance.staff.models import User


class Command(BaseCommand):
    help = "Shuts somebody out who has left: they cannot sign in any more, and open sessions end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].lower()).first()
        if user is None:
            raise CommandError(f"Nobody has the address {options['email']}.")
        shut_out(user, by=Actor.system("command line"), now=timezone.now())
        self.stdout.write(f"{user.name} is shut out.")
