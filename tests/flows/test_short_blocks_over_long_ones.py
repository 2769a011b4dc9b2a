"""A short block over a longer one: whoever is blocked stays blocked, whether or not its end is noted in time."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.test import Client
from django.utils import timezone

from governance.restrictions.actions import end_expired
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from tests.factories import account, case, person, restriction
from tests.flows.last_word import BLOCK, HOUR, Api, Clock, assert_denied_until, form, in_hours, is_let_in, told
from tests.front import Served, served
from tests.review.pages import address, signed_in


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture
def mira() -> Client:
    return signed_in(person("Mira Okafor"))


class TestAShortBlock:
    @pytest.mark.parametrize("is_loaded_since", [0, 1])
    def test_over_one_for_ever_lets_nobody_in_when_it_runs_out(self, front: Served, is_loaded_since: int) -> None:
        account("acct_harbour")
        api, clock = Api(), Clock()
        with ExitStack() as stack:
            later = None if is_loaded_since else stack.enter_context(served(clock=clock))
            api.post(BLOCK | {"account": "acct_harbour"})
            api.post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})
            later = later or stack.enter_context(served(clock=clock))
            clock.hours = 2

            assert not is_let_in(later, "acct_harbour")
            assert not access(account="acct_harbour", now=clock()).allowed
            assert told(later, "acct_harbour", at=clock()) == 2

            end_expired(now=clock())

            assert not is_let_in(later, "acct_harbour")
            assert told(later, "acct_harbour", at=clock()) == 4

    def test_over_one_that_is_lifted_since_ends_in_its_own_time(self, front: Served) -> None:
        account("acct_harbour")
        api = Api()
        first = api.post(BLOCK | {"account": "acct_harbour"}).json()["number"]
        api.post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})

        api.delete(f"/{first}?note=appeal")

        assert not is_let_in(front, "acct_harbour")
        assert_denied_until(front, "acct_harbour", hours=1)

    def test_over_a_longer_one_holds_as_long_as_that(self, front: Served) -> None:
        account("acct_harbour")
        api = Api()
        api.post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(5)})
        api.post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})

        assert_denied_until(front, "acct_harbour", hours=5)

    @pytest.mark.parametrize(("action", "left"), [("dismiss", []), ("throttle", ["throttle"])])
    def test_over_what_is_decided_again_since_brings_nothing_back(
        self, front: Served, mira: Client, action: str, left: list[str]
    ) -> None:
        harbour = case(account("acct_harbour"))
        mira.post(address(harbour, "decide/"), form())
        Api().post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})
        again = mira.post(address(harbour, "reopen/"))

        mira.post(f"{again['Location']}decide/", form(action, requests_per_minute="5"))

        assert_denied_until(front, "acct_harbour", hours=1)
        end_expired(now=timezone.now() + 2 * HOUR)
        assert list(Restriction.objects.filter(ended_at=None).values_list("kind", flat=True)) == left

    @pytest.mark.parametrize("is_over", [0, 1])
    def test_over_what_was_dismissed_by_mistake_brings_it_back(self, front: Served, mira: Client, is_over: int) -> None:
        harbour = case(account("acct_harbour"))
        mira.post(address(harbour, "decide/"), form())
        short = Api().post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)}).json()["number"]
        again = mira.post(address(harbour, "reopen/"))
        mira.post(f"{again['Location']}decide/", form("dismiss"))
        if is_over:
            at = timezone.now() - HOUR
            Restriction.objects.filter(number=short).update(starts_at=at - HOUR, expires_at=at, holds_until=at)
            end_expired(now=timezone.now())
            assert is_let_in(front, "acct_harbour")

        mira.post(f"{again['Location']}undo/", {"note": "Wrong window."})

        assert not is_let_in(front, "acct_harbour")
        assert told(front, "acct_harbour", at=timezone.now() + 9 * HOUR)

    def test_over_a_policy_s_is_let_go_by_dismissing(self, front: Served, mira: Client) -> None:
        harbour = case(account("acct_harbour"))
        restriction(harbour.account, unique_key="policy:7:1")
        Api().post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})

        mira.post(address(harbour, "decide/"), form("dismiss"))

        assert_denied_until(front, "acct_harbour", hours=1)
