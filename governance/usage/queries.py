"""What scoring and pages read of usage."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl
from django.db import connection
from django.db.models import QuerySet

from accounts.models import Account
from governance.usage.excerpts import decrypted
from governance.usage.models import Excerpt, Profile
from governance.usage.profile import SCHEMA

WINDOW = timedelta(days=28)
EVENTS_READ = 3_000


class Window(NamedTuple):
    """What of an account is looked at: the 28 days up to its newest usage, and how many events those hold."""

    start: datetime
    end: datetime
    events: int


def windows(accounts: Collection[int], *, at: datetime) -> dict[int, Window]:
    """The window of each account that has usage, as things stood `at` that time; from profiles alone.

    It ends with the account's newest usage rather than now, so that imported history is judged like a live feed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account_id, newest - %(span)s::interval AS start, newest, sum(requests)
            FROM usage_profile JOIN (
                SELECT account_id, least(max(hour) + interval '1 hour', %(at)s::timestamptz) AS newest
                FROM usage_profile WHERE account_id = ANY(%(accounts)s) AND hour <= %(at)s GROUP BY account_id
            ) AS latest USING (account_id)
            WHERE hour >= newest - %(span)s::interval AND hour <= newest GROUP BY account_id, newest
            """,
            {"accounts": list(accounts), "at": at, "span": f"{WINDOW.days} days"},
        )
        return {account: Window(start, end, int(events)) for account, start, end, events in cursor.fetchall()}


def newest_events(wanted: Mapping[int, Window]) -> pl.DataFrame:
    """The newest events of each window, at most 3,000 an account, with the columns of `profile.SCHEMA`.

    The bound makes scoring cost the same however much an account sends; totals come from the profiles.
    """
    columns = ", ".join(f"event.{name}" for name in SCHEMA if name not in {"account_id", "ip"})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT event.account_id, host(event.ip) AS ip, {columns}
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS wanted (account_id, "from", "to"),
            LATERAL (
                SELECT * FROM usage_usageevent AS event
                WHERE event.account_id = wanted.account_id
                  AND event.occurred_at >= wanted."from" AND event.occurred_at <= wanted."to"
                  AND event.day >= (wanted."from" AT TIME ZONE 'UTC')::date
                  AND event.day <= (wanted."to" AT TIME ZONE 'UTC')::date
                ORDER BY event.occurred_at DESC LIMIT {EVENTS_READ}
            ) AS event
            """,  # noqa: S608 - the columns are this module's own
            [list(wanted), [w.start for w in wanted.values()], [w.end for w in wanted.values()]],
        )
        names = [column.name for column in cursor.description or ()]
        return pl.DataFrame(cursor.fetchall(), schema={name: SCHEMA[name] for name in names}, orient="row")


class HourOfUse(NamedTuple):
    """One hour of an account over all models."""

    hour: datetime
    requests: int
    input_tokens: int
    output_tokens: int


def hours_of_use(account: Account, *, start: datetime, end: datetime) -> list[HourOfUse]:
    """The hours in which the account did something, in order, half-open from `start` to `end`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT hour, sum(requests)::bigint, sum(input_tokens)::bigint, sum(output_tokens)::bigint
            FROM usage_profile WHERE account_id = %s AND hour >= %s AND hour < %s GROUP BY hour ORDER BY hour
            """,
            [account.pk, start, end],
        )
        return [HourOfUse(*row) for row in cursor.fetchall()]


def profiles_of(account: Account) -> QuerySet[Profile]:
    return Profile.objects.filter(account=account)


class ShownExcerpt(NamedTuple):
    """A sampled prompt as a reviewer sees it."""

    occurred_at: datetime
    model: str
    text: str


def excerpts_of(account: Account, *, at: datetime, most: int = 6) -> list[ShownExcerpt]:
    """The newest excerpts that are kept of the account."""
    kept = Excerpt.objects.kept(at=at).filter(account=account).order_by("-occurred_at")[:most]
    return [ShownExcerpt(excerpt.occurred_at, excerpt.model, text) for excerpt, text in decrypted(kept)]
