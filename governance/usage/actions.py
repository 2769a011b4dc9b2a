"""Taking usage in, and handing out the accounts that it makes dirty."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import polars as pl
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from psycopg.errors import CheckViolation

from accounts.actions import meet_accounts, meet_keys
from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.doorbell import ring
from governance.usage import event_store, sql
from governance.usage.columns import columns_of
from governance.usage.event_store import copy_rows
from governance.usage.excerpts import Candidate, keep_excerpts, unwrapped, wrapped
from governance.usage.fingerprint import Fingerprint, fingerprints
from governance.usage.models import DataKey, DirtyAccount, Excerpt, Profile, Retention, WeeklySketch
from governance.usage.partitions import coming_days, days_in_default, days_kept, drop_day, ensure_days, make_days
from governance.usage.profile import folding, making
from governance.usage.wire import Rejection, Report, Span, UsageEvent, decode, has_figures

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
ATTEMPTS_ALLOWED = 3
PAUSE_AFTER_FAILURE = timedelta(seconds=30)
TAKEN_BACK_TO = timedelta(days=30)
TAKEN_AHEAD = timedelta(minutes=10)
OLDEST_IN_FILES = datetime(2020, 1, 1, tzinfo=UTC)


class Outcome(NamedTuple):
    """What became of a batch: events taken, events that were here already, and lines that fit nowhere.

    `newest_at` is the time of the newest event, new or not.
    """

    accepted: int
    duplicate: int
    rejected: list[Rejection]
    newest_at: datetime | None = None


def record_lines(
    lines: Iterable[bytes], *, source: str, now: datetime, oldest: datetime | None = None, first_line: int = 1
) -> Outcome:
    """Take in usage events in the wire format, one JSON object a line. `oldest` is the earliest time taken."""
    return record_events(decode(lines, span=span_at(now, oldest=oldest), first_line=first_line), source=source, now=now)


def record_events(items: Iterable[UsageEvent | Report | Rejection], *, source: str, now: datetime) -> Outcome:
    """Take in a batch of usage events; the one way in for every source.

    Fingerprints and drops the text, stores what was not here before, adds it to the hourly profiles and marks its
    accounts dirty: one transaction, committed when this returns. A line that does not fit is in `rejected` and
    refuses no other.
    """
    reports: list[Report] = []
    rejected: list[Rejection] = []
    for item in items:
        if isinstance(item, Rejection):
            rejected.append(item)
        else:
            reports.append(item if isinstance(item, Report) else Report(item, item.id))
    if rejected:  # how many, not why: a reason may repeat what a customer wrote
        logger.warning("%d of %d events from %s were rejected", len(rejected), len(rejected) + len(reports), source)
    accepted = 0
    if reports:
        try:
            accepted = _store(reports, source=source, now=now)
        except IntegrityError as error:
            if not isinstance(error.__cause__, CheckViolation):
                raise
            # Another process made a day while events of it were on their way into the default table.
            accepted = _store(reports, source=source, now=now)
    newest_at = max((report.event.occurred_at for report in reports), default=None)
    counted = sum(report.is_event for report in reports)
    return Outcome(accepted, counted - accepted, rejected, newest_at)


def span_at(now: datetime, *, oldest: datetime | None = None) -> Span:
    """Which times an event may have that comes in `now`: 30 days back, or to `oldest` as far as days are kept."""
    if oldest is None:
        return Span(now - TAKEN_BACK_TO, now + TAKEN_AHEAD)
    kept_from = Retention.objects.values_list("kept_from", flat=True).first()
    kept = datetime.combine(kept_from, time.min, UTC) if kept_from else oldest
    return Span(max(oldest, kept), now + TAKEN_AHEAD)


def _store(reports: Sequence[Report], *, source: str, now: datetime) -> int:
    """How many of the events that are reported were new."""
    known, figures = event_store.events_in(reports, source=source)
    keys = sorted(known)
    events = [known[key] for key in keys]
    seen = _fingerprints(events)
    ensure_days({event.occurred_at.astimezone(UTC).date() for event in events})
    with transaction.atomic():
        accounts = meet_accounts(_organisations_of(events), now=now)
        meet_keys({event.api_key: accounts[event.account] for event in events if event.api_key}, now=now)
        new, uncounted = event_store.store(columns_of(events, seen, keys, source=source, accounts=accounts), now=now)
        figures |= {key: known[key] for key in uncounted if has_figures(known[key])}
        if figures:
            event_store.complete(figures, now=now)
        if settings.EXCERPTS_PER_DAY:
            with_text = {
                key for key, digest in zip(new["key"], new["prompt_digest"], strict=True) if digest is not None
            }
            keep_excerpts(
                (
                    Candidate(key, accounts[event.account], event)
                    for key, event in zip(keys, events, strict=True)
                    if key in with_text and event.fingerprint is None
                ),
                now=now,
            )
        if new["key"] or figures:
            ring("governance.tasks.score_dirty_accounts")
    return len(new["key"])


def _organisations_of(events: Sequence[UsageEvent]) -> dict[str, str | None]:
    """The organisation of each account as its newest event that names one has it."""
    named = {event.account: event.organisation for event in events if event.organisation}
    return {event.account: named.get(event.account) for event in events}


def _fingerprints(events: Sequence[UsageEvent]) -> list[Fingerprint | None]:
    """Of each event the fingerprint that its gateway made, else one of its text."""
    made = iter(
        fingerprints(
            ((event.messages, event.prompt) for event in events if event.fingerprint is None),
            key=settings.FINGERPRINT_KEY,
        )
    )
    return [event.fingerprint or next(made) for event in events]


@transaction.atomic
def fold_profiles(accounts: Sequence[int]) -> None:
    """Put all parts of these accounts' profiles into the hour and the week they belong to."""
    with connection.cursor() as cursor:
        columns = ", ".join(f"part.{name}" for name in folding.COLUMNS)
        cursor.execute(sql.TAKE_PARTS.format(columns=columns), [list(accounts)])
        taken = pl.DataFrame(cursor.fetchall(), schema=making.SCHEMA, orient="row")
        if taken.is_empty():
            return
        hours = folding.hours(taken)
        copy_rows(cursor, sql.COPY_PARTS, hours.columns, folding.to_copy(hours))
        sketches = folding.sketches_of(taken)
        wanted = sketches.select(folding.WEEK).unique().sort(folding.WEEK)
        columns = ", ".join(f"sketch.{name}" for name in folding.WEEK_COLUMNS)
        cursor.execute(sql.TAKE_WEEKS.format(columns=columns), [wanted[name].to_list() for name in folding.WEEK])
        before = pl.DataFrame(cursor.fetchall(), schema=folding.WEEK_SCHEMA, orient="row")
        weeks = folding.weeks(pl.concat([before, sketches]))
        copy_rows(cursor, sql.COPY_WEEKS, weeks.columns, folding.to_copy(weeks))


@transaction.atomic
def note_import(name: str, *, accepted: int, duplicate: int, rejected: int, by: Actor, now: datetime) -> None:
    """An import of a file or a stream has ended."""
    counts = {"accepted": accepted, "duplicate": duplicate, "rejected": rejected}
    record("usage.imported", subject=("import", name[:254]), by=by, now=now, details=counts)


class Claim(NamedTuple):
    """The right to score an account until the lease ends.

    `version` is the usage that the score will have seen, `attempts` how often scoring it was begun before in vain;
    `anew` says to score it though hardly any usage has come in.
    """

    account: int
    version: int
    token: int
    attempts: int
    anew: bool


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


def finish(claims: Sequence[Claim], *, now: datetime) -> None:
    """These accounts are scored: clean, or waiting again where usage came in meanwhile. After `hold`."""
    with connection.cursor() as cursor:
        accounts, versions = [claim.account for claim in claims], [claim.version for claim in claims]
        cursor.execute(sql.FINISH, {"accounts": accounts, "versions": versions, "now": now})


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
        cursor.execute(sql.MARK, {"accounts": sorted(accounts), "anew": True, "now": now})


@transaction.atomic
def take_up_again(*, by: Actor, now: datetime) -> int:
    """Try once more to score what was put aside; how many accounts."""
    aside = DirtyAccount.objects.set_aside()
    count = aside.update(set_aside_at=None, lease_until=None, attempts=0)
    record("scoring.taken_up_again", subject=("scoring", "set aside"), by=by, now=now, details={"accounts": count})
    return count


def prepare_days(*, now: datetime) -> None:
    """Make the tables of the coming days, and of those whose events had to be put into the default one."""
    strays = days_in_default()
    make_days([*coming_days(now.astimezone(UTC).date()), *strays])
    if strays:
        events = sum(strays.values())
        logger.error("%d usage events of %s had no partition of their own", events, ", ".join(map(str, sorted(strays))))
        with transaction.atomic():
            subject, details = ("usage", "default partition"), {"events": events, "days": sorted(map(str, strays))}
            record(
                "usage.default_partition_used", subject=subject, by=Actor.system("retention"), now=now, details=details
            )


def drop_old_usage(*, now: datetime) -> list[date]:
    """Drop the days of events and the profiles that are older than is kept; which days.

    From then on no event of these days is taken again, since nobody would know it for one that had been here.
    """
    today = now.astimezone(UTC).date()
    kept_from = today - timedelta(days=settings.EVENT_DAYS)
    old = [day for day in days_kept() if day < kept_from]
    for day in old:
        with transaction.atomic():
            Retention.objects.update_or_create(pk=1, defaults={"kept_from": day + timedelta(days=1)})
            drop_day(day)
            record("usage.day_dropped", subject=("usage", str(day)), by=Actor.system("retention"), now=now)
    oldest = now - timedelta(days=settings.PROFILE_DAYS)
    Profile.objects.filter(hour__lt=oldest).delete()
    WeeklySketch.objects.filter(week__lt=oldest - timedelta(days=7)).delete()
    return old


def forget_expired_excerpts(*, now: datetime) -> int:
    """Delete excerpts whose time is over; how many."""
    deleted, _ = Excerpt.objects.expired(at=now).delete()
    return deleted


@transaction.atomic
def rewrap_data_keys(*, by: Actor, now: datetime) -> int:
    """Wrap every data key with the installation's newest key; how many."""
    keys = list(DataKey.objects.select_for_update().order_by("pk"))
    for key in keys:
        key.wrapped = wrapped(unwrapped(key))
    DataKey.objects.bulk_update(keys, ["wrapped"], batch_size=1_000)
    record("excerpts.keys_rewrapped", subject=("excerpts", "data keys"), by=by, now=now, details={"keys": len(keys)})
    return len(keys)
