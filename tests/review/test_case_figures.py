"""The size of its campaign, and what was harvested so far, stay with an open case: the queue filters by them."""

import pytest

from accounts.models import Account
from governance import pipeline
from governance.campaigns.models import Campaign
from governance.review.actions import reopen
from governance.review.case_figures import update_case_figures
from governance.review.case_opening import open_or_update_cases
from governance.review.models import Case
from governance.review.opening_by_hand import open_case_by_hand
from governance.review.undo import undo_decision
from governance.usage.actions import record_lines
from tests.factories import NOW, account, assessment, campaign_case, campaign_of, case, line, own_campaign, person
from tests.review.deciding import decided

pytestmark = pytest.mark.django_db


def size_of(about: Case) -> int:
    return Case.objects.get(pk=about.pk).campaign_size


def harm_of(about: Case) -> int:
    return Case.objects.get(pk=about.pk).output_tokens


@pytest.fixture
def members() -> list[Account]:
    return [account(f"acct_member_{number}") for number in range(3)]


class TestTheSizeOfTheCampaign:
    def test_is_known_of_the_case_of_a_member_and_of_the_campaign_itself(self, members: list[Account]) -> None:
        own, alone = case(members[0]), case()
        whole = campaign_case(*members)

        update_case_figures()

        assert (size_of(own), size_of(whole), size_of(alone)) == (3, 3, 0)

    def test_follows_who_joins_and_who_leaves(self, members: list[Account]) -> None:
        own, other = case(members[0]), case(members[1])
        campaign = campaign_of(*members)
        update_case_figures()

        campaign.members.filter(account=members[1]).update(left_at=NOW)
        Campaign.objects.update(size=2)
        changed = update_case_figures()

        assert (changed, size_of(own), size_of(other)) == (2, 2, 0)

    @pytest.mark.parametrize("state", ["watched", "closed"])
    def test_is_none_where_the_group_shows_no_harvest(self, members: list[Account], state: str) -> None:
        own = case(members[0])
        campaign_of(*members)
        update_case_figures()
        Campaign.objects.update(state=state)

        update_case_figures()

        assert size_of(own) == 0

    def test_is_written_only_where_it_changed(self, members: list[Account]) -> None:
        case(members[0])
        campaign_of(*members)

        assert [update_case_figures(), update_case_figures()] == [1, 0]

    def test_of_closed_cases_stays(self, members: list[Account]) -> None:
        own = case(members[0])
        decided(own)
        campaign_of(*members)

        assert update_case_figures() == 0
        assert size_of(own) == 0


class TestTheHarmSoFar:
    def test_of_an_account_is_what_it_was_assessed_by(self) -> None:
        record_lines([line(output_tokens=1400), line(output_tokens=60)], source="native", now=NOW)
        Account.objects.get()

        pipeline.govern(now=NOW, review_line=0)

        assert harm_of(Case.objects.get()) == 1460

    def test_grows_with_the_next_scoring_though_the_assessment_stays(self) -> None:
        opened = case(account("acct_harbour"))
        seen = opened.assessment
        seen.output_tokens = 5_000

        open_or_update_cases([seen], due={}, now=NOW)

        assert harm_of(opened) == 5_000
        assert opened.steps.count() == 0

    def test_is_there_in_a_case_opened_by_hand_and_in_one_reopened(self) -> None:
        quiet = account()
        assessment(quiet, score=12, band="low", output_tokens=700)

        opened = open_case_by_hand(quiet, reason="A tip.", by=person(), now=NOW)
        decided(opened)
        again = reopen(opened, by=person(), now=NOW)

        assert (harm_of(opened), harm_of(again)) == (700, 700)

    def test_is_that_of_the_newest_assessment_once_a_decision_is_undone(self) -> None:
        opened = case()
        decided(opened)
        assessment(opened.own_account, output_tokens=900)

        undo_decision(opened, note="A mistake.", by=person(), now=NOW)

        assert harm_of(opened) == 900

    def test_of_a_campaign_is_that_of_all_members_together(self, members: list[Account]) -> None:
        whole = campaign_case(*members)
        for number, member in enumerate(members, 1):
            assessment(member, output_tokens=100 * number)
        left = own_campaign(whole).members.filter(account=members[0])

        update_case_figures()
        before = harm_of(whole)
        left.update(left_at=NOW)
        update_case_figures()

        assert (before, harm_of(whole)) == (600, 500)
