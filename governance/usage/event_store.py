"""Usage events in PostgreSQL: stored once each, found again, completed. Everything runs in the caller's transaction."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl
from django.db import connection
from django.db.backends.utils import CursorWrapper

from governance.usage import sql
from governance.usage.conflicts import EventDifference, EventSummary
from governance.usage.event_columns import EVENT_SCHEMA, EventColumns, drop_events, event_key, events_csv
from governance.usage.models import LateDay
from governance.usage.profiles import build, compaction
from governance.usage.profiles.merging import TOKENS
from governance.usage.wire import Report, UsageEvent, has_token_counts, with_later_token_counts

_DAY: Final = timedelta(days=1)

# By account, in what events differ from earlier ones with their id.
Conflicts = Sequence[tuple[str, EventDifference]]


class AnswerReport(NamedTuple):
    """A report of an answer that may be reported several times, with the keys of the answer and of its own event."""

    answer: str
    own: str
    report: Report


class EventBatch(NamedTuple):
    """The events of a batch by their keys, each once.

    Args:
        answers: reports of answers, whose events depend on what was reported before.
        conflicts: how events of the batch differ from others of the batch with the same id.
        varying: the keys of events whose later reports may say something else.
    """

    events: dict[str, UsageEvent]
    answers: list[AnswerReport]
    conflicts: list[tuple[str, EventDifference]]
    varying: set[str]

    @property
    def candidates(self) -> dict[str, UsageEvent]:
        """The events that it may add, by the keys of their first reports."""
        own = {one.own: one.report.event for one in reversed(self.answers) if one.report.is_event}
        return own | self.events

    def conflicts_with(self, stored: Mapping[str, EventSummary]) -> list[tuple[str, EventDifference]]:
        """Those of the batch itself, and those with events that were here before."""
        values = {key: self.events[key] for key in stored if key not in self.varying}
        found = [(event.account, stored[key].difference(EventSummary.by(event))) for key, event in values.items()]
        return [(account, difference) for account, difference in self.conflicts + found if difference]


class StoreResult(NamedTuple):
    """The events that were new, as columns; and by their keys what was here of the others."""

    new: EventColumns
    known: dict[str, EventSummary]


def group_reports(reports: Sequence[Report], *, source: str) -> EventBatch:
    """The events of a batch, and what it says of answers that other batches may tell of too."""
    batch = EventBatch({}, [], [], set())
    for report in reports:
        key = event_key(source, report.event.account, report.identity)
        if report.answer is None:
            if report.is_event:
                _add(batch, key, report)
        elif report.is_event or has_token_counts(report.event):
            answer = event_key(source, report.event.account, report.answer)
            batch.answers.append(AnswerReport(answer, key, report))
            batch.varying.update((answer, key))
    return batch


def _add(batch: EventBatch, key: str, report: Report) -> None:
    if report.varies:
        batch.varying.add(key)
    before = batch.events.get(key)
    batch.events[key] = with_later_token_counts(before, report.event) if before else report.event
    if before and key not in batch.varying:
        batch.conflicts.append((before.account, EventSummary.by(before).difference(EventSummary.by(report.event))))


def store_events(events: EventColumns, *, also: Collection[int], now: datetime) -> StoreResult:
    """Store events given as columns, add them to their profiles and mark their accounts, and those in `also`, dirty.

    An event is the same as one that is here with its key on the same UTC day, the day before or the day after.
    `events` are sorted by their key, which none has twice.

    The mark is a lock on the account until the transaction ends, and an event's key says its account. So what another
    batch stored of the same account is seen after it, on whatever day; batches of other accounts do not wait.
    """
    days = {date.fromisoformat(day) for day in events["day"]}
    with connection.cursor() as cursor:
        cursor.execute(sql.MAKE_INCOMING)
        copy_rows(cursor, sql.COPY_INCOMING, EVENT_SCHEMA, events_csv(events))
        cursor.execute(sql.STORE_INCOMING.format(columns=", ".join(EVENT_SCHEMA)))
        again = {key for (key,) in cursor.fetchall()}
        known = _find({key: day for key, day in zip(events["key"], events["day"], strict=True) if key in again})
        dirty = {*also, *_changed_accounts(events, again, known)}
        if dirty:
            cursor.execute(sql.MARK_DIRTY, {"accounts": sorted(dirty), "is_forced": False, "now": now})
        copies = _remove_copies(cursor, days) if len(again) < len(events["key"]) else {}
        if gone := again | copies.keys():
            events = drop_events(events, gone)
        if events["key"]:
            _add_to_profiles(cursor, build.build_deltas(events))
    return StoreResult(events, known | copies)


def _changed_accounts(events: EventColumns, again: Collection[str], known: Mapping[str, EventSummary]) -> Iterable[int]:
    """The accounts of events that are new, or that bring the figures of one that has none."""
    columns = (events[name] for name in ("account_id", "key", "input_tokens", "output_tokens"))
    for account, key, given, got in zip(*columns, strict=True):
        if key not in again or (key in known and known[key].is_uncounted and None not in {given, got}):
            yield account


def _remove_copies(cursor: CursorWrapper, days: Collection[date]) -> dict[str, EventSummary]:
    """Take away again what is here on a neighbouring day too, and say what was here."""
    cursor.execute(sql.FIND_COPIES, {"days": adjacent_days(days)})
    copies = {key: EventSummary(*said) for key, *said in cursor.fetchall()}
    if copies:
        cursor.execute(sql.REMOVE_COPIES, {"keys": list(copies), "days": sorted(days)})
    return copies


def _add_to_profiles(cursor: CursorWrapper, deltas: pl.DataFrame) -> None:
    """Append deltas. Nothing is read or changed, so that batches do not wait for each other."""
    copy_rows(cursor, sql.COPY_DELTAS, deltas.columns, compaction.profiles_csv(deltas))


def find_events(keys: Mapping[str, datetime]) -> dict[str, EventSummary]:
    """Of these keys those of events that were stored with a time about the one given, and what they say."""
    return _find({key: at.astimezone(UTC).date().isoformat() for key, at in keys.items()})


def _find(keys: Mapping[str, str]) -> dict[str, EventSummary]:
    if not keys:
        return {}
    days = {date.fromisoformat(day) for day in keys.values()}
    with connection.cursor() as cursor:
        near = [*adjacent_days(days), *days]
        cursor.execute(sql.FIND_EVENTS, {"keys": list(keys), "on": list(keys.values()), "days": near})
        return {key: EventSummary(*said) for key, *said in cursor.fetchall()}


def add_token_counts(figures: Mapping[str, UsageEvent]) -> None:
    """Give tokens to the events with these keys that were stored without any, and to their profiles.

    Their accounts are marked: see `store_events`.
    """
    on = [event.occurred_at.astimezone(UTC).date() for event in figures.values()]
    tokens = {name: [getattr(event, name) for event in figures.values()] for name in TOKENS}
    with connection.cursor() as cursor:
        near = [*adjacent_days(on), *on]
        cursor.execute(sql.COMPLETE_EVENTS, {"keys": list(figures), "on": on, "days": near, **tokens})
        if completed := cursor.fetchall():
            columns = dict(zip(build.TOKEN_COLUMNS, map(list, zip(*completed, strict=True)), strict=True))
            _add_to_profiles(cursor, build.build_token_deltas(columns))


def note_late_days(new: EventColumns, figures: Mapping[str, UsageEvent], *, now: datetime) -> None:
    """Say that days which were over have other events now: those in `new`, or figures that were completed."""
    on = [event.occurred_at.astimezone(UTC).date() for event in figures.values()]
    days = {*map(date.fromisoformat, new["day"]), *on, *adjacent_days(on)}
    today = now.astimezone(UTC).date()
    LateDay.objects.bulk_create(LateDay(day=day) for day in sorted(days) if day < today)


def record_conflicts(conflicts: Conflicts, *, source: str, account_pks: Mapping[str, int], now: datetime) -> None:
    """Count by account and day the events that bore the id of an earlier one and said something else."""
    events = Counter(account_pks[account] for account, _ in conflicts)
    in_time_alone = Counter(
        account_pks[account] for account, difference in conflicts if difference is EventDifference.TIME
    )
    values = {
        "accounts": list(events),
        "events": list(events.values()),
        "in_time_alone": [in_time_alone[account] for account in events],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.NOTE_CONFLICTS, values | {"source": source, "day": now.astimezone(UTC).date(), "now": now})


def copy_rows(cursor: CursorWrapper, statement: str, columns: Iterable[str], rows: bytes) -> None:
    # The driver's own errors would leave a copy; the code that asks a gateway to retry handles Django's.
    with connection.wrap_database_errors, cursor.copy(statement.format(columns=", ".join(columns))) as copy:
        copy.write(rows)


def adjacent_days(days: Iterable[date]) -> list[date]:
    """The days before and after these, on which events that were sent again may lie."""
    return sorted({day + step for day in days for step in (-_DAY, _DAY)})
