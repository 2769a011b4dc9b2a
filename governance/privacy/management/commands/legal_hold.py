from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.platform.command_arguments import reason_argument
from governance.privacy.holds import UnknownTargetError, find_target, lift_hold, set_hold
from governance.privacy.models import LegalHold
from governance.privacy.queries import list_holds
from governance.web.counts import pluralize

KINDS = ("account", "organisation", "campaign")


class Command(BaseCommand):
    help = "Set or lift a legal hold: until it is lifted, nothing of what it covers is deleted or erased. Or list them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=("set", "lift", "list"))
        parser.add_argument("kind", choices=KINDS, nargs="?")
        parser.add_argument("name", nargs="?", help="the id of the account, the organisation or the campaign")
        parser.add_argument("--reason", type=reason_argument, help="why it is set or lifted: a file number, no names")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "list":
            for hold in list_holds():
                if hold.lifted_at is None:
                    self.stdout.write(f"{' '.join(hold.target)}: {hold.reason} (since {hold.set_at:%F}, {hold.set_by})")
            return
        reason = options["reason"]
        if not options["name"] or reason is None:
            raise CommandError("Say what is held, and why: legal_hold set account ID --reason ….")
        try:
            target = find_target(options["kind"], options["name"])
        except UnknownTargetError as error:
            raise CommandError(str(error)) from error
        by, now = Actor.system("command line"), timezone.now()
        if options["verb"] == "set":
            hold = set_hold(target, reason=reason, by=by, now=now)
            self.stdout.write(f"Held: {pluralize(hold.accounts.count(), 'account')} covered.")
            return
        holds = LegalHold.objects.in_force().filter(
            account=target.account, organisation=target.organisation, campaign=target.campaign
        )
        lifted = sum(lift_hold(hold, reason=reason, by=by, now=now) for hold in holds.order_by("pk"))
        if not lifted:
            raise CommandError(f"There is no legal hold on {target.kind} {target.name}.")
        self.stdout.write(f"{pluralize(lifted, 'hold')} lifted.")
