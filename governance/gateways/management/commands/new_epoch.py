from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.gateways.epochs import begin_epoch
from governance.gateways.recovery import open_lost_decisions
from governance.platform.command_arguments import reason_argument

LISTED = 50


class Command(BaseCommand):
    help = (
        "Begin a new epoch of the feed. Run it as the last step of every restore, and of every promotion of a "
        "standby that may lack the newest changes: gateways then load everything again, and report what was lost."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "reason",
            type=reason_argument,
            help="reason for the audit log, e.g. 'restored to 14:20 after a fault'",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        epoch = begin_epoch(reason=options["reason"], by=Actor.system("command line"), now=timezone.now())
        self.stdout.write(
            f"Epoch {epoch.identifier} begins after change {epoch.continues}; its first change has the number "
            f"{epoch.starts_after + 1}. Gateways go on refusing whom they refused, and load everything again. What "
            "processes of the check and gateways still know and this database does not is listed on /enforcement/ as "
            "they report it."
        )
        for decision in open_lost_decisions()[:LISTED]:
            what = decision.get_what_display().lower()
            self.stdout.write(f"  {decision.target}: {what} ({decision.kind}), number {decision.number}")
