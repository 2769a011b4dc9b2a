import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.gateways.actions import UnusableNameError, connect_litellm
from governance.gateways.litellm.admin_api import LiteLlmError

KEY = "LITELLM_MASTER_KEY"


class Command(BaseCommand):
    help = (
        "Push blocks of teams and keys to a LiteLLM, and remove them there, as soon as they are decided. "
        f"The key of an admin is read from the environment variable {KEY}, and stored encrypted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("gateway", help="name of the gateway here; the name of its service key, if it has one")
        parser.add_argument("url", help="LiteLLM's address, https://…")

    def handle(self, *args: Any, **options: Any) -> None:
        key = os.environ.get(KEY, "").strip()
        if not key:
            raise CommandError(f"Set {KEY} to the key of a LiteLLM admin.")
        by, now = Actor.system("command line"), timezone.now()
        try:
            gateway = connect_litellm(options["gateway"], options["url"], key=key, by=by, now=now)
        except LiteLlmError as error:
            raise CommandError(f"{options['url']}: {error}.") from error
        except UnusableNameError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{gateway}: who is blocked is blocked at {gateway.litellm_url} too, within seconds.")
