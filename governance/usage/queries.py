"""What scoring and pages read of usage."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

import polars as pl
from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Sum
from django.db.models.functions import JSONObject
from psycopg import Cursor

from accounts.models import Account
from governance.usage import sql
from governance.usage.excerpts import decrypt_excerpts
from governance.usage.models import EventConflict, Excerpt
from governance.usage.profiles.merging import PROFILE_SCHEMA
from governance.usage.wire import UsageEvent

WINDOW = timedelta(days=28)


class ScoringWindow(NamedTuple):
    """What of an account is looked at: the weeks of the 28 days up to its newest usage; and what they hold."""

    start: datetime
    end: datetime
    events: int
    output_tokens: int = 0


def get_scoring_windows(account_pks: Collection[int], *, at: datetime) -> dict[int, ScoringWindow]:
    """The window of each account that has usage, as things stood `at` that time; from profiles alone.

    It ends with the account's newest usage rather than now, so that imported history is judged like a live feed.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.WINDOWS, {"accounts": list(account_pks), "at": at, "span": f"{WINDOW.days} days"})
        return {account: ScoringWindow(*window) for account, *window in cursor.fetchall()}


def load_profiles(wanted: Mapping[int, ScoringWindow]) -> pl.DataFrame:
    """The profiles of each window, merged: one row for each account and model, as `profiles.features` takes them.

    However much an account sends, it is a row an hour and five sketches of bounded size that are read of a model.
    """
    connection.ensure_connection()
    # Most of it is bytes, which come as they are in binary alone; Django's own cursors only know text.
    with Cursor(connection.connection) as cursor:
        bounds = [list(wanted), [w.start for w in wanted.values()], [w.end for w in wanted.values()]]
        cursor.execute(sql.READ_PROFILES, bounds, binary=True)
        return pl.DataFrame(cursor.fetchall(), schema=PROFILE_SCHEMA, orient="row")


class DuplicateCandidate(NamedTuple):
    """An event that may be here under another identity: who sent it and when, to the millisecond."""

    event: UsageEvent
    has_call_id: bool


# A row's time may have been rounded as well as cut, and so say another second behind the id of a call.
_SAME_CALL = """
SELECT DISTINCT sought.place
FROM unnest(
    %(places)s::int[], %(accounts)s::text[], %(times)s::timestamptz[], %(ids)s::text[], %(models)s::text[],
    %(with_call)s::bool[]
) AS sought (place, account, at, id, model, with_call)
JOIN accounts_account AS account ON account.external_id = sought.account
JOIN usage_usageevent AS event ON event.account_id = account.id AND event.source = %(source)s
    AND event.day = ANY(%(days)s::date[])
    AND event.occurred_at BETWEEN sought.at - interval '1 ms' AND sought.at + interval '1 ms'
WHERE regexp_replace(event.event_id, '@[0-9.]+$', '') = regexp_replace(sought.id, '@[0-9.]+$', '')
   OR (NOT sought.with_call AND event.event_id LIKE '%%@%%' AND event.model = sought.model)
"""


def find_reported_events(sought: Sequence[DuplicateCandidate], *, source: str) -> set[int]:
    """The places of those that are here already, by their account, the millisecond they began in and their id.

    One that names no call, as rows of older versions of LiteLLM do, is also the one that is known by its call.
    """
    events = [one.event for one in sought]
    days = {event.occurred_at.astimezone(UTC).date() for event in events}
    with connection.cursor() as cursor:
        cursor.execute(
            _SAME_CALL,
            {
                "source": source,
                "places": list(range(len(events))),
                "accounts": [event.account for event in events],
                "times": [event.occurred_at for event in events],
                "ids": [event.id for event in events],
                "models": [event.model for event in events],
                "with_call": [one.has_call_id for one in sought],
                "days": [*days, *(day + step for day in days for step in (timedelta(days=-1), timedelta(days=1)))],
            },
        )
        return {place for (place,) in cursor.fetchall()}


class HourlyUsage(NamedTuple):
    """One hour of an account over all models."""

    hour: datetime
    requests: int
    input_tokens: int
    output_tokens: int


def get_hourly_usage(account: Account, *, start: datetime, end: datetime) -> list[HourlyUsage]:
    """The hours in which the account did something, in order, half-open from `start` to `end`."""
    with connection.cursor() as cursor:
        cursor.execute(sql.USAGE_BY_HOUR, [account.pk, start, end])
        return [HourlyUsage(*row) for row in cursor.fetchall()]


class DailyUsage(NamedTuple):
    """A day of several accounts together; `began` of them did something for the first time."""

    day: date
    requests: int
    output_tokens: int
    began: int


def get_daily_usage(accounts: Collection[int]) -> list[DailyUsage]:
    """The days (UTC) on which these accounts did something, in order."""
    with connection.cursor() as cursor:
        cursor.execute(sql.USAGE_BY_DAY, [list(accounts)])
        return [DailyUsage(*row) for row in cursor.fetchall()]


class ModelUsage(NamedTuple):
    """What an account did with one model."""

    model: str
    requests: int
    failures: int
    input_tokens: int
    output_tokens: int


def get_usage_by_hour_and_by_model(
    account: Account, *, start: datetime, end: datetime
) -> tuple[list[HourlyUsage], list[ModelUsage]]:
    """Return the account's usage in each hour, and of each model, the most used first; hours from `start` to before
    `end`. One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.USAGE_BY_HOUR_AND_BY_MODEL, [account.pk, start, end])
        rows = cursor.fetchall()
    hours = [
        HourlyUsage(hour, requests, tokens, output) for hour, _, requests, _, tokens, output in rows if hour is not None
    ]
    models = [ModelUsage(model, *sums) for hour, model, *sums in rows if hour is None]
    return hours, sorted(models, key=lambda use: (-use.requests, use.model))


class HourOfModel(NamedTuple):
    """One hour of an account with one model."""

    hour: datetime
    model: str
    requests: int
    failures: int
    input_tokens: int
    output_tokens: int


def get_usage_by_hour_and_model(account: Account, *, start: datetime, end: datetime) -> list[HourOfModel]:
    """Return the hours in which the account used each model, in order; hours from `start` to before `end`."""
    with connection.cursor() as cursor:
        cursor.execute(sql.USAGE_BY_HOUR_AND_MODEL, [account.pk, start, end])
        return [HourOfModel(*row) for row in cursor.fetchall()]


def count_requests_since(hour: datetime) -> dict[int, int]:
    """Return the number of requests of each account from the hour that starts at `hour` on, by account id."""
    with connection.cursor() as cursor:
        cursor.execute(sql.REQUESTS_BY_ACCOUNT, [hour])
        return dict(cursor.fetchall())


MAX_EXCERPTS: Final = 6


class DecryptedExcerpt(NamedTuple):
    """A sampled prompt as a reviewer sees it."""

    occurred_at: datetime
    model: str
    text: str


def excerpt_count(account: OuterRef, *, at: datetime) -> QuerySet[Any, Any]:
    """For a subquery: how many excerpts are kept of an account; `get_excerpts` shows MAX_EXCERPTS of them."""
    kept = Excerpt.objects.kept(at=at).filter(account=account).order_by().values("account")
    return kept.annotate(count=Count("pk")).values("count")


def get_excerpts(account: Account, *, at: datetime) -> list[DecryptedExcerpt]:
    """The newest excerpts that are kept of the account, decrypted. The caller records that they were shown."""
    kept = Excerpt.objects.kept(at=at).filter(account=account).order_by("-occurred_at", "pk")[:MAX_EXCERPTS]
    return [DecryptedExcerpt(excerpt.occurred_at, excerpt.model, text) for excerpt, text in decrypt_excerpts(kept)]


def conflict_totals(account: OuterRef) -> QuerySet[Any, Any]:
    """For a subquery: how many `events` bore the id of an earlier one, and said something else `in_time_alone`."""
    days = EventConflict.objects.filter(account=account).order_by().values("account")
    counts = JSONObject(events=Sum("events"), in_time_alone=Sum("in_time_alone"))
    return days.annotate(counts=counts).values("counts")
