"""Measure intake: its SQL alone, from memory, and over HTTP."""

import http.client
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import NamedTuple, TypeVar

import psutil
from django.conf import settings
from django.db import connection, transaction

from accounts.actions import get_or_create_accounts
from governance.audit.actor import Actor
from governance.bench import traffic
from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.bench.serving import HOST, web_server
from governance.staff.service_keys import issue_service_key
from governance.usage import sql
from governance.usage.actions import accepted_times, record_lines
from governance.usage.event_columns import EVENT_SCHEMA, EventFingerprints, build_columns, event_key, events_csv
from governance.usage.event_store import adjacent_days
from governance.usage.fingerprint import fingerprints
from governance.usage.partitions import ensure_partitions
from governance.usage.profiles import compaction
from governance.usage.profiles.build import build_deltas
from governance.usage.profiles.merging import DELTA_SCHEMA
from governance.usage.wire import UsageEvent, decode_events

Batch = TypeVar("Batch")

BATCH = 500
ACCOUNTS = 5_000
EVENTS = 30_000
DIFFERENT_BODIES = 40
SENDERS = 8
EXCERPTS_SAMPLED = 12
# Every load of this process sends ids that none sent before: under an earlier id its events would be conflicts.
BATCH_NUMBERS = count()


def measure_in_memory(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    """The whole way in, against its SQL alone: the same COPY, dedupe, deltas and marks with rows that are ready."""
    events, accounts = scale.count(EVENTS, least=2 * BATCH), scale.count(ACCOUNTS)
    whole, ready = ([*_batches(events, accounts, name=name, now=now)] for name in ("whole", "ready"))
    _warm_up(accounts, now)
    sql_alone = events / _seconds(_store, _made_ready(ready, accounts, now), now)
    taken, again = (events / _seconds(_take, whole, now) for _ in range(2))
    yield Figure(f"intake, SQL alone, {BATCH} a batch", sql_alone, "events/s")
    yield Figure("intake, 500-byte prompts, one process", taken, "events/s", taken / sql_alone, "its SQL alone")
    yield Figure("intake, all of it known", again, "events/s", again / taken, "all of it new")


def measure_over_http(seconds: float, rate: float, now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    """A gateway's batches over HTTP at a given rate, or as fast as they are taken with a rate of 0."""
    name, accounts = traffic.ROUND.decode(), scale.count(ACCOUNTS)
    events = scale.count(DIFFERENT_BODIES) * BATCH
    bodies = [b"\n".join(batch) for batch in _batches(events, accounts, name=name, now=now)]
    _know(name, accounts, now)
    secret = issue_service_key(name="bench", scopes=["usage:write"], by=Actor.system("bench"), now=now)[1]
    with web_server() as (port, server):
        load = _Load(bodies, port, secret)
        load.run(seconds=scale.seconds(8), rate=rate)  # accounts exist and caches are warm
        before = _memory(server)
        sent = load.run(seconds=seconds, rate=rate)
        grown = (_memory(server) - before) / 2**20
    name = f"HTTP at {rate:,.0f}/s" if rate else "HTTP, as fast as it goes"
    taken = BATCH * len(sent.latencies) / sent.seconds
    latencies = sorted(sent.latencies)
    yield Figure(f"{name}: events taken", taken, "events/s", taken / rate if rate else None, "sent" if rate else "")
    yield Figure(f"{name}: a batch of {BATCH}, median", 1000 * latencies[len(latencies) // 2], "ms")
    yield Figure(f"{name}: a batch of {BATCH}, p99", 1000 * latencies[int(0.99 * len(latencies))], "ms")
    yield Figure(f"{name}: memory grown in {sent.seconds:.0f} s", grown, "MiB")
    yield Figure(f"{name}: batches refused or failed", sent.failed, "batches")


def _batches(events: int, accounts: int, *, name: str, now: datetime) -> Iterator[list[bytes]]:
    """In the order of time and within the last minutes, as gateways send them."""
    made = traffic.event_lines(events, accounts=accounts, name=name, until=now, span=timedelta(minutes=2))
    batch = []
    for line in made:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []


def _warm_up(accounts: int, now: datetime) -> None:
    """Met accounts, made partitions, compiled patterns: what happens once is not what is measured."""
    with transaction.atomic():
        get_or_create_accounts({f"ready-{number}": None for number in range(accounts)}, now=now)
    _know("whole", accounts, now)


def _know(name: str, accounts: int, now: datetime) -> None:
    """Let every account have sent something today, so that its excerpts are sampled, as after a day's first hour."""
    dice = Random(name)  # noqa: S311 - made-up traffic, no secrets
    known = traffic.random_customers(accounts, name, dice)
    for number in range(EXCERPTS_SAMPLED):
        first = f"first-{now.isoformat()}-{number}"
        lines = [traffic.event_line(f"{c['account']}-{first}", now, c, "What came first?", dice) for c in known]
        _take(lines, now)


def _take(batch: list[bytes], now: datetime) -> None:
    record_lines(batch, source="bench", now=now)


class _Ready(NamedTuple):
    """What the database is given, ready."""

    events: bytes
    deltas: bytes
    accounts: list[int]
    neighbours: list[date]


def _made_ready(batches: Sequence[list[bytes]], accounts: int, now: datetime) -> list[_Ready]:
    ids = get_or_create_accounts({f"ready-{number}": None for number in range(accounts)}, now=now)
    ensure_partitions({now.date(), (now - timedelta(days=1)).date()})
    ready = []
    for batch in batches:
        events = [event for event in decode_events(batch, span=accepted_times(now)) if isinstance(event, UsageEvent)]
        keyed = dict(sorted((event_key("bench", event.account, event.id), event) for event in events))
        texts = ((event.messages, event.prompt) for event in keyed.values())
        seen = [*map(EventFingerprints, fingerprints(texts, key=settings.FINGERPRINT_KEY))]
        columns = build_columns([*keyed.values()], seen, [*keyed], source="bench", account_pks=ids)
        made = compaction.profiles_csv(build_deltas(columns))
        days = adjacent_days(event.occurred_at.date() for event in keyed.values())
        ready.append(_Ready(events_csv(columns), made, sorted(set(columns["account_id"])), days))
    return ready


@transaction.atomic
def _store(ready: _Ready, now: datetime) -> None:
    columns = ", ".join(EVENT_SCHEMA)
    with connection.cursor() as cursor:
        cursor.execute(sql.MAKE_INCOMING)
        with cursor.copy(sql.COPY_INCOMING.format(columns=columns)) as copy:
            copy.write(ready.events)
        cursor.execute(sql.STORE_INCOMING.format(columns=columns))
        cursor.execute(sql.MARK_DIRTY, {"accounts": ready.accounts, "is_forced": False, "now": now})
        cursor.execute(sql.FIND_COPIES, {"days": ready.neighbours})
        with cursor.copy(sql.COPY_DELTAS.format(columns=", ".join(DELTA_SCHEMA))) as copy:
            copy.write(ready.deltas)


def _seconds(work: Callable[[Batch, datetime], None], batches: Iterable[Batch], now: datetime) -> float:
    start = time.perf_counter()
    for batch in batches:
        work(batch, now)
    return time.perf_counter() - start


class _Sent(NamedTuple):
    """Seconds that each batch took to be acknowledged, how many were not, and how long all took."""

    latencies: list[float]
    failed: int
    seconds: float


class _Load:
    """Senders that keep their connections; each batch is sent once, under ids that were never sent before."""

    def __init__(self, bodies: Sequence[bytes], port: int, secret: str) -> None:
        self._bodies, self._port = bodies, port
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson"}

    def run(self, *, seconds: float, rate: float) -> _Sent:
        """Send for so many seconds; every sender sends at least one batch."""
        latencies: list[float] = []
        failed: list[int] = []
        start = time.perf_counter()
        places = count()

        def send() -> None:
            with closing(http.client.HTTPConnection(HOST, self._port, timeout=60)) as caller:
                for number in count():
                    due = start + next(places) * BATCH / rate if rate else time.perf_counter()
                    if number and max(due, time.perf_counter()) > start + seconds:
                        return
                    time.sleep(max(0.0, due - time.perf_counter()))
                    began = time.perf_counter()
                    caller.request("POST", "/api/v1/usage-events", self._next_body(), self._headers)
                    answer = caller.getresponse()
                    answer.read()
                    if answer.status == http.HTTPStatus.ACCEPTED:
                        latencies.append(time.perf_counter() - began)
                    else:
                        failed.append(answer.status)

        senders = [threading.Thread(target=send) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        return _Sent(latencies, len(failed), time.perf_counter() - start)

    def _next_body(self) -> bytes:
        number = next(BATCH_NUMBERS)
        # The name of an account stays the same: only where an id begins does a number come in.
        body = self._bodies[number % len(self._bodies)]
        return body.replace(b'"id":"' + traffic.ROUND, b'"id":"%d' % number)


def _memory(server: psutil.Process) -> int:
    """Bytes that the server and its workers hold for themselves."""
    return sum(process.memory_info().rss for process in [server, *server.children(recursive=True)])
