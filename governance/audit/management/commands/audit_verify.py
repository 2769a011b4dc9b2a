from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.audit.queries import CLOCKS_DIFFER, iter_chain_checks


class Command(BaseCommand):
    help = "Prove that no entry of the audit log was changed, removed or inserted."

    def handle(self, *args: Any, **options: Any) -> None:
        verified, found = 0, []
        for fault in iter_chain_checks():
            verified += 1
            if fault:
                found.append(fault)
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
