"""A short block over a longer one: a blocked account stays blocked, whether or not its end is noted in time."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import ClassVar

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.restrictions.actions import end_expired
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.restrictions.reasons import Reason
from governance.review.actions import decide, reopen
from governance.review.undo import undo_decision
from governance.review.verdicts import Verdict
from tests.factories import NOW, account, campaign_of, case, person, restriction
from tests.flows.last_word import (
    BLOCK,
    HOUR,
    Api,
    Clock,
    assert_denied_until,
    denying_restriction,
    form,
    in_hours,
    is_let_in,
)
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
            assert denying_restriction(later, "acct_harbour", at=clock()) == 2

            end_expired(now=clock())

            assert not is_let_in(later, "acct_harbour")
            assert denying_restriction(later, "acct_harbour", at=clock()) == 4

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
            Restriction.objects.filter(number=short).update(starts_at=at - HOUR, expires_at=at, effective_until=at)
            end_expired(now=timezone.now())
            assert is_let_in(front, "acct_harbour")

        mira.post(f"{again['Location']}undo/", {"note": "Wrong window."})

        assert not is_let_in(front, "acct_harbour")
        assert denying_restriction(front, "acct_harbour", at=timezone.now() + 9 * HOUR)

    def test_over_a_policy_s_is_let_go_by_dismissing(self, front: Served, mira: Client) -> None:
        harbour = case(account("acct_harbour"))
        restriction(harbour.own_account, unique_key="policy:7:1")
        Api().post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})

        mira.post(address(harbour, "decide/"), form("dismiss"))

        assert_denied_until(front, "acct_harbour", hours=1)

    def test_over_a_decision_that_is_undone_since_leaves_what_that_had_replaced(
        self, front: Served, mira: Client
    ) -> None:
        harbour = case(account("acct_harbour"))
        mira.post(address(harbour, "decide/"), form())
        again = mira.post(address(harbour, "reopen/"))
        mira.post(f"{again['Location']}decide/", form())
        Api().post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})

        mira.post(f"{again['Location']}undo/", {"note": "A slip."})
        end_expired(now=timezone.now() + 2 * HOUR)

        assert denying_restriction(front, "acct_harbour", at=timezone.now() + 3 * HOUR)


class TestALongBlockThatIsBackAfterAShortOne:
    """It has another number; its sender knows it by the first one, and by its unique key."""

    ASKED: ClassVar = BLOCK | {"account": "acct_harbour", "unique_key": "incident-7"}

    @pytest.fixture
    def api(self, transactional_db: None) -> Api:
        account("acct_harbour")
        return Api()

    @pytest.fixture
    def numbers(self, api: Api) -> tuple[int, int]:
        """The one it had, and the one it has."""
        first = api.post(self.ASKED).json()["number"]
        api.post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})
        end_expired(now=timezone.now() + 2 * HOUR)
        return first, Restriction.objects.get(ended_at=None).number

    @staticmethod
    def is_published(front: Served, name: str) -> bool:
        """Once the short one is over."""
        return denying_restriction(front, name, at=timezone.now() + 3 * HOUR) is not None

    def test_is_lifted_by_its_first_number(self, front: Served, api: Api, numbers: tuple[int, int]) -> None:
        first, since = numbers

        said, again = (api.delete(f"/{first}?note=appeal").json() for _ in range(2))

        assert not self.is_published(front, "acct_harbour")
        assert (said["lifted"], said["number"], said["ending"]) == (True, since, "lifted")
        assert (again["lifted"], again["number"]) == (False, since)

    def test_is_lifted_from_the_list_by_a_page_that_shows_its_first_number(
        self, front: Served, mira: Client, numbers: tuple[int, int]
    ) -> None:
        mira.post(f"/restrictions/{numbers[0]}/lift/", {"note": "An appeal."})

        assert not self.is_published(front, "acct_harbour")

    def test_is_the_answer_to_its_request_sent_again(self, api: Api, numbers: tuple[int, int]) -> None:
        said = api.post(self.ASKED)
        api.delete(f"/{numbers[1]}?note=appeal")
        lifted = api.post(self.ASKED)

        assert (said.status_code, said.json()["number"], said.json()["ended_at"]) == (200, numbers[1], None)
        assert (lifted.status_code, lifted.json()["number"], lifted.json()["ending"]) == (200, numbers[1], "lifted")

    def test_is_compared_with_its_request_as_it_was_first_made(self, api: Api, numbers: tuple[int, int]) -> None:
        changed = api.post(self.ASKED | {"reason": "other"})

        assert (changed.status_code, changed.json()["number"]) == (409, numbers[0])

    def test_of_somebody_else_stays(self, front: Served, api: Api, numbers: tuple[int, int]) -> None:
        account("acct_other")
        api.post(BLOCK | {"account": "acct_other", "unique_key": "incident-8"})

        api.delete(f"/{numbers[0]}?note=appeal")

        assert self.is_published(front, "acct_other")

    def test_of_a_campaign_is_lifted_on_one_account_by_its_first_number(self, front: Served, api: Api) -> None:
        campaign = campaign_of(Account.objects.get(), account("acct_other"))
        asked = BLOCK | {"campaign": str(campaign.pk), "unique_key": "incident-9"}
        made = {one["account"]: one["number"] for one in api.post(asked).json()["restrictions"]}
        api.post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})
        end_expired(now=timezone.now() + 2 * HOUR)

        api.delete(f"/{made['acct_harbour']}?note=appeal")

        assert (self.is_published(front, "acct_harbour"), self.is_published(front, "acct_other")) == (False, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lasts", [None, timedelta(days=3)])
def test_what_undoing_restores_replaces_for_its_time_what_was_planned_meanwhile(lasts: timedelta | None) -> None:
    """Two of a kind are never in force at once, and nobody is let in between them."""
    harbour, mira = account("acct_harbour"), person()
    kind, other = (
        (RestrictionKind.SUSPEND, RestrictionKind.BLOCK) if lasts else (RestrictionKind.BLOCK, RestrictionKind.WARN)
    )
    first = case(harbour)
    decided = decide(first, verdict(kind, lasts), decision_id=uuid.uuid4(), by=mira, now=NOW)
    second = reopen(first, by=mira, now=NOW)
    decide(second, verdict(other, None), decision_id=uuid.uuid4(), by=mira, now=NOW)
    ends = NOW + timedelta(days=5) if lasts else None
    planned = restriction(harbour, kind, at=NOW, starts_at=NOW + timedelta(days=2), until=ends)

    undo_decision(second, note="A slip.", by=mira, now=NOW)

    back = Restriction.objects.get(ended_at=None)
    assert (back.origin, back.effective_until) == (decided.origin, ends)
    end_expired(now=NOW + timedelta(days=3))
    now_in_force = Restriction.objects.get(ended_at=None)
    assert now_in_force.origin == (planned.origin if lasts else decided.origin)
    assert now_in_force.effective_until == ends


def verdict(kind: RestrictionKind, lasts: timedelta | None) -> Verdict:
    return Verdict(kind, Reason.BULK_HARVEST, note="Seen twice.", lasts=lasts)
