"""Taking usage in, adding it up, and forgetting it when its time is over."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import polars as pl
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.expiry import delete_in_portions
from governance.platform.transactions import is_lock_timeout, retried_transaction
from governance.privacy.holds import cover_held_accounts, hold_lock
from governance.privacy.models import is_held
from governance.usage import sql
from governance.usage.answer_reports import ANSWER_RETENTION
from governance.usage.event_store import copy_rows
from governance.usage.excerpts import decrypt_key, encrypt_key
from governance.usage.held_events import keep_held_events
from governance.usage.intake import Sender, store_reports
from governance.usage.models import (
    DataKey,
    EventConflict,
    Excerpt,
    HeldEvent,
    HourlyProfile,
    NewNameCount,
    ProfileDelta,
    ReportedAnswer,
    Retention,
    WeeklySketch,
)
from governance.usage.partitions import (
    count_events_in_default,
    create_partitions,
    drop_partition,
    list_partition_days,
    upcoming_days,
)
from governance.usage.profiles import compaction
from governance.usage.profiles.merging import DELTA_SCHEMA, HOUR_KEY, WEEK_KEY
from governance.usage.wire import Rejection, Report, TimeRange, UsageEvent, decode_events

logger = logging.getLogger(__name__)

MAX_AGE = timedelta(days=30)
MAX_CLOCK_SKEW = timedelta(minutes=10)
OLDEST_IN_FILES = datetime(2020, 1, 1, tzinfo=UTC)


class IntakeResult(NamedTuple):
    """What became of a batch: events taken, events that were here already, and lines that fit nowhere.

    `newest_at` is the time of the newest event, new or not; `conflicts` counts those of the duplicates that say
    something else than the event that was here, and `held` those that wait, since they name too many who are new.
    """

    accepted: int
    duplicate: int
    rejected: list[Rejection]
    newest_at: datetime | None = None
    conflicts: int = 0
    held: int = 0


def record_lines(
    lines: Iterable[bytes], *, source: str, now: datetime, oldest: datetime | None = None, first_line: int = 1
) -> IntakeResult:
    """Take in usage events in the wire format, one JSON object a line. `oldest` is the earliest time taken."""
    return record_events(
        decode_events(lines, span=accepted_times(now, oldest=oldest), first_line=first_line), source=source, now=now
    )


def record_events(
    items: Iterable[UsageEvent | Report | Rejection], *, source: str, now: datetime, sender: Sender | None = None
) -> IntakeResult:
    """Take in a batch of usage events; the one way in for every source. Without a `sender` it comes from a file.

    Fingerprints and drops the text, stores what was not here before, adds it to the hourly profiles and marks its
    accounts dirty: one transaction, committed when this returns. A line that does not fit is in `rejected` and
    refuses no other.
    """
    origin = f"{source}, service key {sender.actor.name}" if sender else source
    reports: list[Report] = []
    rejected: list[Rejection] = []
    for item in items:
        if isinstance(item, Rejection):
            rejected.append(item)
        else:
            reports.append(item if isinstance(item, Report) else Report(item, item.id))
    if rejected:  # how many, not why: a reason may repeat what a customer wrote
        logger.warning("%d of %d events from %s were rejected", len(rejected), len(rejected) + len(reports), origin)
    accepted, conflicts, taken = store_reports(reports, source=source, now=now, sender=sender)
    held = len(reports) - len(taken)
    if held:
        logger.warning("%d events from %s wait: they name too many new accounts, keys or organisations", held, origin)
    if conflicts:
        logger.warning("%d events from %s repeated the id of an earlier event with other content", conflicts, origin)
    newest_at = max((report.event.occurred_at for report in taken), default=None)
    counted = sum(report.is_event for report in taken)
    return IntakeResult(accepted, counted - accepted, rejected, newest_at, conflicts, held)


def accepted_times(now: datetime, *, oldest: datetime | None = None) -> TimeRange:
    """Which times an event may have that comes in `now`: 30 days back, or to `oldest` as far as days are kept."""
    if oldest is None:
        return TimeRange(now - MAX_AGE, now + MAX_CLOCK_SKEW)
    kept_from = Retention.objects.values_list("kept_from", flat=True).first()
    kept = datetime.combine(kept_from, time.min, UTC) if kept_from else oldest
    return TimeRange(max(oldest, kept), now + MAX_CLOCK_SKEW)


@retried_transaction
def compact_profiles(account_pks: Sequence[int]) -> None:
    """Merge all deltas of these accounts into the hourly profiles and weekly sketches that they belong to."""
    with connection.cursor() as cursor:
        cursor.execute(sql.TAKE_DELTAS.format(columns=", ".join(DELTA_SCHEMA)), [list(account_pks)])
        deltas = pl.DataFrame(cursor.fetchall(), schema=DELTA_SCHEMA, orient="row")
        if deltas.is_empty():
            return
        hours = compaction.counters_of(deltas)
        hours = compaction.merge_hours(pl.concat([hours, _take(cursor, sql.TAKE_HOURS, hours, HOUR_KEY)]))
        copy_rows(cursor, sql.COPY_HOURS, hours.columns, compaction.profiles_csv(hours))
        weeks = compaction.sketches_of(deltas)
        weeks = compaction.merge_weeks(pl.concat([weeks, _take(cursor, sql.TAKE_WEEKS, weeks, WEEK_KEY)]))
        copy_rows(cursor, sql.COPY_WEEKS, weeks.columns, compaction.profiles_csv(weeks))


def _take(cursor: CursorWrapper, statement: str, rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Delete the stored rows with the keys of `rows`, and return them."""
    wanted = rows.select(key).unique().sort(key)
    columns = ", ".join(f"stored.{name}" for name in rows.columns)
    cursor.execute(statement.format(columns=columns), [wanted[name].to_list() for name in key])
    return pl.DataFrame(cursor.fetchall(), schema=rows.schema, orient="row")


@retried_transaction
def record_import(name: str, *, accepted: int, duplicate: int, rejected: int, by: Actor, now: datetime) -> None:
    """An import of a file or a stream has ended."""
    counts = {"accepted": accepted, "duplicate": duplicate, "rejected": rejected}
    record(Verb.USAGE_IMPORTED, subject=("import", name[:254]), by=by, now=now, details=counts)


def prepare_partitions(*, now: datetime) -> None:
    """Make the tables of the coming days, and of those whose events had to be put into the default one."""
    strays = count_events_in_default()
    create_partitions([*upcoming_days(now.astimezone(UTC).date()), *strays])
    if strays:
        events = sum(strays.values())
        logger.error("%d usage events of %s had no partition of their own", events, ", ".join(map(str, sorted(strays))))
        with transaction.atomic():
            subject, details = ("usage", "default partition"), {"events": events, "days": sorted(map(str, strays))}
            record(
                Verb.USAGE_DEFAULT_PARTITION_USED,
                subject=subject,
                by=Actor.system("retention"),
                now=now,
                details=details,
            )


def drop_old_usage(*, now: datetime) -> list[date]:
    """Drop the days of events and the profiles that are older than is kept; which days.

    Days that somebody reads at this moment are left for the next run. What is under a legal hold is kept.

    From then on no event of these days is taken again, since nobody would know it for one that had been here.
    """
    cover_held_accounts(now=now)
    today = now.astimezone(UTC).date()
    kept_from = today - timedelta(days=settings.EVENT_DAYS)
    dropped = _drop_days([day for day in list_partition_days() if day < kept_from], now=now)
    oldest = now - timedelta(days=settings.PROFILE_DAYS)
    for rows in (
        HourlyProfile.objects.filter(~is_held(), hour__lt=oldest),
        ProfileDelta.objects.filter(~is_held(), hour__lt=oldest),  # of accounts whose scoring keeps failing
        WeeklySketch.objects.filter(~is_held(), week__lt=oldest - timedelta(days=7)),
        HeldEvent.objects.filter(~is_held()),
        EventConflict.objects.filter(day__lt=kept_from),
        NewNameCount.objects.filter(hour__lt=now - timedelta(days=1)),
        ReportedAnswer.objects.filter(newest_at__lt=now - ANSWER_RETENTION),
    ):
        delete_in_portions(rows)
    return dropped


def _drop_days(days: Sequence[date], *, now: datetime) -> list[date]:
    """Drop these days, as long as nobody reads events for long: intake would wait too. Return those dropped."""
    dropped = []
    for day in days:
        try:
            with transaction.atomic():
                hold_lock(shared=True)
                keep_held_events(day)
                Retention.objects.update_or_create(pk=1, defaults={"kept_from": day + timedelta(days=1)})
                record(Verb.USAGE_DAY_DROPPED, subject=("usage", str(day)), by=Actor.system("retention"), now=now)
                drop_partition(day)
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            logger.warning("Usage of %s is dropped later: a long query reads usage events", day)
            break
        dropped.append(day)
    return dropped


def delete_expired_excerpts(*, now: datetime) -> int:
    """Delete excerpts whose time is over, but for those under a legal hold; how many."""
    cover_held_accounts(now=now)
    return delete_in_portions(Excerpt.objects.expired(at=now)).total()


@retried_transaction
def reencrypt_data_keys(*, by: Actor, now: datetime) -> int:
    """Wrap every data key with the installation's newest key; how many."""
    keys = list(DataKey.objects.select_for_update().order_by("pk"))
    for key in keys:
        key.encrypted_key = encrypt_key(decrypt_key(key))
    DataKey.objects.bulk_update(keys, ["encrypted_key"], batch_size=1_000)
    record(
        Verb.EXCERPTS_KEYS_REENCRYPTED, subject=("excerpts", "data keys"), by=by, now=now, details={"keys": len(keys)}
    )
    return len(keys)
