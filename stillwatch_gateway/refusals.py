"""How a gateway acts on a decision: what a refused customer reads, and how many requests a throttled one has left."""

import json
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from stillwatch_gateway.restriction_set import UNREACHABLE, Decision

MINUTE: Final = 60.0
BUCKETS_KEPT: Final = 100_000


class RefusalResponse(NamedTuple):
    """What a refused customer is answered: in the form of the OpenAI API, with a number to appeal by, and not why."""

    status: int
    message: str
    headers: list[tuple[str, str]]
    body: bytes


def refusal(decision: Decision) -> RefusalResponse:
    """Of a decision that does not allow."""
    if decision.number is None and decision.because != UNREACHABLE:
        return _refusal(400, decision.because, "access_unchecked")
    if decision.number is None:
        return _refusal(503, "Access cannot be checked at the moment. Please try again.", "access_unchecked", retry=30)
    reference = f"Please quote R-{decision.number} when you write to us."
    return _refusal(403, f"Access to this API is restricted. {reference}", "access_restricted")


def rate_limit_refusal(decision: Decision, wait: float) -> RefusalResponse:
    """Of a throttle whose requests are used up; `wait` are seconds."""
    most = decision.requests_per_minute
    message = f"At most {most} {'request' if most == 1 else 'requests'} a minute {'is' if most == 1 else 'are'} served."
    return _refusal(429, message, "rate_limited", retry=max(1, round(wait)))


def unreadable_keys_refusal(message: str) -> RefusalResponse:
    """Of a request whose API keys cannot be read."""
    return _refusal(400, message, "access_unchecked")


def _refusal(status: int, message: str, kind: str, *, retry: int | None = None) -> RefusalResponse:
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": kind}}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if retry is not None:
        headers.append(("Retry-After", str(retry)))
    return RefusalResponse(status, message, headers, body)


class RateLimiter:
    """Holds customers to the requests a minute that throttles leave them, in this process.

    One token bucket for each throttle; a throttle of an organisation has one for each account of it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[int, str], tuple[float, float]] = {}  # tokens left, and when that was
        self._lock = threading.Lock()

    def take(self, decision: Decision) -> float:
        """Take one request from every bucket and return 0, or return the seconds until all have one and take none."""
        if not decision.throttles:
            return 0.0
        now = self._clock()
        with self._lock:
            if len(self._buckets) > BUCKETS_KEPT:
                self._buckets.clear()
            left, wait = {}, 0.0
            for number, limit, customer in decision.throttles:
                bucket = number, customer
                tokens, since = self._buckets.get(bucket, (float(limit), now))
                left[bucket] = tokens = min(limit, tokens + (now - since) * limit / MINUTE)
                if tokens < 1:
                    wait = max(wait, (1 - tokens) * MINUTE / limit if limit else MINUTE)
            self._buckets.update({bucket: (tokens if wait else tokens - 1, now) for bucket, tokens in left.items()})
            return wait


def enforce(decision: Decision, limiter: RateLimiter) -> RefusalResponse | None:
    """What to answer in place of serving the request; None where it is to be served."""
    if not decision.allowed:
        return refusal(decision)
    wait = limiter.take(decision)
    return rate_limit_refusal(decision, wait) if wait else None
