"""What staff or a machine said last about an account is what its gateway is answered: from page or API to check."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from governance.restrictions.actions import end_expired, restrict_campaign
from governance.restrictions.models import Change, Restriction
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.review.models import Case
from tests.factories import MACHINE, NOW, account, campaign_of, case, person, restriction
from tests.flows.last_word import BLOCK, HOUR, Api, assert_denied_until, form, in_hours, is_let_in
from tests.front import Served, served
from tests.review.pages import address, members_seen, signed_in, text

COORDINATED = Terms(Restriction.Kind.BLOCK, Reason.COORDINATED_ACCOUNTS)


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture
def mira() -> Client:
    return signed_in(person("Mira Okafor"))


def words(page: Any) -> str:
    """What is read on a page, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", "", text(page)).split())


class TestADecision:
    def test_that_dismisses_after_a_block_lets_the_account_in(self, front: Served, mira: Client) -> None:
        harbour = case(account("acct_harbour"))
        mira.post(address(harbour, "decide/"), form())
        assert not is_let_in(front, "acct_harbour")

        again = mira.post(address(harbour, "reopen/"))
        assert "It ends:" in text(mira.get(again["Location"]))
        assert not is_let_in(front, "acct_harbour")
        decided = mira.post(f"{again['Location']}decide/", form("dismiss"), follow=True)

        assert "Replaced:" in text(decided)
        assert is_let_in(front, "acct_harbour")

    def test_that_is_milder_ends_what_was_stronger_for_all_it_was_about(self, front: Served, mira: Client) -> None:
        harbour = case(account("acct_harbour"))
        campaign_of(harbour.own_account, account("acct_pier"))
        mira.post(address(harbour, "decide/"), form(scope="campaign", members_seen=members_seen(harbour)))
        assert not is_let_in(front, "acct_pier")

        again = mira.post(address(harbour, "reopen/"))
        mira.post(f"{again['Location']}decide/", form("throttle", requests_per_minute="5"))

        assert is_let_in(front, "acct_harbour")
        assert is_let_in(front, "acct_pier")
        assert front.check(account="acct_harbour")["limits"]["requests_per_minute"] == 5

    def test_that_is_made_again_lets_nobody_slip_through_between_the_two(self, front: Served, mira: Client) -> None:
        harbour = case(account("acct_harbour"))
        mira.post(address(harbour, "decide/"), form())
        again = mira.post(address(harbour, "reopen/"))
        mira.post(f"{again['Location']}decide/", form("suspend", days="7"))

        changes = list(Change.objects.values_list("what", flat=True))
        assert changes == ["began", "began", "ended"]
        assert not is_let_in(front, "acct_harbour")

    def test_that_dismisses_says_who_else_keeps_the_account_out(self, front: Served, mira: Client) -> None:
        harbour, pier = (case(account(name, organisation="acme")) for name in ("acct_harbour", "acct_pier"))
        mira.post(address(harbour, "decide/"), form(scope="organisation"))
        again = mira.post(address(pier, "reopen/"))

        form_page = words(mira.get(again["Location"]))
        decided = mira.post(f"{again['Location']}decide/", form("dismiss"), follow=True)

        assert "acct_pier stays refused whatever you decide here: acme is blocked by no. 1" in form_page
        assert "acct_pier stays refused even so: acme is blocked by no. 1" in words(decided)
        assert not is_let_in(front, "acct_pier")
        own = mira.get(mira.post(address(harbour, "reopen/"))["Location"])
        assert "stays refused" not in words(own)

    @pytest.mark.parametrize("action", ["throttle", "dismiss"])
    def test_about_more_leaves_in_force_what_a_machine_had_asked_for_and_an_earlier_one_replaced(
        self, front: Served, mira: Client, action: str
    ) -> None:
        harbour, pier = (account(name, organisation="acme") for name in ("acct_harbour", "acct_pier"))
        campaign_of(harbour, pier)
        asked = restriction(pier, Restriction.Kind.SUSPEND, at=timezone.now(), until=timezone.now() + 3 * HOUR)
        opened = case(harbour)
        seen = members_seen(opened)
        mira.post(address(opened, "decide/"), form("suspend", scope="campaign", members_seen=seen, days="1"))
        again = mira.post(address(opened, "reopen/"))["Location"]
        scope = {"scope": "organisation", "requests_per_minute": "5"} if action == "throttle" else {}

        mira.post(f"{again}decide/", form(action, **scope))
        back = Restriction.objects.get(ended_at=None, account=pier)
        let_in = is_let_in(front, "acct_pier"), is_let_in(front, "acct_harbour")
        mira.post(f"{again}undo/", {"note": "A slip."})

        assert back.origin == asked.origin
        assert let_in == (False, True)
        now_live = Restriction.objects.get(ended_at=None, account=pier)
        assert now_live.origin.startswith("decision:")  # as before the decision that was undone
        assert_denied_until(front, "acct_pier", hours=24)
        assert Restriction.objects.filter(ended_at=None).count() == 0

    def test_about_more_brings_back_what_a_machine_asked_for_when_it_is_undone_and_the_earlier_one_too(
        self, front: Served, mira: Client
    ) -> None:
        harbour, pier = (account(name, organisation="acme") for name in ("acct_harbour", "acct_pier"))
        campaign_of(harbour, pier)
        asked = restriction(pier, at=timezone.now())
        opened = case(harbour)
        mira.post(address(opened, "decide/"), form(scope="campaign", members_seen=members_seen(opened)))
        again = mira.post(address(opened, "reopen/"))["Location"]
        mira.post(f"{again}decide/", form(scope="organisation"))

        for one in (again, address(opened)):
            mira.post(f"{one}undo/", {"note": "A slip."})
            assert not is_let_in(front, "acct_pier")

        assert [one.origin for one in Restriction.objects.filter(ended_at=None)] == [asked.origin]
        assert is_let_in(front, "acct_harbour")


class TestUndoing:
    def test_a_block_of_a_campaign_lets_all_in_and_puts_all_cases_back(self, front: Served, mira: Client) -> None:
        cases = [case(account(f"acct_{number}")) for number in range(12)]
        campaign_of(*(one.own_account for one in cases))
        mira.post(address(cases[0], "decide/"), form(scope="campaign", members_seen=members_seen(cases[0])))
        assert not any(is_let_in(front, f"acct_{number}") for number in range(12))
        assert "acct_7" not in text(mira.get("/queue/"))

        mira.post(address(cases[0], "undo/"), {"note": "One school."})

        assert all(is_let_in(front, f"acct_{number}") for number in range(12))
        assert Case.objects.waiting().count() == 12
        assert "acct_7" in text(mira.get("/queue/"))

    def test_a_dismissal_blocks_again_who_was_blocked_before_it(self, front: Served, mira: Client) -> None:
        harbour = case(account("acct_harbour"))
        mira.post(address(harbour, "decide/"), form())
        again = mira.post(address(harbour, "reopen/"))
        mira.post(f"{again['Location']}decide/", form("dismiss"))
        assert is_let_in(front, "acct_harbour")

        mira.post(f"{again['Location']}undo/", {"note": "Wrong window."})

        assert not is_let_in(front, "acct_harbour")


class TestLifting:
    @pytest.mark.parametrize("before", ["the API", "a person", "a campaign"])
    def test_lets_in_whatever_the_restriction_had_replaced(self, front: Served, mira: Client, before: str) -> None:
        harbour = case(account("acct_harbour"))
        if before == "the API":
            Api().post(BLOCK | {"account": "acct_harbour"})
        elif before == "a campaign":
            campaign = campaign_of(harbour.own_account)
            restrict_campaign(campaign, COORDINATED, unique_key="x", by=MACHINE, now=NOW)
        else:
            restriction(harbour.own_account)
        newest = restriction(harbour.own_account)

        said = mira.post(address(harbour, f"restrictions/{newest.number}/lift/"), {"note": "Appeal."}, follow=True)

        assert "Restriction removed." in text(said)
        assert is_let_in(front, "acct_harbour")

    def test_over_the_api_lets_in_too(self, front: Served) -> None:
        account("acct_harbour")
        api = Api()
        first, second = (api.post(BLOCK | {"account": "acct_harbour"}).json()["number"] for _ in range(2))
        assert not is_let_in(front, "acct_harbour")

        assert api.delete(f"/{second}?note=appeal").json()["lifted"] is True

        assert first < second
        assert is_let_in(front, "acct_harbour")

    def test_a_campaign_that_was_restricted_twice_lets_all_in(self, front: Served) -> None:
        campaign = campaign_of(account("acct_1"), account("acct_2"))
        api, body = Api(), BLOCK | {"campaign": str(campaign.pk)}
        api.post(body)
        api.post(body | {"reason": "coordinated_accounts"})
        assert not is_let_in(front, "acct_2")

        lifted = api.delete(f"?campaign={campaign.pk}&note=one+school").json()["lifted"]

        assert len(lifted) == 2
        assert is_let_in(front, "acct_1")
        assert is_let_in(front, "acct_2")

    def test_is_not_taken_back_when_what_stood_in_between_expires(self, front: Served) -> None:
        harbour, now = account("acct_harbour"), timezone.now()
        campaign = campaign_of(harbour)
        restrict_campaign(campaign, COORDINATED, unique_key="x", by=MACHINE, now=now - 3 * HOUR)
        restriction(harbour, at=now - 2 * HOUR, until=now - HOUR)
        Api().delete(f"?campaign={campaign.pk}&note=one+school")

        end_expired(now=now - HOUR)

        assert is_let_in(front, "acct_harbour")

    def test_of_what_stood_in_between_leaves_nothing_to_restore(self, front: Served) -> None:
        account("acct_harbour")
        api = Api()
        api.post(BLOCK | {"account": "acct_harbour"})
        middle = api.post(BLOCK | {"account": "acct_harbour"}).json()["number"]
        api.post(BLOCK | {"account": "acct_harbour", "expires_at": in_hours(1)})

        api.delete(f"/{middle}?note=appeal")

        assert_denied_until(front, "acct_harbour", hours=1)


class TestALaterRestriction:
    def test_does_not_let_in_whom_one_keeps_out_until_then(self, front: Served) -> None:
        account("acct_harbour")
        api = Api()
        api.post(BLOCK | {"account": "acct_harbour"})

        answer = api.post(BLOCK | {"account": "acct_harbour", "starts_at": "2099-01-01T00:00:00Z"})

        assert (answer.status_code, answer.json()["number"]) == (409, 1)
        assert "lift that one first" in answer.json()["detail"]
        assert not is_let_in(front, "acct_harbour")


class TestABatch:
    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "monday"}])
    def test_of_one_machine_is_another_than_that_of_the_next(self, front: Served, headers: dict[str, str]) -> None:
        for name in ("acct_1", "acct_2"):
            account(name)

        answers = [
            Api().post({"restrictions": [BLOCK | {"account": name}]}, **headers).json() for name in ("acct_1", "acct_2")
        ]

        assert [one["results"][0]["status"] for one in answers] == [201, 201]
        assert not is_let_in(front, "acct_1")
        assert not is_let_in(front, "acct_2")

    def test_blocks_again_who_was_lifted_since(self, front: Served) -> None:
        account("acct_1")
        api, batch = Api(), {"restrictions": [BLOCK | {"account": "acct_1"}]}
        number = api.post(batch).json()["results"][0]["number"]
        api.delete(f"/{number}?note=appeal")
        assert is_let_in(front, "acct_1")

        api.post(batch)

        assert not is_let_in(front, "acct_1")

    @pytest.mark.parametrize("dry_run", ["true", "false", 1, 0, None, []])
    def test_with_a_flag_that_is_none_blocks_nobody(self, front: Served, dry_run: Any) -> None:
        account("acct_1")
        one = BLOCK | {"account": "acct_1"}

        answers = [
            Api().post(one | {"dry_run": dry_run}).status_code,
            Api().post({"restrictions": [one], "dry_run": dry_run}).status_code,
            Api().post({"restrictions": [one | {"dry_run": dry_run}]}).json()["results"][0]["status"],
        ]

        assert answers == [400, 400, 400]
        assert is_let_in(front, "acct_1")
