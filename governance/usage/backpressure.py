"""Whether scoring keeps up with what comes in. Where it does not, gateways are asked to come back later."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min

from governance.usage.models import DirtyAccount

# The answer may be this old: asking with every batch would cost more than it tells.
CACHE_TTL = timedelta(seconds=2)

_asked_at: datetime | None = None
_lag = timedelta()


def scoring_lag(*, now: datetime) -> timedelta:
    """How long the account that has waited longest has been waiting to be scored."""
    global _asked_at, _lag
    if _asked_at is None or not timedelta() <= now - _asked_at < CACHE_TTL:
        waiting = DirtyAccount.objects.filter(dead_lettered_at=None).aggregate(since=Min("dirty_since"))
        _asked_at, _lag = now, max(now - (waiting["since"] or now), timedelta())
    return _lag


def excess_lag(*, now: datetime) -> timedelta | None:
    """The lag where it is more than is allowed."""
    if not settings.INTAKE_MAX_LAG:
        return None
    waited = scoring_lag(now=now)
    return waited if waited > timedelta(seconds=settings.INTAKE_MAX_LAG) else None


def reset_lag_cache() -> None:
    global _asked_at  # noqa: PLW0603 - as above
    _asked_at = None
