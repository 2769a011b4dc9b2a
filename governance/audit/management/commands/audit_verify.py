from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit.queries import CLOCKS_DIFFER, ChainFault
from governance.audit.stillwatch_verify import LogFaultError
from governance.audit.verification import LogCheck


class Command(BaseCommand):
    help = "Prove that no entry of the audit log was changed, removed or inserted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--checkpoint",
            action="append",
            type=Path,
            default=[],
            metavar="FILE",
            help="a checkpoint that was kept elsewhere; may be given again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            check = LogCheck(kept=[file.read_text("utf-8") for file in options["checkpoint"]])
            found = [fault for fault in check.walk() if fault]
        except (LogFaultError, OSError, ValueError) as error:
            raise CommandError(f"The log cannot be compared with what was published: {error}.") from error
        self._report(found, check.entries)
        if check.fault:
            raise CommandError(f"The log does not fit what was published: {check.fault}.")
        if check.published:
            fitting = f"{check.published} {_entries(check.published)}"
            self.stdout.write(f"It fits the {fitting} published to {check.path}.")

    def _report(self, found: list[ChainFault], verified: int) -> None:
        for fault in found[:20]:
            self.stderr.write(f"entry {fault.number}: {fault.reason}")
        broken = sum(fault.breaks_chain for fault in found)
        if broken:
            raise CommandError(f"The chain is broken at {broken} of {verified} {_entries(verified)}.")
        self.stdout.write(f"{verified} {_entries(verified)} verified, chain intact.")
        if found:
            minutes = CLOCKS_DIFFER.total_seconds() / 60
            run = "runs" if len(found) == 1 else "run"
            self.stdout.write(f"{len(found)} of them {run} backwards in time by more than {minutes:.0f} minutes.")


def _entries(number: int) -> str:
    return "entry" if number == 1 else "entries"
