import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError
from django.test.utils import override_settings
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from accounts.actions import register_accounts
from accounts.register import AccountLine, UnreadableLineError, parse_account_line
from governance.audit.actor import Actor
from governance.backtest.database import backtest_database
from governance.backtest.run import REGISTERED_AT, BacktestCounts, count_accounts_that_failed_scoring, iter_backtest
from governance.campaigns.queries import account_ranking
from governance.detection.active_calibration import activate_calibration
from governance.detection.calibration import CalibrationError
from governance.detection.models import CalibrationVersion
from governance.detection.scoring import REVIEW_LINE
from governance.platform.command_arguments import duration_argument, time_argument
from governance.usage.files import OpenFile, UnreadableFileError, open_usage_file, read_lines

BACKTEST: Final = Actor.system("backtest")
# Where there is no terminal to draw a bar on, seconds between two lines.
NOW_AND_THEN: Final = 15


class Command(BaseCommand):
    help = (
        "Run recorded usage through intake, scoring and campaigns in the time of its events, on a database of its "
        "own, and write for each account its score and when its case would have opened."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("events", nargs="+", help="in time order: .jsonl, .jsonl.gz, .jsonl.zst, .parquet or -")
        parser.add_argument("--accounts", required=True, help="the register of customers, as for import_accounts")
        parser.add_argument(
            "--every", default="1h", type=duration_argument, help="time between scorings: 15m, 1h, 1d (default: 1h)"
        )
        parser.add_argument("--output", required=True, help="output file, one JSON object per line")
        parser.add_argument("--calibration", help="use this calibration file instead of the active one")
        parser.add_argument("--review-line", type=int, default=REVIEW_LINE, help=f"points (default: {REVIEW_LINE})")
        parser.add_argument("--until", type=time_argument, help="leave out events from this day or time (UTC) on")
        parser.add_argument("--quiet", action="store_true", help="print nothing before the end")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        calibration, register = _calibration(options["calibration"]), _register(options["accounts"])
        output = Path(options["output"])
        _refuse_unless_writable(output)
        with ExitStack() as stack:
            files = {name: _open_file(name, stack) for name in options["events"]}
            stack.enter_context(backtest_database("backtest"))
            stack.enter_context(override_settings(EXCERPTS_PER_DAY=0))
            register_accounts(register, by=BACKTEST, now=REGISTERED_AT)
            if calibration is not None:
                try:
                    activate_calibration(calibration, by=BACKTEST, now=REGISTERED_AT)
                except CalibrationError as error:
                    name = options["calibration"] or "What is in force"
                    raise CommandError(f"{name} is not a calibration: {error}.") from error
            last = None
            with _ProgressReport(files, quiet=options["quiet"]) as report:
                for last in iter_backtest(
                    _lines(files), every=options["every"], until=options["until"], review_line=options["review_line"]
                ):
                    report.show(last)
            if last is None or not last.accepted:
                raise CommandError(f"There are no usage events in {', '.join(options['events'])}.")
            with output.open("w") as out:
                out.writelines(
                    json.dumps(place._asdict(), default=datetime.isoformat) + "\n" for place in account_ranking()
                )
            failed = count_accounts_that_failed_scoring()
        if failed:
            self.stderr.write(f"Scoring failed for {failed:,} accounts: not all of their usage is in their scores.")
        self.stdout.write(
            f"{last.accepted:,} events up to {last.at:%-d %B %Y %H:%M} ({last.duplicate:,} came twice, {last.late:,} "
            f"late, {last.rejected:,} were rejected), {last.scored:,} scorings in {time.monotonic() - started:.0f} s; "
            f"results in {output}."
        )


def _calibration(path: str | None) -> str | None:
    """The file's text or else that of the calibration in force; None where that is the packaged one."""
    if path:
        try:
            return _bytes(path).decode()
        except UnicodeDecodeError as error:
            raise CommandError(f"{path} is not a calibration: it is not text.") from error
    try:
        newest = CalibrationVersion.objects.first()
    except ProgrammingError:  # the real database has not been set up
        return None
    return newest.content if newest else None


def _register(path: str) -> list[AccountLine]:
    accounts = []
    for number, line in enumerate(_bytes(path).splitlines(), 1):
        if line.strip():
            try:
                accounts.append(parse_account_line(line))
            except UnreadableLineError as error:
                raise CommandError(f"{path} line {number}: {error}") from error
    return accounts


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _refuse_unless_writable(output: Path) -> None:
    """Rather now than when all is done."""
    try:
        with output.open("a"):
            pass
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.") from error


def _open_file(name: str, stack: ExitStack) -> OpenFile:
    try:
        file = stack.enter_context(open_usage_file(name))
    except UnreadableFileError as error:
        raise CommandError(f"{name} cannot be read: {error}") from error
    if file.size is not None:
        file.raw.seek(0)
    return file


def _lines(files: Mapping[str, OpenFile]) -> Iterator[bytes]:
    for name, file in files.items():
        try:
            yield from read_lines(name, file)
        except UnreadableFileError as error:
            raise CommandError(f"{name} cannot be read: {error}") from error


class _ProgressReport:
    """Says how far it is, by how much of the files is read: a bar on a terminal, elsewhere a line now and then."""

    def __init__(self, files: Mapping[str, OpenFile], *, quiet: bool) -> None:
        self._files, self._console = list(files.values()), Console(stderr=True)
        sizes = [file.size for file in self._files]
        self._size = None if None in sizes else sum(filter(None, sizes))
        self._prints = not quiet and not self._console.is_terminal
        self._bar = Bar(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(), console=self._console, transient=True, disable=quiet or self._prints,
        )  # fmt: skip
        self._task = self._bar.add_task("Replaying", total=self._size, figures="")
        self._began = self._printed = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: BacktestCounts) -> None:
        read, now = sum(file.read_so_far() for file in self._files), time.monotonic()
        events = progress.accepted + progress.duplicate
        figures = (
            f"{events:,} events, {events / (now - self._began):,.0f} a second, {progress.waiting:,} accounts waiting"
        )
        self._bar.update(self._task, description=f"{progress.at:%-d %B %H:%M}", completed=read, figures=figures)
        if self._prints and now - self._printed >= NOW_AND_THEN:
            self._printed = now
            share = f" ({read / self._size:.0%})" if self._size else ""
            self._console.print(f"{progress.at:%-d %B %H:%M}{share}: {figures}", highlight=False, markup=False)
