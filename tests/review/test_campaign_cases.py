"""A campaign that shows a harvest has one case, and the cases of its members are part of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Account
from governance.campaigns.models import Campaign
from governance.review.actions import claim, decide, reopen
from governance.review.campaign_cases import join_and_leave, update_campaign_cases
from governance.review.case_opening import open_or_update_cases
from governance.review.models import CLAIM_LASTS, Case, Decision, Step
from governance.review.undo import undo_decision
from governance.review.verdicts import PartOfCampaignError
from tests.factories import NOW, account, assessment, campaign_of, case, person, restriction, ticks
from tests.review.deciding import BLOCK, BLOCK_CAMPAIGN, DISMISS, DISMISS_CAMPAIGN, decide_all, decided
from tests.review.pages import address, signed_in, text

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
MEMBERS = 4


@pytest.fixture
def members() -> list[Account]:
    """The first has the highest score."""
    accounts = [account(f"acct_{number}") for number in range(MEMBERS)]
    for number, one in enumerate(accounts):
        assessment(one, score=90 - number)
    return accounts


@pytest.fixture
def campaign(members: list[Account]) -> Campaign:
    return campaign_of(*members)


def opened(campaign: Campaign) -> Case:
    update_campaign_cases(now=NOW)
    join_and_leave(now=NOW)
    return campaign.cases.get(status=Case.Status.OPEN)


def joins(campaign: Campaign, name: str = "acct_new", **fields: Any) -> Account:
    """A member who joins later than all others."""
    new = account(name, **fields)
    assessment(new, score=88)
    campaign.members.create(account=new, joined_at=LATER, tied_to=3, strength=1.0, ties={})
    return new


def test_without_members_it_is_not_reopened(campaign: Campaign, members: list[Account]) -> None:
    own = opened(campaign)
    decide_all(own, DISMISS_CAMPAIGN)
    campaign.members.update(left_at=NOW)
    Campaign.objects.update(size=0)

    response = signed_in(person()).post(address(own, "reopen/"))

    assert response.status_code == 409
    assert "No account belongs to this campaign any more." in text(response)
    assert not Case.objects.filter(campaign=campaign, status=Case.Status.OPEN).exists()


class TestOpening:
    def test_opens_one_case_as_urgent_as_the_member_with_the_highest_score(
        self, campaign: Campaign, members: list[Account]
    ) -> None:
        for _ in range(2):
            update_campaign_cases(now=NOW)

        own = Case.objects.get()
        assert (own.campaign, own.account, own.score, own.band) == (campaign, None, 90, "critical")
        assert own.assessment == members[0].assessments.get()
        assert own.due_at == NOW + timedelta(hours=4)
        assert own.steps.get().kind == Step.Kind.OPENED

    @pytest.mark.parametrize("state", [Campaign.State.WATCHED, Campaign.State.CLOSED])
    def test_opens_none_for_a_group_that_shows_no_harvest(self, campaign: Campaign, state: Campaign.State) -> None:
        Campaign.objects.update(state=state)

        update_campaign_cases(now=NOW)

        assert not Case.objects.exists()

    def test_opens_none_where_every_member_is_refused_already(self, campaign: Campaign, members: list[Account]) -> None:
        for one in members:
            restriction(one)

        update_campaign_cases(now=NOW)

        assert not Case.objects.exists()

    def test_follows_the_highest_score_and_is_due_no_later(self, campaign: Campaign, members: list[Account]) -> None:
        own = opened(campaign)
        assessment(members[2], score=97, at=LATER)

        update_campaign_cases(now=LATER)

        own.refresh_from_db()
        assert (own.score, own.due_at) == (97, NOW + timedelta(hours=4))
        assert own.steps.filter(kind=Step.Kind.RESCORED).count() == 1

    def test_ends_undecided_where_the_campaign_shows_no_harvest_any_more(
        self, campaign: Campaign, members: list[Account]
    ) -> None:
        part = case(members[0])
        own = opened(campaign)
        Campaign.objects.update(state=Campaign.State.WATCHED)

        update_campaign_cases(now=LATER)
        join_and_leave(now=LATER)

        own.refresh_from_db()
        assert (own.status, own.closed_at) == (Case.Status.ENDED, LATER)
        assert list(Case.objects.waiting()) == [part]


class TestCasesOfMembers:
    def test_are_part_of_it_and_in_no_list_by_themselves(self, campaign: Campaign, members: list[Account]) -> None:
        parts, alone = [case(one) for one in members[:2]], case(account("acct_solo"))

        own = opened(campaign)

        assert set(own.parts.all()) == set(parts)
        assert set(Case.objects.waiting()) == {own, alone}
        assert parts[0].steps.get().kind == Step.Kind.JOINED

    def test_join_when_their_account_does(self, campaign: Campaign) -> None:
        own = opened(campaign)
        later = case(joins(campaign))

        join_and_leave(now=LATER)

        assert list(own.parts.all()) == [later]

    def test_leave_when_their_account_does(self, campaign: Campaign, members: list[Account]) -> None:
        part = case(members[0])
        own = opened(campaign)
        campaign.members.filter(account=members[0]).update(left_at=LATER)

        join_and_leave(now=LATER)

        assert set(Case.objects.waiting()) == {own, part}
        assert part.steps.filter(kind=Step.Kind.LEFT).exists()

    def test_join_when_nobody_has_claimed_them(self, campaign: Campaign, members: list[Account]) -> None:
        part = case(members[0])
        claim(part, by=person(), now=NOW)

        own = opened(campaign)
        while_claimed = set(Case.objects.waiting())
        join_and_leave(now=NOW + CLAIM_LASTS)

        assert (while_claimed, set(Case.objects.waiting())) == ({own, part}, {own})

    def test_are_decided_with_it(self, campaign: Campaign, members: list[Account]) -> None:
        part = case(members[1])
        own = opened(campaign)

        decision = decide_all(own)

        part.refresh_from_db()
        assert (part.status, part.resolved_by) == (Case.Status.DECIDED, decision)
        assert "the campaign of 4 accounts" in part.steps.get(kind=Step.Kind.RESOLVED).text

    def test_of_those_left_out_are_in_the_queue_again(self, campaign: Campaign, members: list[Account]) -> None:
        part = case(members[3])
        own = opened(campaign)

        decide_all(own, without=[members[3]])
        join_and_leave(now=LATER)

        assert list(Case.objects.waiting()) == [part]
        assert "Left out of the decision on its campaign. A school." in part.steps.get(kind=Step.Kind.LEFT).text

    def test_are_part_of_it_again_when_its_decision_is_undone(self, campaign: Campaign, members: list[Account]) -> None:
        parts = [case(members[0]), case(members[3])]
        own = opened(campaign)
        decide_all(own, without=[members[3]])

        undo_decision(own, note="A slip.", by=person(), now=NOW)
        join_and_leave(now=NOW)

        assert set(own.parts.all()) == set(parts)
        assert list(Case.objects.waiting()) == [own]

    def test_are_decided_by_themselves_where_a_person_looks_at_one_of_them(
        self, campaign: Campaign, members: list[Account]
    ) -> None:
        part = case(members[0])
        own = opened(campaign)

        made = decided(part, DISMISS)
        own.refresh_from_db()

        assert (made.scope, own.status) == (Decision.Scope.ACCOUNT, Case.Status.OPEN)

    def test_are_not_decided_as_one_of_many(self, campaign: Campaign) -> None:
        part = case(joins(campaign, organisation="org_quay"))
        opened(campaign)

        with pytest.raises(PartOfCampaignError):
            decide(part, BLOCK, decision_id=uuid4(), by=person(), now=NOW, is_one_of_many=True)

        assert not Decision.objects.exists()

    def test_say_on_their_page_that_the_campaign_is_decided_as_one(
        self, campaign: Campaign, members: list[Account]
    ) -> None:
        part = case(members[0])
        opened(campaign)

        page = text(signed_in(person()).get(address(part)))

        assert 'name="action"' in page
        assert f'<a href="/campaigns/{campaign.pk}/">' in page
        assert "You can also decide about this account alone." in page

    def test_decided_for_the_whole_campaign_decides_that_of_the_campaign_too(
        self, campaign: Campaign, members: list[Account]
    ) -> None:
        part = case(members[0])
        own = opened(campaign)

        decision = decided(part, BLOCK_CAMPAIGN)

        own.refresh_from_db()
        assert (own.status, own.resolved_by) == (Case.Status.DECIDED, decision)
        assert decision.targets.covered().count() == MEMBERS


class TestAfterADecision:
    def test_a_new_member_is_proposed_by_another_case_and_not_restricted(self, campaign: Campaign) -> None:
        decide_all(opened(campaign))
        new = joins(campaign)

        again = opened(campaign)

        assert "1 new since the last decision" in again.steps.get().text
        assert not new.restrictions.exists()

    def test_no_case_is_opened_while_nobody_new_is_in_it(self, campaign: Campaign, members: list[Account]) -> None:
        decide_all(opened(campaign), without=[members[0]])

        update_campaign_cases(now=NOW + timedelta(days=60))

        assert not Case.objects.filter(status=Case.Status.OPEN).exists()

    def test_a_dismissed_campaign_rests_though_members_join(self, campaign: Campaign) -> None:
        own = opened(campaign)
        decide(own, DISMISS_CAMPAIGN, decision_id=own.pk, by=person(), now=NOW, ticks=ticks(own))
        joins(campaign)

        update_campaign_cases(now=LATER)
        within = Case.objects.filter(status=Case.Status.OPEN).exists()
        update_campaign_cases(now=NOW + timedelta(days=14))

        assert (within, Case.objects.filter(status=Case.Status.OPEN).exists()) == (False, True)

    def test_a_dismissed_member_gets_no_case_of_its_own_for_the_same_evidence(
        self, campaign: Campaign, members: list[Account]
    ) -> None:
        own = opened(campaign)
        decide(own, DISMISS_CAMPAIGN, decision_id=own.pk, by=person(), now=NOW, ticks=ticks(own))
        again = assessment(members[1], score=90, at=LATER)

        assert not open_or_update_cases([again], due={members[1].pk: LATER}, now=LATER)
        worse = assessment(members[1], score=99, at=LATER)
        assert open_or_update_cases([worse], due={members[1].pk: LATER}, now=LATER)

    def test_it_can_be_reopened_by_hand(self, campaign: Campaign) -> None:
        own = opened(campaign)
        decide_all(own)

        again = reopen(own, by=person(), now=LATER)

        own.refresh_from_db()
        assert (again.campaign, again.status) == (campaign, Case.Status.OPEN)
        assert reopen(own, by=person(), now=LATER) == again
