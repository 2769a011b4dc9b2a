"""`manage.py bench`: how fast Stillwatch is here, as ratios within one run wherever that is possible."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection, transaction
from rich.console import Console
from rich.table import Table

from accounts.models import Account
from governance import pipeline
from governance.usage.actions import OLDEST_IN_FILES, mark_dirty, record_lines, store_rows
from governance.usage.fingerprint import fingerprints
from governance.usage.models import UsageEvent
from governance.usage.rows import event_key, row
from governance.usage.wire import Span, decode

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
BATCH = 5_000
EVENTS = 60_000
ACCOUNTS = 200
PROMPT_BYTES = 500


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ratio` compares `value` with something measured in the same run: `against`."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""


class Command(BaseCommand):
    help = "Measures import and scoring on a database of its own, prints a table and writes .bench/results.json."

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console()
        with console.status("Measuring"), _own_database():
            figures = [*_importing(), *_scoring()]
        table = Table("Figure", "Value", "Unit", "Ratio", "Against")
        for figure in figures:
            ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
            table.add_row(figure.name, f"{figure.value:,.1f}", figure.unit, ratio, figure.against)
        console.print(table)
        folder = settings.BASE_DIR / ".bench"
        folder.mkdir(exist_ok=True)
        results = {figure.name: asdict(figure) for figure in figures}
        (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")


@contextmanager
def _own_database() -> Iterator[None]:
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _lines(events: int, *, accounts: int, name: str) -> list[bytes]:
    """Usage events with a prompt of about 500 bytes, over three days, as lines of JSON."""
    dice = Random(name)  # noqa: S311 - made-up traffic, no secrets
    words = [f"{dice.choice('bcdfglmnprst')}{dice.choice('aeiou')}{dice.choice('lmnrst')}{n % 97}" for n in range(400)]
    step = timedelta(days=3) / events
    return [
        msgspec.json.encode(
            {
                "id": f"{name}-{number}",
                "occurred_at": NOW - timedelta(days=3) + number * step,
                "account": f"{name}-{number % accounts}",
                "model": "flagship-2",
                "input_tokens": 120,
                "output_tokens": dice.randrange(1, 900),
                "client": {"ip": f"198.18.{number % 200}.7", "asn": 64_500, "country": "NL"},
                "messages": [{"role": "user", "content": " ".join(dice.choices(words, k=PROMPT_BYTES // 6))}],
            }
        )
        for number in range(events)
    ]


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _importing() -> Iterator[Figure]:
    """The whole way in, against its SQL alone: the same COPY, dedupe, merge and mark with rows that are ready."""
    lines = _lines(EVENTS, accounts=ACCOUNTS, name="import")

    whole = EVENTS / _seconds(lambda: _bring_in(lines))
    batches = [_ready_rows(lines[start : start + BATCH]) for start in range(0, len(lines), BATCH)]

    def store() -> None:
        for batch in batches:
            with transaction.atomic():
                store_rows(batch, now=NOW)

    sql_alone = EVENTS / _seconds(store)
    yield Figure("import, SQL alone", sql_alone, "events/s")
    yield Figure("import, 500-byte prompts", whole, "events/s", whole / sql_alone, "its SQL alone")
    again = EVENTS / _seconds(lambda: _bring_in(lines))
    yield Figure("import, all of it known", again, "events/s", again / whole, "all of it new")


def _bring_in(lines: list[bytes]) -> None:
    for start in range(0, len(lines), BATCH):
        record_lines(lines[start : start + BATCH], source="bench", now=NOW, oldest=OLDEST_IN_FILES)


def _ready_rows(lines: list[bytes]) -> list[Any]:
    events = [event for event in decode(lines, span=Span(OLDEST_IN_FILES, NOW)) if not isinstance(event, tuple)]
    seen = fingerprints(((event.messages, event.prompt) for event in events), key=settings.FINGERPRINT_KEY)
    account = UsageEvent.objects.values_list("account_id", flat=True)[0]
    return [
        row(event, fingerprint, source="ready", account=account, key=event_key("ready", event.id))
        for event, fingerprint in zip(events, seen, strict=True)
    ]


def _scoring() -> Iterator[Figure]:
    """Accounts a second, and whether an account with ten times the events takes longer."""
    few, many = (_scored(accounts=8, events_each=events) for events in (3_000, 30_000))
    yield Figure("scoring, 3,000 events an account", few, "accounts/s")
    yield Figure("scoring, 30,000 events an account", many, "accounts/s", few / many, "time with a tenth of them")


def _scored(*, accounts: int, events_each: int) -> float:
    name = f"score{events_each}"
    _bring_in(_lines(accounts * events_each, accounts=accounts, name=name))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE usage_usageevent")  # as autovacuum has done by the time that matters
    while pipeline.govern(now=NOW):
        pass
    wanted = list(Account.objects.filter(external_id__startswith=f"{name}-").values_list("pk", flat=True))
    repeats = 3

    def score() -> None:
        for _ in range(repeats):
            mark_dirty(wanted, now=NOW)
            pipeline.govern(now=NOW)

    return accounts * repeats / _seconds(score)
