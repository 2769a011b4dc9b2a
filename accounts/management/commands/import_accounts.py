import sys
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from accounts.actions import register_accounts
from accounts.register import AccountLine, UnreadableLineError, read_line
from governance.audit.actor import Actor

BATCH = 1_000
REPORTED_LINES = 20


class Command(BaseCommand):
    help = "Takes in the seller's register of customers: a JSON object a line. The same file twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of a .jsonl file, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        try:
            lines = (sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()).splitlines()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        numbered = enumerate(lines, 1)
        created = updated = rejected = 0
        console = Console(stderr=True)
        for _ in track(range(0, len(lines), BATCH), "Registering accounts", console=console, transient=True):
            accounts: list[AccountLine] = []
            for number, line in islice(numbered, BATCH):
                if not line.strip():
                    continue
                try:
                    accounts.append(read_line(line))
                except UnreadableLineError as error:
                    rejected += 1
                    if rejected <= REPORTED_LINES:
                        self.stderr.write(f"line {number}: {error}")
            outcome = register_accounts(accounts, by=Actor.system("import_accounts"), now=timezone.now())
            created, updated = created + outcome.created, updated + outcome.updated
        self.stdout.write(f"{created} accounts created, {updated} updated, {rejected} lines rejected.")
