"""Usage events in PostgreSQL: stored once each, found again, completed. Everything runs in the caller's transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl
from django.db import connection
from django.db.backends.utils import CursorWrapper

from governance.usage import sql
from governance.usage.columns import SCHEMA, Columns, event_key, to_copy, without
from governance.usage.profile import folding, making
from governance.usage.wire import Report, UsageEvent, merged

MIDNIGHT_LOCK: Final = 0x5711_0D0E
# Copies of an event that are under way at the same time have times no further apart, where its sender stamps each anew.
AT_MIDNIGHT: Final = timedelta(minutes=10)
_DAY: Final = timedelta(days=1)


class Stored(NamedTuple):
    """The events that were new, as columns; and the keys of those that are here without their figures."""

    new: Columns
    uncounted: set[str]


def store(events: Columns, *, now: datetime) -> Stored:
    """Store events given as columns, add them to their profiles and mark their accounts dirty.

    An event is the same as one that is here with its key on the same UTC day, the day before or the day after.
    Profiles are added to by parts: nothing is read or changed, so that batches do not wait for each other. `events` are
    sorted by their key, which none has twice.
    """
    columns, days = ", ".join(SCHEMA), {date.fromisoformat(day) for day in events["day"]}
    with connection.cursor() as cursor:
        cursor.execute(sql.MAKE_INCOMING)
        copy_rows(cursor, sql.COPY_INCOMING, SCHEMA, to_copy(events))
        if midnights := _midnights(events["at"]):
            cursor.execute(sql.LOCK_MIDNIGHTS, {"lock": MIDNIGHT_LOCK, "midnights": midnights})
        around = neighbours(days)
        cursor.execute(sql.STORE_INCOMING.format(columns=columns), {"days": around, "near": [*around, *days]})
        if known := dict(cursor.fetchall()):
            events = without(events, known)
        if events["key"]:
            _add_to_profiles(cursor, making.parts(events), set(events["account_id"]), now=now)
    return Stored(events, {key for key, is_uncounted in known.items() if is_uncounted})


def _add_to_profiles(cursor: CursorWrapper, parts: pl.DataFrame, accounts: Collection[int], *, now: datetime) -> None:
    copy_rows(cursor, sql.COPY_PARTS, parts.columns, folding.to_copy(parts))
    cursor.execute(sql.MARK, {"accounts": sorted(accounts), "anew": False, "now": now})


def events_in(reports: Sequence[Report], *, source: str) -> tuple[dict[str, UsageEvent], dict[str, UsageEvent]]:
    """The events of a batch by their keys, each once; and by the keys of earlier ones what completes these."""
    known: dict[str, UsageEvent] = {}
    completing: list[tuple[str, Report]] = []
    for report in reports:
        if report.completes is None:
            key = event_key(source, report.identity)
            known[key] = merged(known[key], report.event) if key in known else report.event
        else:
            completing.append((event_key(source, report.completes), report))
    begun = {key: report.event.occurred_at for key, report in completing if key not in known}
    stored = find(begun) if begun else set()
    figures: dict[str, UsageEvent] = {}
    for key, report in completing:
        if key in known:
            known[key] = merged(known[key], report.event)
        elif key in stored:
            figures.setdefault(key, report.event)
        elif report.is_event:
            known.setdefault(event_key(source, report.identity), report.event)
    return known, figures


def find(keys: Mapping[str, datetime]) -> set[str]:
    """Which of these keys are those of events that were stored with a time about the one given."""
    on, near = _days(keys.values())
    with connection.cursor() as cursor:
        cursor.execute(sql.FIND_EVENTS, {"keys": list(keys), "on": on, "days": near})
        return {key for (key,) in cursor.fetchall()}


def complete(figures: Mapping[str, UsageEvent], *, now: datetime) -> None:
    """Give tokens to the events with these keys that were stored without any, and to their profiles."""
    on, near = _days(event.occurred_at for event in figures.values())
    tokens = {name: [getattr(event, name) for event in figures.values()] for name in making.SUMS}
    with connection.cursor() as cursor:
        cursor.execute(sql.COMPLETE_EVENTS, {"keys": list(figures), "on": on, "days": near, **tokens})
        completed = cursor.fetchall()
        if completed:
            columns = dict(zip(making.FIGURES, map(list, zip(*completed, strict=True)), strict=True))
            _add_to_profiles(cursor, making.figures(columns), set(columns["account_id"]), now=now)


def copy_rows(cursor: CursorWrapper, statement: str, columns: Iterable[str], rows: bytes) -> None:
    # The driver's own errors would leave a copy; whoever asks a gateway to come again waits for Django's.
    with connection.wrap_database_errors, cursor.copy(statement.format(columns=", ".join(columns))) as copy:
        copy.write(rows)


def neighbours(days: Iterable[date]) -> list[date]:
    """The days before and after these, on which events that were sent again may lie."""
    return sorted({day + step for day in days for step in (-_DAY, _DAY)})


def _days(times: Iterable[datetime]) -> tuple[list[date], list[date]]:
    """The UTC day of each time; and all days on which the same events may lie."""
    on = [at.astimezone(UTC).date() for at in times]
    return on, sorted({day + step for day in set(on) for step in (-_DAY, timedelta(), _DAY)})


def _midnights(times: Sequence[int]) -> list[int]:
    """The UTC midnights, as days since 1970, that any of these times, in microseconds since 1970, is close to."""
    day, close = _DAY // timedelta(microseconds=1), AT_MIDNIGHT // timedelta(microseconds=1)
    return sorted({(at + close) // day for at in times if (at + close) % day < 2 * close})
