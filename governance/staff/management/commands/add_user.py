import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.staff.actions import add_user
from governance.staff.roles import Role


class Command(BaseCommand):
    help = "Add a member of staff and print a password for the first sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", required=True, choices=Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        password = secrets.token_urlsafe(12)
        try:
            user = add_user(
                email=options["email"],
                name=options["name"],
                role=Role(options["role"]),
                password=password,
                by=Actor.system("command line"),
                now=timezone.now(),
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(
            f"{user.name} ({user.get_role_display()}) can sign in as {user.email} with the password {password}"
        )
