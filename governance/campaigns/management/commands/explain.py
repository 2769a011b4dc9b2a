from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from accounts.normalization import normalize_id
from governance.campaigns.explanation import explanation_note
from governance.web.visible import escape_invisible


class Command(BaseCommand):
    help = "Print why an account has its score: every finding with its figures, and its campaign."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="your id of the account")

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.known_as([normalize_id(options["account"])]).select_related("organisation").first()
        if account is None:
            raise CommandError(f"There is no account {escape_invisible(options['account'])}.")
        self.stdout.write(explanation_note(account), ending="")
