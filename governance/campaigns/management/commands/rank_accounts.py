import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.campaigns.queries import account_ranking
from governance.web.visible import escape_invisible


class Command(BaseCommand):
    help = "List every account with its score, highest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["jsonl", "text"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        for place in account_ranking():
            if options["format"] == "jsonl":
                self.stdout.write(json.dumps(place._asdict(), default=datetime.isoformat))
            else:
                flag = "flagged" if place.flagged else ""
                self.stdout.write(f"{place.score:>3}  {escape_invisible(place.account):<40} {flag}".rstrip())
