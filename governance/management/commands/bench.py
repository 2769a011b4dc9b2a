from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from rich.console import Console

from governance.backtest.database import backtest_database
from governance.bench import campaign, evidence, figure, intake, log, pages, scoring
from governance.bench.enforcement import client, hot, outage, propagation, racing, tampering
from governance.bench.figure import Figure
from governance.bench.scale import FULL, SMOKE, Scale

# The share of what it can at most that a server should be asked for all day.
BEARABLE = 0.6


class Command(BaseCommand):
    help = "Measure on a database of its own, print a table and write .bench/results.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--http-seconds", type=float, default=120, help="seconds that each load over HTTP lasts")
        parser.add_argument("--enforcement", action="store_true", help="only enforcement, half an hour")
        parser.add_argument("--evidence", action="store_true", help="only sealing usage, and a bundle of evidence")
        parser.add_argument("--pages", action="store_true", help="only pages, with a million accounts")
        parser.add_argument("--campaign", type=int, default=0, help="only import this many events of 24,000 accounts")
        parser.add_argument(
            "--smoke", action="store_true", help="a tiny run that shows that everything works; writes no file"
        )
        parser.add_argument("--http-rate", type=float, default=0, help="events a second (default: 6/10 of the fastest)")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console()
        figures: list[Figure] = []
        scale = SMOKE if options["smoke"] else FULL
        with console.status("Measuring"), backtest_database("bench"):
            if options["enforcement"]:
                measured = self.enforcement(scale)
            elif options["evidence"]:
                measured = evidence.measure_evidence(timezone.now(), scale)
            elif options["pages"]:
                measured = pages.measure_pages(timezone.now(), scale)
            else:
                measured = self.figures(options["campaign"], options["http_seconds"], options["http_rate"], scale)
            for one in measured:
                console.print(f"{one.name}: {one.value:,.1f} {one.unit}")
                figures.append(one)
        figure.print_figures(figures, console)
        if not options["smoke"]:
            figure.write_figures(figures, settings.BASE_DIR / ".bench" / "results.json")

    def enforcement(self, scale: Scale) -> Iterator[Figure]:
        """Each on what the ones before have left, the one with a million restrictions last."""
        now = timezone.now()
        yield from client.measure_decisions(scale)
        yield from tampering.measure_tampering(scale)
        yield from outage.measure_outage(now, scale)
        yield from propagation.measure_propagation(now, scale)
        yield from racing.measure_races(now, scale)
        yield from hot.measure_checks(now, scale)

    def figures(self, events: int, seconds: float, rate: float, scale: Scale) -> Iterator[Figure]:
        now = timezone.now()
        if events:
            yield from campaign.measure_import(events, now)
            return
        yield from intake.measure_in_memory(now, scale)
        seconds = scale.seconds(seconds)
        fastest = [*intake.measure_over_http(seconds / 4, 0, timezone.now(), scale)]
        yield from fastest
        rate = rate or max(1_000, round(BEARABLE * fastest[0].value, -3))
        yield from intake.measure_over_http(seconds, rate, timezone.now(), scale)
        yield from scoring.measure_scoring(now, scale)
        yield from log.measure_log(now, scale)
