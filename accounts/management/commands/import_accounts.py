import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from accounts.actions import register_accounts
from accounts.normalization import strip_byte_order_mark
from accounts.register import AccountLine, LineOutcome, UnreadableLineError, parse_account_line
from governance.audit.actor import Actor
from governance.web.counts import pluralize
from governance.web.visible import escape_invisible

BATCH = 1_000
REPORTED_LINES = 20
REJECTED = "rejected"
NOTED = "noted"


class Command(BaseCommand):
    help = (
        "Import the register of customers, one JSON object per line. The same file twice changes nothing. "
        "Ends with status 1 if a line was rejected."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a .jsonl file, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        try:
            lines = (sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()).splitlines()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        summary = Counter[str]()
        console = Console(stderr=True)
        for start in track(range(0, len(lines), BATCH), "Registering accounts", console=console, transient=True):
            self.register(list(enumerate(lines[start : start + BATCH], start + 1)), summary)
        created, updated, unchanged = (summary[outcome] for outcome in LineOutcome)
        rejected = summary[REJECTED]
        self.stdout.write(
            f"{pluralize(created, 'account')} created, {updated:,} updated, {unchanged:,} unchanged, "
            f"{pluralize(rejected, 'line')} rejected."
        )
        if rejected:
            raise CommandError(
                f"{pluralize(rejected, 'line')} of {path} {'was' if rejected == 1 else 'were'} rejected."
            )

    def register(self, numbered: list[tuple[int, bytes]], summary: Counter[str]) -> None:
        """Register a batch of numbered lines, say what is wrong with which, and add up what became of them."""
        accounts: list[AccountLine] = []
        numbers: list[int] = []
        for number, line in numbered:
            if not strip_byte_order_mark(line).strip():
                continue
            try:
                accounts.append(parse_account_line(line))
                numbers.append(number)
            except UnreadableLineError as error:
                self.reject(number, str(error), summary)
        outcome = register_accounts(accounts, by=Actor.system("import_accounts"), now=timezone.now())
        for place, reason in outcome.rejected:
            self.reject(numbers[place], reason, summary)
        for note in outcome.notes:
            summary[NOTED] += 1
            if summary[NOTED] <= REPORTED_LINES:
                self.stdout.write(escape_invisible(note))
        summary.update(created=outcome.created, updated=outcome.updated, unchanged=outcome.unchanged)

    def reject(self, number: int, reason: str, summary: Counter[str]) -> None:
        summary[REJECTED] += 1
        if summary[REJECTED] <= REPORTED_LINES:
            self.stderr.write(f"line {number}: {escape_invisible(reason)}")
