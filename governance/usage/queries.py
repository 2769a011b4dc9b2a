"""What scoring and pages read of usage."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl
from django.db import connection
from django.db.models import QuerySet
from psycopg import Cursor

from accounts.models import Account
from governance.usage import sql
from governance.usage.excerpts import decrypted
from governance.usage.models import Excerpt, Profile
from governance.usage.profile.reading import ROWS

WINDOW = timedelta(days=28)


class Window(NamedTuple):
    """What of an account is looked at: the weeks of the 28 days up to its newest usage; and the events they hold."""

    start: datetime
    end: datetime
    events: int


def windows(accounts: Collection[int], *, at: datetime) -> dict[int, Window]:
    """The window of each account that has usage, as things stood `at` that time; from profiles alone.

    It ends with the account's newest usage rather than now, so that imported history is judged like a live feed.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.WINDOWS, {"accounts": list(accounts), "at": at, "span": f"{WINDOW.days} days"})
        return {account: Window(start, end, events) for account, start, end, events in cursor.fetchall()}


def profiles_in(wanted: Mapping[int, Window]) -> pl.DataFrame:
    """The profiles of each window, merged: one row for each account and model, as `profile.reading` takes them.

    However much an account sends, it is a row an hour and five sketches of bounded size that are read of a model.
    """
    connection.ensure_connection()
    # Most of it is bytes, which come as they are in binary alone; Django's own cursors only know text.
    with Cursor(connection.connection) as cursor:
        bounds = [list(wanted), [w.start for w in wanted.values()], [w.end for w in wanted.values()]]
        cursor.execute(sql.READ_PROFILES, bounds, binary=True)
        return pl.DataFrame(cursor.fetchall(), schema=ROWS, orient="row")


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
