"""Whether what scoring costs depends on how much an account has sent."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from django.db import connection

from accounts.models import Account
from governance import pipeline
from governance.bench import traffic
from governance.bench.figure import Figure
from governance.usage.account_usage import AccountFacts
from governance.usage.actions import OLDEST_IN_FILES, fold_profiles, mark_dirty, record_lines
from governance.usage.profile.reading import usages
from governance.usage.queries import profiles_in, windows

ACCOUNTS = 1_000
WINDOW = timedelta(days=28)
BATCH = 10_000
FEW, MANY = 60, 600
RUNS = 5


def scoring(now: datetime) -> Iterator[Figure]:
    """28 days of 1,000 accounts, and the same with ten times the events in the same hours."""
    accounts = {events: _accounts(events, now) for events in (FEW, MANY)}
    for name, work in (("assembling 28 days", _assemble), ("scoring", _score)):
        few, many = (_fastest(work, keys, now) for keys in accounts.values())
        yield Figure(f"{name}, {ACCOUNTS:,} accounts of {FEW} events", 1000 * few, "ms")
        against = "the time with a tenth of them"
        yield Figure(f"{name}, {ACCOUNTS:,} accounts of {MANY} events", 1000 * many, "ms", many / few, against)


def _accounts(events_each: int, now: datetime) -> list[int]:
    """Accounts that were active in the same 60 hours of 28 days, however much they sent in each."""
    name = f"scored{events_each}"
    dice = Random(name)  # noqa: S311 - made-up traffic, no secrets
    customers = traffic.customers(ACCOUNTS, name, dice)
    words = traffic.words(dice)
    lines = []
    for number in range(events_each):
        hour = now - WINDOW + WINDOW * (number % FEW) / FEW + timedelta(hours=1)
        for place, customer in enumerate(customers):
            at = hour.replace(minute=0) + timedelta(
                minutes=59 * (number // FEW) / (events_each // FEW), seconds=place % 60
            )
            prompt = " ".join(dice.choices(words, k=40))
            lines.append(traffic.line(f"{name}-{number}-{place}", at, customer, prompt, dice))
            if len(lines) == BATCH:
                record_lines(lines, source="bench", now=now, oldest=OLDEST_IN_FILES)
                lines.clear()
    record_lines(lines, source="bench", now=now, oldest=OLDEST_IN_FILES)
    keys = [*Account.objects.filter(external_id__startswith=f"{name}-").values_list("pk", flat=True)]
    fold_profiles(keys)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE usage_profile")  # as autovacuum has done by the time that matters
    return keys


def _assemble(keys: Sequence[int], now: datetime) -> None:
    usages(profiles_in(windows(keys, at=now)), {key: AccountFacts() for key in keys})


def _score(keys: Sequence[int], now: datetime) -> None:
    mark_dirty(keys, now=now)
    while pipeline.govern(now=now):
        pass


def _fastest(work: Callable[[Sequence[int], datetime], None], keys: Sequence[int], now: datetime) -> float:
    """Seconds of the quickest of several runs: the one that least else came between."""
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work(keys, now)
        seconds.append(time.perf_counter() - start)
    return min(seconds)
