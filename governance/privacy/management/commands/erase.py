from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.platform.command_arguments import reason_argument
from governance.privacy.erasure import HeldError, continue_erasures, start_erasure
from governance.privacy.holds import UnknownTargetError, find_target
from governance.privacy.queries import Counted, preview_erasure


class Command(BaseCommand):
    help = (
        "Erase what is held of the holder of an account, or of an organisation with all its accounts. Without --reason "
        "it only says what goes and what stays. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=("account", "organisation"))
        parser.add_argument("name", help="the seller's id of it")
        parser.add_argument(
            "--reason",
            type=reason_argument,
            help="erase, and say which request this answers: a file number, no names",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            target = find_target(options["kind"], options["name"])
        except UnknownTargetError as error:
            raise CommandError(str(error)) from error
        if options["reason"] is None:
            preview = preview_erasure(target)
            for title, counted in (("What goes:", preview.goes), ("What stays:", preview.stays)):
                self.stdout.write(title)
                for one in counted:
                    self.stdout.write(f"  {_in_words(one)}")
            for hold in preview.holds:
                self.stdout.write(f"A legal hold forbids it: {' '.join(hold.target)}, {hold.reason}")
            return
        now = timezone.now()
        try:
            start_erasure(target, reason=options["reason"], by=Actor.system("command line"), now=now)
        except HeldError as error:
            raise CommandError(str(error)) from error
        continue_erasures(now=now)
        self.stdout.write(f"Erased: {target.kind} {target.name}.")


def _in_words(one: Counted) -> str:
    return f"{one.what}: {'more than ' if one.is_least else ''}{one.number:,}"
