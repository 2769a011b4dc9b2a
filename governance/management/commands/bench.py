from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from rich.console import Console

from governance.bench import campaign, figure, intake, scoring
from governance.bench.enforcement import client, hot, outage, propagation, racing, tampering
from governance.bench.figure import Figure
from governance.scratch import scratch_database

# The share of what it can at most that a server should be asked for all day.
BEARABLE = 0.6


class Command(BaseCommand):
    help = "Measures on a database of its own, prints a table and writes .bench/results.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--http-seconds", type=float, default=120, help="how long each load over HTTP lasts")
        parser.add_argument("--enforcement", action="store_true", help="enforcement alone, half an hour of it")
        parser.add_argument("--campaign", type=int, default=0, help="import so many events of 24,000 accounts, alone")
        parser.add_argument("--http-rate", type=float, default=0, help="events a second (default: 6/10 of the fastest)")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console()
        figures: list[Figure] = []
        with console.status("Measuring"), scratch_database("bench"):
            if options["enforcement"]:
                measured = self.enforcement()
            else:
                measured = self.figures(options["campaign"], options["http_seconds"], options["http_rate"])
            for one in measured:
                console.print(f"{one.name}: {one.value:,.1f} {one.unit}")
                figures.append(one)
        figure.show(figures, console)
        figure.write(figures, settings.BASE_DIR / ".bench" / "results.json")

    def enforcement(self) -> Iterator[Figure]:
        """Each on what the ones before have left, the one with a million restrictions last."""
        now = timezone.now()
        yield from client.deciding()
        yield from tampering.tampering()
        yield from outage.cut_off(now)
        yield from propagation.propagating(now)
        yield from racing.racing(now)
        yield from hot.checking(now)

    def figures(self, events: int, seconds: float, rate: float) -> Iterator[Figure]:
        now = timezone.now()
        if events:
            yield from campaign.importing(events, now)
            return
        yield from intake.in_memory(now)
        fastest = [*intake.over_http(seconds / 4, 0, timezone.now())]
        yield from fastest
        yield from intake.over_http(seconds, rate or round(BEARABLE * fastest[0].value, -3), timezone.now())
        yield from scoring.scoring(now)
