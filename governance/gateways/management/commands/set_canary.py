import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Account
from governance.audit.actor import Actor
from governance.gateways.actions import UnusableCanaryError, UnusableNameError, set_canary


class Command(BaseCommand):
    help = (
        "Set an account of your own, and a request of it, with which Stillwatch tests every five minutes whether a "
        "gateway obeys. The account is blocked for moments each time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("gateway", help="name of the gateway here; the name of its service key, if it has one")
        parser.add_argument("account", help="account whose key is in the request, e.g. acct_canary")
        parser.add_argument("url", help="address to call, e.g. https://api.example.com/v1/models")
        parser.add_argument(
            "--header-env",
            action="append",
            default=[],
            metavar="VARIABLE",
            help="the environment variable that holds a header, such as 'Authorization: Bearer …'; may be repeated",
        )
        parser.add_argument("--body", default="", help="JSON to post; without it the request is a GET")

    def handle(self, *args: Any, **options: Any) -> None:
        headers = dict(_header(variable) for variable in options["header_env"])
        by, now = Actor.system("command line"), timezone.now()
        is_known = Account.objects.filter(external_id=options["account"]).exists()
        try:
            gateway = set_canary(
                options["gateway"],
                options["account"],
                options["url"],
                headers=headers,
                body=options["body"],
                by=by,
                now=now,
            )
        except (UnusableCanaryError, UnusableNameError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{gateway}: {options['account']} is its canary, and blocked for moments every five minutes.")
        if not is_known:
            self.stdout.write(f"Nothing is known of {options['account']} yet: check the name.")
        if gateway.service_key is None:
            self.stdout.write(f"No gateway called {gateway} has asked yet: call it by the name of its service key.")


def _header(variable: str) -> tuple[str, str]:
    name, colon, value = os.environ.get(variable, "").strip().partition(":")
    if not colon:
        raise CommandError(f"Set {variable} to a header, such as 'Authorization: Bearer …'.")
    return name.strip(), value.strip()
