from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich import box
from rich.console import Console
from rich.table import Table

from governance.bench.detection.stress import STEPS, StepResult, read_stress_world, stress
from governance.platform.command_arguments import duration_argument
from governance.platform.progress import terminal_progress

WIDTH = 200
HEAD = (
    "step",
    "accounts",
    "AUROC",
    "recall at 0.1 % FP",
    "at the review line",
    "others there",
    "campaigns found",
    "requests before the flag: alone",
    "members",
)


class Command(BaseCommand):
    help = (
        "Dress up the harvests of a labelled world step by step, each on top of the others, and print after each step "
        "who is still found. Accounts are scored in memory, by the packaged calibration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("world", help="a folder with events.jsonl.gz, accounts.jsonl and labels.jsonl")
        parser.add_argument(
            "--every", default="1d", type=duration_argument, help="time between scorings: 6h, 1d (default: 1d)"
        )
        parser.add_argument("--one-by-one", action="store_true", help="each step by itself instead of on the others")
        parser.add_argument("--seed", type=int, default=0, help="who lends what to whom (default: 0)")

    def handle(self, *args: Any, **options: Any) -> None:
        every: timedelta = options["every"]
        try:
            world = read_stress_world(options["world"], key=settings.FINGERPRINT_KEY, seed=options["seed"])
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['world']} is not a labelled world to stress: {error}.") from error
        results = []
        with terminal_progress() as progress:
            bar = progress.add_task("Dressing up", total=len(STEPS))
            for result in stress(world, every=every, one_by_one=options["one_by_one"], seed=options["seed"]):
                results.append(_line(result))
                progress.update(bar, completed=len(results))
        self.stdout.write(_table(results))


def _table(lines: Sequence[tuple[str, ...]]) -> str:
    """Return the table in Markdown, its columns aligned."""
    table = Table(*HEAD, box=box.MARKDOWN)
    for line in lines:
        table.add_row(*line)
    drawn = StringIO()
    Console(file=drawn, width=WIDTH).print(table)
    return drawn.getvalue().strip()


def _line(result: StepResult) -> tuple[str, ...]:
    alone, members = result.before_flag
    return (
        result.step,
        str(result.harvests.of),
        f"{result.measures.auroc:.3f}",
        str(result.measures.recall_strict),
        f"{result.harvests.hits} ({result.harvests.value:.0%})",
        f"{result.others.hits} of {result.others.of:,}",
        f"{result.campaigns.hits} of {result.campaigns.of}",
        f"{alone:.0f}",
        f"{members:.0f}",
    )
