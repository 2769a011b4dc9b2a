"""Measure whether the cost of scoring depends on how much an account has sent."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from django.db import connection
from django.db.models import Model

from accounts.models import Account
from governance import pipeline
from governance.bench import traffic
from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.usage.account_usage import AccountFacts
from governance.usage.actions import OLDEST_IN_FILES, compact_profiles, record_lines
from governance.usage.models import HourlyProfile, WeeklySketch
from governance.usage.profiles.features import build_account_usages
from governance.usage.queries import get_scoring_windows, load_profiles
from governance.usage.scoring_queue import request_rescore

ACCOUNTS = 1_000
TAKEN_IN = 5
FEW, MANY = 3_000, 30_000
HOURS = 280  # ten a day
WINDOW = timedelta(days=28)
BATCH = 10_000
RUNS = 5


def measure_scoring(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    """28 days of 1,000 accounts, and the same with ten times the events in the same hours."""
    number = scale.count(ACCOUNTS, least=TAKEN_IN)
    few_events, many_events = scale.count(FEW), scale.count(MANY)
    accounts = {events: _accounts(number, events, now) for events in (few_events, many_events)}
    for name, work in (("assembling 28 days", _assemble), ("scoring", _score)):
        few, many = (_fastest(work, keys, now) for keys in accounts.values())
        yield Figure(f"{name}, {number:,} accounts of {few_events} events", 1000 * few, "ms")
        against = "the time with a tenth of them"
        yield Figure(f"{name}, {number:,} accounts of {many_events} events", 1000 * many, "ms", many / few, against)


def _accounts(number: int, events: int, now: datetime) -> list[int]:
    """Make accounts of so many events in the same 280 hours of 28 days: a few are taken in, the others copied."""
    name = f"scored{events}"
    dice = Random(name)  # noqa: S311 - made-up traffic, no secrets
    words = traffic.random_words(dice)
    lines: list[bytes] = []
    for customer in traffic.random_customers(TAKEN_IN, name, dice):
        for place in range(events):
            day, hour = divmod(place * HOURS // events, 10)
            at = now - WINDOW + timedelta(days=day, hours=hour, minutes=59 * dice.random())
            prompt = " ".join(dice.choices(words, k=40))
            lines.append(traffic.event_line(f"{customer['account']}-{place}", at, customer, prompt, dice))
    for start in range(0, len(lines), BATCH):
        record_lines(lines[start : start + BATCH], source="bench", now=now, oldest=OLDEST_IN_FILES)
    taken_in = [account.pk for account in Account.objects.filter(external_id__startswith=f"{name}-")]
    compact_profiles(taken_in)
    copies = [Account(external_id=f"{name}-copy-{place}", first_seen_at=now) for place in range(number - len(taken_in))]
    made = [account.pk for account in Account.objects.bulk_create(copies)]
    for table in (HourlyProfile, WeeklySketch):
        _copy_rows(table, taken_in, made)
    return taken_in + made


def _copy_rows(table: type[Model], accounts: Sequence[int], to: Sequence[int]) -> None:
    """Give each account of `to` the rows of one of `accounts`, by turns."""
    name = table._meta.db_table
    columns = ", ".join(str(field.column) for field in table._meta.fields if field.column not in {"id", "account_id"})
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {name} (account_id, {columns}) SELECT copied.copy, {columns} FROM {name} "  # noqa: S608
            "JOIN unnest(%s::bigint[], %s::bigint[]) AS copied (copy, account_id) USING (account_id)",
            [list(to), [accounts[place % len(accounts)] for place in range(len(to))]],
        )
        cursor.execute(f"VACUUM ANALYZE {name}")  # as autovacuum has done by the time that matters


def _assemble(keys: Sequence[int], now: datetime) -> None:
    build_account_usages(load_profiles(get_scoring_windows(keys, at=now)), {key: AccountFacts() for key in keys})


def _score(keys: Sequence[int], now: datetime) -> None:
    request_rescore(keys, now=now)
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
