from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.staff.models import ServiceKey
from governance.staff.service_keys import issue_service_key


class Command(BaseCommand):
    help = "Issue a service key for a machine and print its secret, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the machine in the audit log, e.g. gateway-eu")
        parser.add_argument(
            "--network",
            action="append",
            default=[],
            help="address or network from where alone it works",
        )
        parser.add_argument("--scope", action="append", required=True, choices=ServiceKey.Scope.values)

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        same = ServiceKey.objects.usable(at=now).filter(name=options["name"], scopes__overlap=options["scope"])
        for one in same.order_by("created_at", "pk"):
            self.stderr.write(
                f"{one.name} has another key, {one.shown_prefix}…, with {', '.join(one.scopes)}. It stays usable: "
                f"revoke it with revoke_service_key {one.shown_prefix}."
            )
        try:
            _, secret = issue_service_key(
                name=options["name"],
                scopes=options["scope"],
                networks=options["network"],
                by=Actor.system("command line"),
                now=now,
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
