from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.gateways.models import CanaryProbe
from governance.gateways.probes import claim_probe, gateways_with_canary, probe


class Command(BaseCommand):
    help = "Test with their canaries whether gateways obey now, and how long a block and its removal take."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--gateway", help="only this gateway")

    def handle(self, *args: Any, **options: Any) -> None:
        gateways = (
            gateways_with_canary().filter(name=options["gateway"]) if options["gateway"] else gateways_with_canary()
        )
        if not gateways:
            which = f"The gateway {options['gateway']} has no" if options["gateway"] else "No gateway has a"
            raise CommandError(f"{which} canary: see set_canary.")
        bad = []
        for gateway in gateways:
            claim_probe(gateway, now=timezone.now())
            probes = probe(gateway, timezone.now())
            for one in probes:
                self.stdout.write(f"{gateway}: {_describe_probe(one)}")
            if not probes:
                self.stdout.write(f"{gateway}: another process is testing it now.")
            bad += [gateway.name] * any(one.outcome != CanaryProbe.Outcome.OBEYED for one in probes)
        if bad:
            raise CommandError(f"Not obeyed: {', '.join(bad)}.")


def _describe_probe(one: CanaryProbe) -> str:
    what = "let in again" if one.lifting else "refused"
    if one.took_ms is not None:
        return f"{what} after {one.took_ms:,} ms ({one.detail})"
    return f"not {what}: {one.get_outcome_display().lower()} ({one.detail})"
