from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from accounts.normalization import normalize_id
from governance.campaigns.explanation import explanation_note
from governance.web.visible import visible


class Command(BaseCommand):
    help = "Prints what is thought of an account, and why: every finding with its figures, and its campaign."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="the seller's id of it")

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.known_as([normalize_id(options["account"])]).select_related("organisation").first()
        if account is None:
            raise CommandError(f"There is no account {visible(options['account'])}.")
        self.stdout.write(explanation_note(account), ending="")
