"""Leases: a person or a worker has something, such as a case or an account to be scored, until a time."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

# The clocks of two machines are taken to differ by less.
CLOCKS_DIFFER: Final = timedelta(minutes=1)


def latest_lease_end(*, at: datetime, duration: timedelta) -> datetime:
    """Return the latest time at which a lease that is given now can end."""
    return at + duration + CLOCKS_DIFFER


def lease_ended(field: str, *, at: datetime, duration: timedelta) -> Q:
    """Return a condition for rows whose lease has ended.

    `field` is the column with its end, at most `duration` after it was given.

    One that ends later than that was given while a clock was wrong, and counts as ended too.
    """
    return (
        Q(**{field: None})
        | Q(**{f"{field}__lte": at})
        | Q(**{f"{field}__gt": latest_lease_end(at=at, duration=duration)})
    )


def is_lease_active(until: datetime | None, *, at: datetime, duration: timedelta) -> bool:
    """Return True if a lease that ends at `until` has not ended: the opposite of `lease_ended`, for one row."""
    return until is not None and at < until <= latest_lease_end(at=at, duration=duration)
