"""The size of a campaign that was made public, 16 million requests of 24,000 accounts, imported from a file."""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Self

import psutil
import zstandard
from django.core.management import call_command
from django.db import connection

from governance.bench import traffic
from governance.bench.figure import Figure
from governance.usage.models import UsageEvent

ACCOUNTS = 24_000
DAYS = timedelta(days=44)
SIZE = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE 'usage_%' AND relkind = 'r'"


def measure_import(events: int, now: datetime) -> Iterator[Figure]:
    """How long a file of so many events takes, and what memory it needs. They carry no text, as half of such usage."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "campaign.jsonl.zst"
        _write(file, events, now)
        size = file.stat().st_size
        with _Memory() as memory:
            start = time.perf_counter()
            call_command("import_usage", str(file), verbosity=0)
            seconds = time.perf_counter() - start
    stored = UsageEvent.objects.filter(event_id__startswith="campaign-").count()
    with connection.cursor() as cursor:
        cursor.execute(SIZE)
        (on_disk,) = cursor.fetchone()
    yield Figure(f"import of {events:,} events of {ACCOUNTS:,} accounts", seconds / 60, "minutes")
    yield Figure("import: events stored", stored, "events", stored / events, "written")
    yield Figure("import: rate", events / seconds, "events/s")
    yield Figure("import: file, packed", size / 2**20, "MiB")
    yield Figure("import: tables and indexes", int(on_disk) / 2**30, "GiB")
    yield Figure("import: memory after a tenth", memory.after_a_tenth / 2**20, "MiB")
    yield Figure(
        "import: memory at the most", memory.most / 2**20, "MiB", memory.most / memory.after_a_tenth, "a tenth"
    )


def _write(file: Path, events: int, now: datetime) -> None:
    dice = Random("campaign")  # noqa: S311 - made-up traffic, no secrets
    known = traffic.random_customers(ACCOUNTS, "campaign", dice)
    with file.open("wb") as out, zstandard.ZstdCompressor(level=1).stream_writer(out) as packed:
        for number in range(events):
            at = now - DAYS + DAYS * number / events
            packed.write(
                traffic.event_line(f"campaign-{number}", at, known[int(dice.random() * ACCOUNTS)], "", dice) + b"\n"
            )


class _Memory:
    """What this process holds, looked at once and then every second; the first tenth of a run is where it settles."""

    def __init__(self) -> None:
        self._seen: list[int] = []
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._looking = threading.Thread(target=self._look)
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looking.join()

    def _look(self) -> None:
        process = psutil.Process(os.getpid())
        self._seen.append(process.memory_info().rss)
        while not self._over.wait(1):
            self._seen.append(process.memory_info().rss)

    @property
    def after_a_tenth(self) -> int:
        return self._seen[len(self._seen) // 10]

    @property
    def most(self) -> int:
        return max(self._seen)
