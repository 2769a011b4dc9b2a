from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.staff.models import User
from governance.staff.second_factor import remove_second_factor


class Command(BaseCommand):
    help = "Remove somebody's second factor, as when the only admin has lost their device."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].lower()).first()
        if user is None:
            raise CommandError(f"No member of staff has the address {options['email']}.")
        is_removed = remove_second_factor(user, by=Actor.system("command line"), now=timezone.now())
        said = "signs in with the password alone now" if is_removed else "had no second factor"
        self.stdout.write(f"{user.name} {said}.")
