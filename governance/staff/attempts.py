"""How often something may be tried. Counted in PostgreSQL, in statements of their own that commit before the attempt
is made: all processes keep to one limit together, and attempts at the same time cannot slip past it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from governance.staff.models import AttemptCount

PERIOD: Final = timedelta(minutes=15)
_COUNT = """
    INSERT INTO staff_attemptcount (kind, key, starts_at, count) VALUES (%s, %s, %s, 1)
    ON CONFLICT (kind, key, starts_at) DO UPDATE SET count = staff_attemptcount.count + 1 RETURNING count
"""


class Limit(NamedTuple):
    """At most `most` attempts in a period of 15 minutes by what `key` stands for."""

    kind: AttemptCount.Kind
    key: str
    most: int


def attempt_digest(*parts: str) -> str:
    """Return a keyed digest, as what people type into a sign-in form may be a password and must not be stored."""
    return salted_hmac("stillwatch attempts", "\0".join(parts), algorithm="sha256").hexdigest()


def reserve_attempt(limits: Sequence[Limit], *, now: datetime) -> bool:
    """Count an attempt against each limit in turn. Return False at the first that is used up, counting no further."""
    return all(count_attempt(limit.kind, limit.key, period_start(now, PERIOD)) <= limit.most for limit in limits)


def refund_attempt(limits: Sequence[Limit], *, now: datetime) -> None:
    """Take a reserved attempt back, since it succeeded. `now` is when it was reserved."""
    for limit in limits:
        counted = AttemptCount.objects.filter(kind=limit.kind, key=limit.key, starts_at=period_start(now, PERIOD))
        counted.filter(count__gt=0).update(count=F("count") - 1)


def count_attempt(kind: AttemptCount.Kind, key: str, starts_at: datetime) -> int:
    """Add one, and return how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [kind.value, key, starts_at])
        return int(cursor.fetchone()[0])


def period_start(at: datetime, length: timedelta) -> datetime:
    """Return when the period began that `at` belongs to."""
    return datetime.fromtimestamp(at.timestamp() // length.total_seconds() * length.total_seconds(), UTC)
