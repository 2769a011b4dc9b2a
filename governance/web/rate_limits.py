"""How often a service key may ask, in each minute. Counted in PostgreSQL: all processes keep to one limit together.

Reading and acting are counted apart, so that a program that reads too much keeps nobody from restricting. Who sends
usage, and who asks whether a customer has access, is never counted: the one is slowed down by how far scoring is
behind, and the other must get an answer. The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from governance.staff.attempts import count_attempt, period_start
from governance.staff.models import AttemptCount
from governance.web.authentication import ShownKey

PERIOD: Final = timedelta(minutes=1)
# Where what a request may still do is left for the middleware, which writes the headers of every answer.
LEFT: Final = "stillwatch.rate_limit"

logger = logging.getLogger(__name__)


class RateLimit(NamedTuple):
    """At most `most` requests a minute. `left` is None where nobody knows how many there were."""

    name: str
    most: int
    left: int | None
    seconds: int

    def headers(self) -> Mapping[str, str]:
        policy = {"RateLimit-Policy": f'"{self.name}";q={self.most};w={PERIOD.seconds}'}
        if self.left is None:
            return policy
        return policy | {"RateLimit": f'"{self.name}";r={self.left};t={self.seconds}'}


class KeyRateThrottle(BaseThrottle):
    """Lets a service key ask so often. Where it cannot be counted it lets everybody ask: a limit must stop no block."""

    seconds = 0

    def allow_request(self, request: Request, view: object) -> bool:
        kind, name, most = _limit(request)
        if not most or not isinstance(request.auth, ShownKey):
            return True
        now = timezone.now()
        starts_at = period_start(now, PERIOD)
        self.seconds = max(1, round((starts_at + PERIOD - now).total_seconds()))
        try:
            count = count_attempt(kind, request.auth.key.pk.hex, starts_at)
        except DatabaseError as error:
            logger.warning("Requests of %s are not counted: %s", request.auth.key.shown_prefix, type(error).__name__)
            request.META[LEFT] = RateLimit(name, most, None, self.seconds)
            return True
        request.META[LEFT] = RateLimit(name, most, max(0, most - count), self.seconds)
        return count <= most

    def wait(self) -> float:
        return self.seconds


def _limit(request: Request) -> tuple[AttemptCount.Kind, str, int]:
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return AttemptCount.Kind.API_READING, "reading", settings.READS_A_MINUTE
    return AttemptCount.Kind.API_ACTING, "acting", settings.WRITES_A_MINUTE
