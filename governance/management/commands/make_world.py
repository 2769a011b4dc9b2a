from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.demo.world import assemble_world
from governance.demo.worlds.cast import cast_world
from governance.demo.worlds.files import write_world
from governance.web.counts import pluralize

# A fixed day, so that a seed makes the same world on every day.
ENDS_AT: Final = datetime(2026, 10, 5, tzinfo=UTC)
MOST_ACCOUNTS: Final = 9_000


class Command(BaseCommand):
    help = (
        "Make a labelled world: usage events, register and labels of made-up customers, among them harvests, careless "
        "or dressed up as products. The same numbers make the same bytes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--accounts", type=int, default=5_000, help="how many accounts (default: 5000)")
        parser.add_argument("--seed", type=int, default=1, help="another seed makes another world (default: 1)")
        parser.add_argument("--days", type=int, default=14, help="days of usage (default: 14)")
        parser.add_argument(
            "--dressed", type=float, default=0.5, help="share of the harvests that are dressed up (default: 0.5)"
        )
        parser.add_argument("--output", required=True, help="folder to write to; it must not hold a world already")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["output"])
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty. Name a new folder.")
        if not 0 <= options["dressed"] <= 1:
            raise CommandError("--dressed must be between 0 and 1.")
        if options["accounts"] > MOST_ACCOUNTS:
            raise CommandError(f"There are names for {MOST_ACCOUNTS:,} accounts at most.")
        if options["days"] < 1:
            raise CommandError("--days must be at least 1.")
        try:
            troupes = cast_world(options["accounts"], dressed=options["dressed"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        world = assemble_world(troupes, options["seed"], ENDS_AT, options["days"])
        try:
            written = write_world(world, folder)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
        self.stdout.write(
            f"{pluralize(written.accounts, 'account')}, {written.harvests:,} of them harvests, and "
            f"{pluralize(written.events, 'usage event')} written to {folder}."
        )
