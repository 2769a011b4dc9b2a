"""Accounts are ticked in lists, and looked at before anything is decided about them."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from governance.restrictions.models import Restriction
from governance.review.actions import claim
from governance.review.holding import escalate
from governance.review.models import MOST_AT_ONCE, BulkDecision, Case
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import (
    NOW,
    account,
    assessment,
    campaign_case,
    campaign_of,
    case,
    person,
    restriction,
    training_licence,
)
from tests.review.bulk import carry_on, five_with_cases, started
from tests.review.case_work import words
from tests.review.pages import signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


@pytest.fixture
def five() -> list[Account]:
    return five_with_cases()


@pytest.fixture
def user() -> User:
    return person()


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)


def preview(client: Client, accounts: list[Account]) -> str:
    return words(client.post("/bulk/", {"accounts": [one.pk for one in accounts]}, follow=True))


class TestALine:
    def test_of_the_queue_has_a_box_with_its_account(self, client: Client, five: list[Account]) -> None:
        page = text(client.get("/queue/"))

        for one in five:
            assert f'name="accounts" value="{one.pk}" form="bulk" aria-label="Tick {one.external_id}"' in page

    def test_of_a_campaign_says_why_it_cannot_be_ticked(self, client: Client) -> None:
        campaign_case(account(), account())

        page = text(client.get("/queue/"))

        assert 'name="accounts" value' not in page.replace('name="accounts" value=""', "")
        assert 'title="Campaigns are decided on their own page, where their members are ticked."' in page

    @pytest.mark.parametrize("list_address", ["/accounts/", "/search/?q=acct_", "/organisations/org_1/"])
    def test_of_accounts_has_one_too(self, client: Client, five: list[Account], list_address: str) -> None:
        page = text(client.get(list_address))

        assert f'name="accounts" value="{five[1].pk}" form="bulk"' in page
        assert 'id="bulk"' in page

    @pytest.mark.parametrize("list_address", ["/queue/", "/accounts/", "/search/?q=acct_"])
    def test_has_none_for_who_may_not_decide(self, five: list[Account], list_address: str) -> None:
        page = text(signed_in(person(role=Role.AUDITOR)).get(list_address))

        assert 'form="bulk"' not in page
        assert 'id="bulk"' not in page

    def test_that_is_decided_has_none(self, client: Client, five: list[Account]) -> None:
        started(five)
        carry_on()

        assert 'form="bulk"' not in text(client.get("/queue/?view=decided"))


class TestThePreview:
    def test_says_whom_it_hits_and_changes_nothing(self, client: Client, five: list[Account]) -> None:
        Account.objects.filter(pk=five[0].pk).update(plan="scale", country="DE")
        training_licence(five[0])
        restriction(five[1], Restriction.Kind.WARN)
        Case.objects.filter(account=five[2]).update(held_until=NOW + timedelta(days=1), held_by=person())
        claim(Case.objects.get(account=five[3]), by=person("Jonas Lind"), now=NOW)
        campaign_case(five[4], account())
        escalate(Case.objects.get(account=five[0]), because="May we?", by=person("Ada Moreau"), now=NOW)

        page = preview(client, five)

        assert "Decide about 5 accounts?" in page
        for tile in (
            "<b>5</b> accounts",
            "<b>1</b> with a licence to train",
            "<b>1</b> restricted already",
            "<b>1</b> on hold",
            "<b>1</b> claimed by colleagues",
            "<b>1</b> in a campaign",
        ):
            assert tile in page
        assert "skipped: the leads are asked" in page
        assert "open</a>, on hold" in page
        assert "Plans: unknown 4, scale 1." in page
        assert 'With a licence that permits training: <span class="mono">' in page
        assert "3 will be skipped as things are now" in page
        assert "skipped: claimed by Jonas Lind" in page
        assert "skipped: part of its campaign’s case" in page
        assert "82 critical" in page
        assert "DE" in page
        assert not BulkDecision.objects.exists()

    def test_says_which_share_of_the_traffic_of_members_carries_no_evidence(
        self, client: Client, five: list[Account]
    ) -> None:
        watched = campaign_of(*five[:2])
        watched.state = "watched"
        watched.save()
        watched.members.update(ties={"wrappers": 0.75})

        assert "<b>25 %</b> of the traffic of those in a campaign carries no evidence" in preview(client, five)

    def test_says_for_whom_a_case_is_opened_and_for_whom_none_can_be(self, client: Client) -> None:
        quiet, new = account("acct_quiet"), account("acct_new")
        assessment(quiet, score=12, band="low")

        page = preview(client, [quiet, new])

        assert "1 has no open case: for each, one is opened and decided." in page
        assert "skipped: never scored" in page

    def test_says_how_many_of_the_ticked_do_not_exist(self, client: Client, five: list[Account]) -> None:
        page = words(client.get(f"/bulk/?accounts={five[0].pk},999999999"))

        assert "1 of the ticked accounts does not exist any more." in page

    def test_has_an_address_that_can_be_loaded_again(self, client: Client, five: list[Account]) -> None:
        pks = [one.pk for one in five]

        answer = client.post("/bulk/", {"accounts": [*pks, f"{pks[0]},{pks[1]}"]})

        assert answer.headers["Location"] == f"/bulk/?accounts={','.join(map(str, pks))}"

    def test_without_any_account_says_where_to_tick(self, client: Client) -> None:
        assert "No account is ticked." in words(client.post("/bulk/", follow=True))

    def test_of_too_many_says_how_many_to_untick(self, client: Client) -> None:
        answer = client.post("/bulk/", {"accounts": ",".join(map(str, range(1, MOST_AT_ONCE + 13)))})

        assert answer.status_code == 422

    def test_takes_twelve_queries_at_most(
        self, client: Client, five: list[Account], django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        many = [*five, *(case(account(organisation="org_many")).own_account for _ in range(20))]
        pks = ",".join(str(one.pk) for one in many)

        # 1 session, 2 user; 3 newest decision, 4 accounts, 5 cases, 6 licences, 7 restrictions, 8 memberships,
        # 9 campaigns with a case; 10 reasons offered
        with django_assert_num_queries(10):
            client.get(f"/bulk/?accounts={pks}")

    def test_is_only_for_who_may_decide(self, five: list[Account]) -> None:
        assert signed_in(person(role=Role.AUDITOR)).get("/bulk/").status_code == 403
