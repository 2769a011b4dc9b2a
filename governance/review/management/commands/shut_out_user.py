from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.review.actions import shut_out_and_release
from governance.staff.actions import LastAdminError
from governance.staff.models import User


class Command(BaseCommand):
    help = "Shut out a member of staff who has left: no sign-in, sessions end, and claimed cases are released."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].lower()).first()
        if user is None:
            raise CommandError(f"No member of staff has the address {options['email']}.")
        try:
            freed = shut_out_and_release(user, by=Actor.system("command line"), now=timezone.now())
        except LastAdminError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{user.name} is shut out. Cases released: {freed}.")
