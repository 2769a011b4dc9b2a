"""Leases: until when a person or a worker has something, such as a case or an account to be scored."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

# The clocks of two machines are taken to differ by less.
CLOCKS_DIFFER: Final = timedelta(minutes=1)


def latest(*, at: datetime, lasts: timedelta) -> datetime:
    """Return the latest time at which a lease that is given now can end."""
    return at + lasts + CLOCKS_DIFFER


def is_over(field: str, *, at: datetime, lasts: timedelta) -> Q:
    """Return a condition for rows whose lease is over. `field` holds when it ends, at most `lasts` after it was given.

    A lease that ends later than that was given while a clock was wrong, and counts as over too.
    """
    return Q(**{field: None}) | Q(**{f"{field}__lte": at}) | Q(**{f"{field}__gt": latest(at=at, lasts=lasts)})


def is_held(until: datetime | None, *, at: datetime, lasts: timedelta) -> bool:
    """Return True if a lease that ends at `until` is not over: the opposite of `is_over`, for one row."""
    return until is not None and at < until <= latest(at=at, lasts=lasts)
