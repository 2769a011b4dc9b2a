"""Times until when somebody has something, such as a case or an account to be scored."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

# The clocks of two machines are taken to differ by less.
CLOCKS_DIFFER: Final = timedelta(minutes=1)


def latest(*, at: datetime, lasts: timedelta) -> datetime:
    """The latest time until when anybody can have something now."""
    return at + lasts + CLOCKS_DIFFER


def is_over(field: str, *, at: datetime, lasts: timedelta) -> Q:
    """Rows nobody has at this time; `field` holds until when somebody had them, which is at most `lasts` ahead.

    What lies further ahead was given while a clock was wrong, and nobody is to wait for that long.
    """
    return Q(**{field: None}) | Q(**{f"{field}__lte": at}) | Q(**{f"{field}__gt": latest(at=at, lasts=lasts)})


def is_held(until: datetime | None, *, at: datetime, lasts: timedelta) -> bool:
    """The opposite, of one row."""
    return until is not None and at < until <= latest(at=at, lasts=lasts)
