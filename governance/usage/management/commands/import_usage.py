import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from governance.audit.actor import Actor
from governance.platform.progress import terminal_progress
from governance.usage.actions import OLDEST_IN_FILES, record_import, record_lines
from governance.usage.files import UnreadableFileError, open_usage_file, read_lines
from governance.web.counts import pluralize
from governance.web.visible import escape_invisible

BATCH = 5_000
REPORTED_LINES = 20


class Command(BaseCommand):
    help = (
        "Import usage events from files in the wire format. The same file twice adds nothing. "
        "Ends with status 1 if a line was rejected."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", help=".jsonl, .jsonl.gz, .jsonl.zst, .parquet, or - for standard input")
        parser.add_argument("--source", default="native", help="ids are unique within a source (default: native)")

    def handle(self, *args: Any, **options: Any) -> None:
        rejected: dict[str, int] = {}
        for name in options["files"]:
            try:
                if number := self.import_file(name, source=options["source"]):
                    rejected[name] = number
            except UnreadableFileError as error:
                raise CommandError(f"{name} cannot be read: {error}") from error
        if rejected:
            total = sum(rejected.values())
            raise CommandError(
                f"{pluralize(total, 'line')} of {', '.join(rejected)} {'was' if total == 1 else 'were'} rejected."
            )

    def import_file(self, name: str, *, source: str) -> int:
        """Take in a file. Return how many of its lines were rejected."""
        started, first_line, reported = time.monotonic(), 1, 0
        counts = {"accepted": 0, "duplicate": 0, "rejected": 0}
        with open_usage_file(name) as file, _progress() as progress:
            bar = progress.add_task(Path(name).name, total=file.size, rate="")
            for batch in _batches(read_lines(name, file)):
                outcome = record_lines(
                    batch, source=source, now=timezone.now(), oldest=OLDEST_IN_FILES, first_line=first_line
                )
                first_line += len(batch)
                counts["accepted"] += outcome.accepted
                counts["duplicate"] += outcome.duplicate
                counts["rejected"] += len(outcome.rejected)
                for rejection in outcome.rejected[: REPORTED_LINES - reported]:
                    self.stderr.write(
                        f"{escape_invisible(name)} line {rejection.line}: {escape_invisible(rejection.reason)}"
                    )
                    reported += 1
                rate = (first_line - 1) / (time.monotonic() - started)
                progress.update(bar, completed=file.read_so_far(), rate=f"{rate:,.0f} lines/s")
        record_import(name, **counts, by=Actor.system("import_usage"), now=timezone.now())
        seconds = time.monotonic() - started
        self.stdout.write(
            f"{name}: {counts['accepted']:,} accepted, {counts['duplicate']:,} duplicate, "
            f"{counts['rejected']:,} rejected in {seconds:.1f} s ({(first_line - 1) / seconds:,.0f} lines/s)."
        )
        return counts["rejected"]


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while batch := list(islice(lines, BATCH)):
        yield batch


def _progress() -> Progress:
    return terminal_progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
