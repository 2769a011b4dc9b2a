import json
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from accounts.actions import register_accounts
from accounts.register import AccountLine, UnreadableLineError, read_line
from governance.audit.actor import Actor
from governance.replay import LONG_AGO, replay
from governance.risk.calibration import CalibrationError
from governance.risk.in_force import put_in_force
from governance.risk.queries import ranking
from governance.risk.scoring import REVIEW_LINE
from governance.scratch import scratch_database
from governance.usage.files import UnreadableFileError, lines_in, open_counted

REPLAY: Final = Actor.system("replay")
UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


class Command(BaseCommand):
    help = (
        "Runs recorded usage through intake, scoring and campaigns in the time of its events, on a database of its "
        "own, and writes for each account its score and when it would first have been put before a reviewer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("events", nargs="+", help="in order of time: .jsonl, .jsonl.gz, .jsonl.zst, .parquet or -")
        parser.add_argument("--accounts", required=True, help="the register of customers, as for import_accounts")
        parser.add_argument("--every", default="1h", type=_span, help="how often is scored: 15m, 1h, 1d (default: 1h)")
        parser.add_argument("--output", required=True, help="where the results go, a JSON object a line")
        parser.add_argument("--calibration", help="judge by this file instead of the calibration in force")
        parser.add_argument("--review-line", type=int, default=REVIEW_LINE, help=f"points (default: {REVIEW_LINE})")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        calibration = _text(options["calibration"]) if options["calibration"] else None
        register = _register(options["accounts"])
        with scratch_database("replay"), override_settings(EXCERPTS_PER_DAY=0):
            register_accounts(register, by=REPLAY, now=LONG_AGO)
            if calibration is not None:
                try:
                    put_in_force(calibration, by=REPLAY, now=LONG_AGO)
                except CalibrationError as error:
                    raise CommandError(f"{options['calibration']} is no calibration: {error}.") from error
            told = self.run_through(options["events"], every=options["every"], review_line=options["review_line"])
            with Path(options["output"]).open("w") as out:
                out.writelines(json.dumps(place._asdict(), default=datetime.isoformat) + "\n" for place in ranking())
        self.stdout.write(f"{told} in {time.monotonic() - started:.0f} s; results in {options['output']}.")

    def run_through(self, files: list[str], *, every: timedelta, review_line: int) -> str:
        last = None
        with _bar() as bar:
            task = bar.add_task("Replaying", total=None, told="")
            for last in replay(_lines(files, bar), every=every, review_line=review_line):
                bar.update(task, told=f"{last.at:%d %B %H:%M}, {last.accepted:,} events, {last.scored:,} scorings")
        if last is None or not last.accepted:
            raise CommandError("There are no usage events in it.")
        return (
            f"{last.accepted:,} events up to {last.at:%d %B %Y %H:%M} ({last.duplicate:,} came twice, "
            f"{last.rejected:,} were rejected), {last.scored:,} scorings"
        )


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]*)([mhd])", text)
    if found is None:
        raise CommandError(f"--every {text}: write 15m, 1h or 1d.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from error


def _register(path: str) -> list[AccountLine]:
    accounts = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if line.strip():
            try:
                accounts.append(read_line(line.encode()))
            except UnreadableLineError as error:
                raise CommandError(f"{path} line {number}: {error}") from error
    return accounts


def _lines(files: list[str], bar: Progress) -> Iterator[bytes]:
    return chain.from_iterable(_lines_of(name, bar) for name in files)


def _lines_of(name: str, bar: Progress) -> Iterator[bytes]:
    try:
        with open_counted(name) as file:
            task = bar.add_task(Path(name).name, total=file.size, told="")
            for number, line in enumerate(lines_in(name, file)):
                if number % 1_000 == 0:
                    bar.update(task, completed=file.read_so_far())
                yield line
            bar.update(task, completed=file.size or 0)
    except UnreadableFileError as error:
        raise CommandError(f"{name} cannot be read: {error}") from error


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[told]}"), console=Console(stderr=True), transient=True,
    )  # fmt: skip
