"""Taking usage in, and handing out the accounts that it makes dirty."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from accounts.actions import meet_accounts, meet_keys
from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.doorbell import ring
from governance.usage import sql
from governance.usage.excerpts import Candidate, keep_excerpts
from governance.usage.fingerprint import fingerprints
from governance.usage.models import DirtyAccount, Excerpt
from governance.usage.partitions import ensure_days
from governance.usage.rows import COLUMNS, event_key, row
from governance.usage.wire import Rejection, Span, UsageEvent, decode

LEASE = timedelta(minutes=2)
ATTEMPTS_ALLOWED = 3
PAUSE_AFTER_FAILURE = timedelta(seconds=30)
TAKEN_BACK_TO = timedelta(days=30)
TAKEN_AHEAD = timedelta(minutes=10)
OLDEST_IN_FILES = datetime(2020, 1, 1, tzinfo=UTC)


class Outcome(NamedTuple):
    """What became of a batch: events taken, events that were here already, and lines that fit nowhere."""

    accepted: int
    duplicate: int
    rejected: list[Rejection]


def record_lines(
    lines: Iterable[bytes], *, source: str, now: datetime, oldest: datetime | None = None, first_line: int = 1
) -> Outcome:
    """Take in usage events in the wire format, one JSON object a line. `oldest` is the earliest time taken."""
    return record_events(decode(lines, span=span_at(now, oldest=oldest), first_line=first_line), source=source, now=now)


def record_events(items: Iterable[UsageEvent | Rejection], *, source: str, now: datetime) -> Outcome:
    """Take in a batch of usage events; the one way in for every source.

    Fingerprints and drops the text, stores what was not here before, adds it to the hourly profiles and marks its
    accounts dirty: one transaction, committed when this returns. A line that does not fit is in `rejected` and
    refuses no other.
    """
    events: list[UsageEvent] = []
    rejected: list[Rejection] = []
    for item in items:
        if isinstance(item, Rejection):
            rejected.append(item)
        else:
            events.append(item)
    accepted = _store(events, source=source, now=now) if events else 0
    return Outcome(accepted, len(events) - accepted, rejected)


def span_at(now: datetime, *, oldest: datetime | None = None) -> Span:
    """Which times an event may have that comes in `now`."""
    return Span(oldest or now - TAKEN_BACK_TO, now + TAKEN_AHEAD)


def _store(events: Sequence[UsageEvent], *, source: str, now: datetime) -> int:
    """How many of the events were new."""
    seen = fingerprints(((event.messages, event.prompt) for event in events), key=settings.FINGERPRINT_KEY)
    keys = [event_key(source, event.id) for event in events]
    ensure_days({event.occurred_at.astimezone(UTC).date() for event in events})
    with transaction.atomic():
        accounts = meet_accounts({event.account: event.organisation for event in events}, now=now)
        meet_keys({event.api_key: accounts[event.account] for event in events if event.api_key}.items(), now=now)
        new = store_rows(
            (
                row(event, fingerprint, source=source, account=accounts[event.account], key=key)
                for event, fingerprint, key in zip(events, seen, keys, strict=True)
            ),
            now=now,
        )
        if settings.EXCERPTS_PER_DAY:
            with_text = (
                Candidate(key, accounts[event.account], event)
                for event, fingerprint, key in zip(events, seen, keys, strict=True)
                if fingerprint is not None and key in new
            )
            keep_excerpts(with_text, now=now)
        if new:
            ring("governance.tasks.score_dirty_accounts")
    return len(new)


def store_rows(rows: Iterable[Sequence[Any]], *, now: datetime) -> set[UUID]:
    """Store rows of `COLUMNS`, count the new ones in their profiles and mark their accounts dirty.

    Answers with the keys of the new ones. Runs in the caller's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.MAKE_INCOMING)
        with cursor.copy(sql.COPY_INCOMING.format(columns=", ".join(COLUMNS))) as copy:
            for one in rows:
                copy.write_row(one)
        cursor.execute(sql.STORE_INCOMING.format(columns=", ".join(COLUMNS)), {"now": now})
        return {key for (key,) in cursor.fetchall()}


@transaction.atomic
def note_import(name: str, *, accepted: int, duplicate: int, rejected: int, by: Actor, now: datetime) -> None:
    """An import of a file or a stream has ended."""
    counts = {"accepted": accepted, "duplicate": duplicate, "rejected": rejected}
    record("usage.imported", subject=("import", name[:254]), by=by, now=now, details=counts)


class Claim(NamedTuple):
    """The right to score an account until the lease ends.

    `version` is the usage that the score will have seen, `attempts` how often scoring it was begun before in vain.
    """

    account: int
    version: int
    token: int
    attempts: int


def claim_dirty_accounts(*, limit: int, now: datetime) -> list[Claim]:
    """Claim up to `limit` accounts, longest waiting first, skipping those that another worker is claiming."""
    _put_aside_hopeless(now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.CLAIM,
            {"now": now, "lease_until": now + LEASE, "limit": limit, "attempts_allowed": ATTEMPTS_ALLOWED},
        )
        return [Claim(*claimed) for claimed in cursor.fetchall()]


def begin(claims: Sequence[Claim]) -> None:
    """Count an attempt for each, committed before the work, so that one which kills its worker is counted too."""
    DirtyAccount.objects.filter(pk__in=[claim.account for claim in claims]).update(attempts=F("attempts") + 1)


def hold(claims: Sequence[Claim]) -> list[Claim]:
    """Of these claims the ones that still stand, locked until the caller's transaction ends."""
    rows = DirtyAccount.objects.select_for_update().filter(pk__in=[claim.account for claim in claims]).order_by("pk")
    tokens = {dirty.pk: dirty.token for dirty in rows}
    return [claim for claim in claims if tokens.get(claim.account) == claim.token]


def finish(claims: Sequence[Claim]) -> None:
    """These accounts are scored: clean, or waiting again where usage came in meanwhile. After `hold`."""
    with connection.cursor() as cursor:
        cursor.execute(sql.FINISH, {"accounts": [c.account for c in claims], "versions": [c.version for c in claims]})


def fail(claims: Sequence[Claim], *, error: Exception, now: datetime) -> None:
    """Scoring these raised an error; they are free again after a while.

    Only the kind of error is kept: its message might hold a customer's words.
    """
    for claim in claims:
        DirtyAccount.objects.filter(pk=claim.account, token=claim.token).update(
            last_error=type(error).__name__, lease_until=now + claim.attempts * PAUSE_AFTER_FAILURE
        )


@transaction.atomic
def _put_aside_hopeless(*, now: datetime) -> None:
    """What failed as often as allowed is put aside, where people see it and the queue goes on without it."""
    hopeless = DirtyAccount.objects.waiting(at=now).filter(attempts__gte=ATTEMPTS_ALLOWED).select_related("account")
    for dirty in hopeless.select_for_update(skip_locked=True, of=("self",)):
        DirtyAccount.objects.filter(pk=dirty.pk).update(set_aside_at=now, lease_until=None)
        subject, details = (
            ("account", dirty.account.external_id),
            {"error": dirty.last_error or "worker died"},
        )
        record("scoring.set_aside", subject=subject, by=Actor.system("pipeline"), now=now, details=details)


def mark_dirty(accounts: Iterable[int], *, now: datetime) -> None:
    """Have these accounts scored again though no usage came in."""
    with connection.cursor() as cursor:
        cursor.execute(sql.MARK, {"accounts": sorted(accounts), "now": now})


@transaction.atomic
def take_up_again(*, by: Actor, now: datetime) -> int:
    """Try once more to score what was put aside; how many accounts."""
    aside = DirtyAccount.objects.set_aside()
    count = aside.update(set_aside_at=None, lease_until=None, attempts=0)
    record("scoring.taken_up_again", subject=("scoring", "set aside"), by=by, now=now, details={"accounts": count})
    return count


def forget_expired_excerpts(*, now: datetime) -> int:
    """Delete excerpts whose time is over; how many."""
    deleted, _ = Excerpt.objects.expired(at=now).delete()
    return deleted
