from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Account
from accounts.normalization import normalize_id
from governance.audit.actor import Actor
from governance.usage.scoring_queue import request_rescore, requeue_dead_letters
from governance.web.counts import pluralize
from governance.web.visible import escape_invisible


class Command(BaseCommand):
    help = "Score accounts again: those named, all of them, or those whose scoring failed three times."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("accounts", nargs="*", default=[], help="external ids")
        which.add_argument("--all", action="store_true", help="every account")
        which.add_argument("--dead-letters", action="store_true", help="accounts whose scoring failed three times")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["dead_letters"]:
            count = requeue_dead_letters(by=Actor.system("rescore"), now=now)
        else:
            named = [*map(normalize_id, options["accounts"])]
            chosen = Account.objects.all() if options["all"] else Account.objects.known_as(named)
            if missing := set(named) - set(chosen.values_list("external_id", flat=True)):
                raise CommandError(f"There is no account {', '.join(map(escape_invisible, sorted(missing)))}.")
            keys = list(chosen.values_list("pk", flat=True))
            request_rescore(keys, now=now)
            count = len(keys)
        self.stdout.write(f"{pluralize(count, 'account')} will be scored again.")
