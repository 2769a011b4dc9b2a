import os
import time
from datetime import UTC, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from governance.audit.actor import Actor
from governance.platform.command_arguments import time_argument
from governance.platform.progress import terminal_progress
from governance.usage.actions import OLDEST_IN_FILES, accepted_times, record_events, record_import
from governance.usage.queries import DuplicateCandidate, find_reported_events
from governance.usage.sources.litellm import events_from_items
from governance.usage.sources.litellm_calls import has_call_id
from governance.usage.spend_logs import SpendLogsError, iter_pages
from governance.usage.wire import Rejection, Report
from governance.web.counts import pluralize
from governance.web.visible import escape_invisible

KEY = "LITELLM_MASTER_KEY"
REPORTED_ROWS = 20
# A request that is newer may still come by the callback, which brings its text and parameters too.
STILL_ON_ITS_WAY = timedelta(minutes=10)


class Command(BaseCommand):
    help = (
        "Fill gaps of LiteLLM's callback from its spend logs. What is known already stays as it is. "
        f"The key of an admin is read from the environment variable {KEY}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="LiteLLM's address, https://…")
        parser.add_argument("--from", required=True, type=time_argument, dest="since", help="a day or a time (UTC)")
        parser.add_argument(
            "--to", required=True, type=time_argument, dest="until", help="the same; at least 10 minutes ago"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        url, since = options["url"], options["since"]
        until = min(options["until"], timezone.now() - STILL_ON_ITS_WAY)
        key = os.environ.get(KEY, "").strip()
        if not key:
            raise CommandError(f"Set {KEY} to the key of a LiteLLM admin.")
        if since >= until:
            raise CommandError("--from must be earlier than --to, and more than 10 minutes ago.")
        started, reached, rows = time.monotonic(), since, 0
        counts = {"accepted": 0, "duplicate": 0, "rejected": 0}
        try:
            with _progress() as progress:
                bar = progress.add_task(url, total=(until - since).total_seconds(), rows="")
                for page in iter_pages(url, key=key, since=since, until=until):
                    reached = max(since, page.since)
                    self.take_in(page.rows, counts, first_row=rows + 1)
                    rows += len(page.rows)
                    progress.update(bar, completed=(reached - since).total_seconds(), rows=pluralize(rows, "row"))
        except SpendLogsError as error:
            filled = pluralize(counts["accepted"], "gap was", "gaps were")
            hint = f"{filled} filled; go on with --from {reached.astimezone(UTC):%FT%TZ}."
            raise CommandError(f"{url}: {error}. {hint}") from error
        finally:
            record_import(url, **counts, by=Actor.system("reconcile_litellm"), now=timezone.now())
        self.stdout.write(
            f"{url}: {pluralize(counts['accepted'], 'gap')} filled, "
            f"{pluralize(counts['duplicate'], 'request was', 'requests were')} here already, "
            f"{counts['rejected']:,} rejected, in {time.monotonic() - started:.1f} s."
        )

    def take_in(self, rows: list[dict[str, Any]], counts: dict[str, int], *, first_row: int) -> None:
        now = timezone.now()
        span = accepted_times(now, oldest=OLDEST_IN_FILES)
        items = [
            (item, has_call_id(row))
            for number, row in enumerate(rows, first_row)
            for item in events_from_items([row], span=span, first_number=number)
        ]
        events = [DuplicateCandidate(item.event, named) for item, named in items if isinstance(item, Report)]
        reports = [item for item, _ in items if isinstance(item, Report)]
        here = find_reported_events(events, source="litellm")
        missing = [report for place, report in enumerate(reports) if place not in here]
        rejected = [item for item, _ in items if isinstance(item, Rejection)]
        outcome = record_events([*missing, *rejected], source="litellm", now=now)
        counts["duplicate"] += len(here)
        for rejection in outcome.rejected[: max(0, REPORTED_ROWS - counts["rejected"])]:
            self.stderr.write(f"row {rejection.line}: {escape_invisible(rejection.reason)}")
        counts["accepted"] += outcome.accepted
        counts["duplicate"] += outcome.duplicate
        counts["rejected"] += len(outcome.rejected)


def _progress() -> Progress:
    return terminal_progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
