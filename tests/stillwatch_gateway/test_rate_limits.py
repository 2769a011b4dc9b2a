"""The limits of throttled customers, and the answer to who cannot be checked."""

import pytest

from stillwatch_gateway import Gateway
from stillwatch_gateway.entries import Throttle
from stillwatch_gateway.refusals import RateLimiter, enforce
from stillwatch_gateway.restriction_set import UNREACHABLE, Decision, RestrictionSet
from tests.stillwatch_gateway.customers import front, gateway

__all__ = ["front", "gateway"]  # fixtures


def test_a_customer_who_cannot_be_checked_is_asked_to_try_again() -> None:
    refused = RestrictionSet().decide(["account:a"], now=0.0)._replace(allowed=False, because=UNREACHABLE)

    answer = enforce(refused, RateLimiter())

    assert answer is not None
    assert (answer.status, dict(answer.headers)["Retry-After"]) == (503, "30")


class TestALimit:
    """Of six requests a minute: one each ten seconds."""

    def decision(self, number: int = 1) -> Decision:
        throttles = (Throttle(number, 6),)
        return Decision(True, "throttle", "other", number, 6, None, (), 1, 0.0, throttles=throttles)  # noqa: FBT003

    def test_fills_up_again_with_time_but_never_beyond_itself(self) -> None:
        now = [0.0]
        limiter = RateLimiter(clock=lambda: now[0])
        assert [limiter.take(self.decision()) for _ in range(7)] == [0.0] * 6 + [10.0]

        now[0] = 10.0
        assert [limiter.take(self.decision()) for _ in range(2)] == [0.0, 10.0]
        now[0] = 10_000.0
        assert [limiter.take(self.decision()) for _ in range(7)] == [0.0] * 6 + [10.0]

    def test_of_nothing_serves_nobody(self) -> None:
        none = self.decision()._replace(throttles=(Throttle(1, 0),))

        assert RateLimiter(clock=lambda: 0.0).take(none) == 60.0

    def test_is_forgotten_rather_than_that_memory_grows_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stillwatch_gateway.refusals.BUCKETS_KEPT", 2)
        limiter = RateLimiter(clock=lambda: 0.0)

        for number in range(10):
            limiter.take(self.decision(number))

        assert len(limiter._buckets) <= 3


def test_an_account_of_a_throttled_organisation_is_counted_once_in_all_its_spellings(gateway: Gateway) -> None:
    limiter = RateLimiter(clock=lambda: 0.0)

    def is_served(name: str, **others: str) -> bool:
        return enforce(gateway.decide(account=name, organisation="org_mole", **others), limiter) is None

    assert [is_served(name) for name in ("acct_mole", "acct%5Fmole", "%61cct_mole", " acct_mole")] == [True] * 2 + [
        False
    ] * 2
    assert [is_served(f"acct_unknown_{n}") for n in range(3)] == [True] * 2 + [False]
