"""Seal the usage events of closed days: a Merkle tree over the events of each account, and one over the accounts.

The head of the day goes into the audit log. So an event that is shown later can be proved to have been there when the
day was sealed, without showing any other.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from psycopg import ServerCursor

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.stillwatch_verify import leaf_hash, tree_head
from governance.audit.verbs import Verb
from governance.evidence.leaves import COLUMNS, StoredEvent, derive_key, encode_account_leaf, event_hasher
from governance.evidence.models import SealedAccount, UsageSeal
from governance.platform.locks import Lock, advisory_lock
from governance.usage.models import LateDay
from governance.usage.partitions import list_partition_days

# Gateways send their last batches of a day a little later.
CLOSED_AFTER: Final = timedelta(hours=2)
AGAIN_AFTER: Final = timedelta(hours=20)
_A_DAY_CLOSED: Final = timedelta(days=1) + CLOSED_AFTER
# What a worker seals in a few minutes.
MOST_EVENTS: Final = 2_000_000
# Events are read in portions of whole accounts, each in a transaction of its own: nobody waits behind a long one.
PORTION: Final = 50_000
ROWS: Final = 5_000
SEALER: Final = Actor.system("sealing")
_COUNT: Final = (
    "SELECT account_id, count(*) FROM usage_usageevent WHERE day = %s GROUP BY account_id ORDER BY account_id"
)
EVENTS: Final = f"""
    SELECT event.account_id, uuid_send(event.key), account.external_id, event.occurred_at,
           {", ".join(f"host(event.{name})" if name == "ip" else f"event.{name}" for name in COLUMNS)}
    FROM usage_usageevent AS event JOIN accounts_account AS account ON account.id = event.account_id
    WHERE event.day = %s AND event.account_id = ANY(%s) ORDER BY event.account_id, event.key
"""  # noqa: S608 - no value in it


class AccountTree(NamedTuple):
    """The events of an account on a day."""

    account: int
    external_id: str
    events: int
    root: bytes


def seal_usage(*, now: datetime) -> list[UsageSeal]:
    """Seal closed days that have no seal, and those in which events arrived or changed since. Return the new seals.

    The oldest first, until MOST_EVENTS are sealed: a worker that is busy with the days of a new installation has other
    tasks too. Safe to repeat and to interrupt: a day is sealed in one transaction after everything was read.
    """
    seals = list[UsageSeal]()
    with advisory_lock(Lock.USAGE_SEALS) as is_alone:
        for day in list_days_to_seal(now=now) if is_alone else ():
            if (seal := seal_day(day, now=now)) is not None:
                seals.append(seal)
            if sum(one.events for one in seals) >= MOST_EVENTS:
                break
    return seals


def list_days_to_seal(*, now: datetime) -> list[date]:
    """Return the closed days without a seal, and those with late events whose newest seal is old enough."""
    closed = [day for day in list_partition_days() if datetime.combine(day, time(), UTC) <= now - _A_DAY_CLOSED]
    sealed = dict(UsageSeal.objects.latest_per_day().values_list("day", "sealed_at"))
    late = set(LateDay.objects.order_by().values_list("day", flat=True).distinct())
    return [day for day in closed if day not in sealed or (day in late and sealed[day] <= now - AGAIN_AFTER)]


def seal_day(day: date, *, now: datetime) -> UsageSeal | None:
    """Seal a day. Return None if it has no events, or the same as when it was sealed last."""
    late = list(LateDay.objects.filter(day=day).values_list("pk", flat=True))  # read before the events are
    trees = list(iter_account_trees(day))
    root = tree_head([leaf_hash(encode_account_leaf(one.external_id, one.events, one.root)) for one in trees])
    last = UsageSeal.objects.filter(day=day).order_by("-number").first()
    with transaction.atomic():
        LateDay.objects.filter(pk__in=late).delete()
        if not trees or (last is not None and bytes(last.root) == root):
            return None
        return _store(day, (last.number if last else 0) + 1, root, trees, now=now)


def iter_account_trees(day: date) -> Iterator[AccountTree]:
    """Yield the accounts with events on a day in the order of the day's tree, which is that of their primary keys."""
    hash_event = event_hasher(derive_key(settings.FINGERPRINT_KEY))
    for accounts in _portions(day):
        for account, rows in groupby(iter_events(day, accounts), key=attrgetter("account_id")):
            external_id, hashes = "", []
            for row in rows:
                external_id = row.event.account
                hashes.append(hash_event(row.event))
            yield AccountTree(account, external_id, len(hashes), tree_head(hashes))


class EventRow(NamedTuple):
    account_id: int
    event: StoredEvent


def iter_events(day: date, accounts: Sequence[int]) -> Iterator[EventRow]:
    """Yield the events of these accounts on a day, by account and key: the order of their trees."""
    connection.ensure_connection()
    with transaction.atomic(), ServerCursor(connection.connection, "sealed_events") as cursor:
        cursor.itersize = ROWS
        cursor.execute(EVENTS, [day, list(accounts)])
        for account, key, external_id, occurred_at, *values in cursor:
            yield EventRow(account, StoredEvent(bytes(key), external_id, occurred_at, values))


def _portions(day: date) -> Iterator[list[int]]:
    """The accounts of a day, some at a time, which have about PORTION events together."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [day])
        counted: list[tuple[int, int]] = cursor.fetchall()
    accounts, events = [], 0
    for account, count in counted:
        accounts.append(account)
        events += count
        if events >= PORTION:
            yield accounts
            accounts, events = [], 0
    if accounts:
        yield accounts


def _store(day: date, number: int, root: bytes, trees: Sequence[AccountTree], *, now: datetime) -> UsageSeal:
    events = sum(one.events for one in trees)
    seal = UsageSeal.objects.create(
        day=day, number=number, root=root, accounts=len(trees), events=events, sealed_at=now, entry=0
    )
    SealedAccount.objects.bulk_create(
        (
            SealedAccount(seal=seal, account_id=one.account, place=place, events=one.events, root=one.root)
            for place, one in enumerate(trees)
        ),
        batch_size=ROWS,
    )
    details: dict[str, Any] = {"number": number, "root": root.hex(), "accounts": len(trees), "events": events}
    seal.entry = record(Verb.USAGE_SEALED, subject=("usage", str(day)), by=SEALER, now=now, details=details).number
    seal.save(update_fields=["entry"])
    return seal
