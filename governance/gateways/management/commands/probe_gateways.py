from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.gateways.models import CanaryProbe
from governance.gateways.probes import claim, probe, with_canary


class Command(BaseCommand):
    help = "Looks by their canaries whether gateways obey, now, and how long a block and its lifting take there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--gateway", help="only this one")

    def handle(self, *args: Any, **options: Any) -> None:
        gateways = with_canary().filter(name=options["gateway"]) if options["gateway"] else with_canary()
        if not gateways:
            raise CommandError("There is no such gateway with a canary: see set_canary.")
        bad = []
        for gateway in gateways:
            claim(gateway, now=timezone.now())
            probes = probe(gateway, timezone.now())
            for one in probes:
                self.stdout.write(f"{gateway}: {_told(one)}")
            if not probes:
                self.stdout.write(f"{gateway}: somebody else is looking at it just now.")
            bad += [gateway.name] * any(one.outcome != CanaryProbe.Outcome.OBEYED for one in probes)
        if bad:
            raise CommandError(f"Not obeyed, as far as can be seen: {', '.join(bad)}.")


def _told(one: CanaryProbe) -> str:
    what = "let in again" if one.lifting else "refused"
    if one.took_ms is not None:
        return f"{what} after {one.took_ms:,} ms ({one.detail})"
    return f"not {what}: {one.get_outcome_display().lower()} ({one.detail})"
