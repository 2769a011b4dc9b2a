"""The case page: its history, the decision panel, the campaign and the next case."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from governance.campaigns.models import Campaign, CampaignMember
from governance.restrictions.reasons import Reason
from governance.review.actions import add_note, claim, decide
from governance.review.models import ACTIONS, Decision, Dismissal
from governance.review.verdicts import Verdict
from governance.staff.roles import Role
from tests.factories import (
    FINDING,
    NOW,
    account,
    case,
    person,
)
from tests.review.case_page import page_of
from tests.review.deciding import BLOCK
from tests.review.deciding import decided as decide_on
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]

DISMISS = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)


def campaign_with(*members: Account, state: Campaign.State = Campaign.State.OPEN) -> Campaign:
    together = FINDING | {"points": 22, "sentence": "Over all of them: ever-new questions.", "evidence": {}}
    campaign = Campaign.objects.create(
        first_seen_at=NOW, opened_at=NOW, size=len(members), state=state, score=80, findings=[together]
    )
    CampaignMember.objects.bulk_create(
        CampaignMember(
            campaign=campaign, account=one, joined_at=NOW, tied_to=len(members) - 1, strength=1.0,
            ties={"wrappers": 1.0, "card": 0.1},
        )
        for one in members
    )  # fmt: skip
    return campaign


class TestHistory:
    def test_tells_who_did_what(self) -> None:
        opened = case()
        add_note(opened, text="Asked the account manager.", by=person("Jonas Lindqvist"), now=NOW)

        page = page_of(opened)

        assert "Jonas Lindqvist" in page
        assert "Asked the account manager." in page

    def test_holds_earlier_decisions_about_the_account(self) -> None:
        harbour = account("acct_harbour")
        earlier = case(harbour)
        decide(earlier, DISMISS, decision_id=uuid.uuid4(), by=person("Jonas Lindqvist"), now=NOW)

        page = page_of(case(harbour, score=95))

        assert address(earlier) in page
        assert "Earlier decisions" in page

    def test_lists_no_later_decision_as_an_earlier_one(self) -> None:
        harbour, jonas = account("acct_harbour"), person("Jonas Lindqvist")
        cases = []
        for place in range(3):
            cases.append(case(harbour))
            decide(cases[-1], DISMISS, decision_id=uuid.uuid4(), by=jonas, now=NOW + timedelta(hours=place))
        first, second, third = cases

        page = page_of(second)

        assert address(first) in page
        assert address(third) not in page
        assert "Earlier decisions" not in page_of(first)

    def test_shows_its_own_decision_however_many_came_later(self) -> None:
        harbour, jonas = account("acct_harbour"), person("Jonas Lindqvist")
        first = case(harbour)
        decide(first, DISMISS, decision_id=uuid.uuid4(), by=jonas, now=NOW)
        for place in range(10):
            decide(case(harbour), DISMISS, decision_id=uuid.uuid4(), by=jonas, now=NOW + timedelta(hours=place + 1))

        assert "Dismissed" in page_of(first)


class TestTheDecisionPanel:
    def test_offers_every_action(self) -> None:
        page = page_of(case())

        for action in ACTIONS:
            assert f'name="action" value="{action}"' in page

    def test_is_the_decision_once_there_is_one(self) -> None:
        opened = case()
        decide(opened, DISMISS, decision_id=uuid.uuid4(), by=person("Jonas Lindqvist"), now=NOW)

        page = page_of(opened)

        assert "Dismissed" in page
        assert "Jonas Lindqvist" in page
        assert 'name="action"' not in page

    def test_says_who_works_on_the_case(self) -> None:
        opened = case()
        claim(opened, by=person("Jonas Lindqvist"), now=NOW)

        page = page_of(opened)

        assert "Jonas Lindqvist is working on this" in page
        assert 'name="action"' not in page
        assert "to-decide button" not in page
        assert "Claimed by Jonas Lindqvist" in page
        assert 'You can <a href="#history">add a note</a> or go on to the next case' in page

    def test_offers_an_auditor_nothing_to_press(self) -> None:
        page = page_of(case(), role=Role.AUDITOR)

        for what in ("decide/", "claim/", "note/"):
            assert what not in page


class TestACampaign:
    def test_is_shown_with_its_members_and_those_left_out(self) -> None:
        opened, licensed = case(account("acct_head_1")), account("acct_distiller")
        campaign = campaign_with(opened.own_account, account("acct_head_2"), account("acct_head_3"))
        CampaignMember.objects.create(
            campaign=campaign, account=licensed, joined_at=NOW, tied_to=3, strength=1.0, ties={"wrappers": 1.0},
            left_out_because="A licence permits training on the answers.",
        )  # fmt: skip

        page = page_of(opened)

        assert "Campaign of 3 accounts, with this one" in page
        assert re.search(r"tied directly to\s+\d of the others", page)
        assert "acct_head_2" in page
        assert "prompts open or close in the same words" in page
        assert "Over all of them: ever-new questions." in page
        assert "A licence permits training on the answers." in page

    @pytest.mark.parametrize(
        ("then", "said"),
        [(12, "The campaign has 2 accounts now; a decision about it covers these."), (2, ""), (None, "")],
    )
    def test_says_how_many_it_has_now_where_a_finding_counted_others(self, then: int | None, said: str) -> None:
        opened = case(account("acct_head_1"))
        campaign_with(opened.own_account, account("acct_head_2"))
        sentence = f"Over {then} accounts of its campaign: ever-new questions."
        evidence = {} if then is None else {"accounts": then, "campaign_wide": True}
        opened.assessment.findings = [FINDING | {"sentence": sentence, "evidence": evidence}]
        opened.assessment.save()

        page = page_of(opened)

        assert ("Campaign figures are from the last assessment" in page) is bool(said)
        assert said in page

    def test_says_where_the_campaign_that_a_finding_counts_is_over(self) -> None:
        opened = case(account("acct_head_1"))
        together = FINDING | {"family": "together", "evidence": {"members": 12, "tied_to": 3}}
        opened.assessment.findings = [together]
        opened.assessment.save()

        assert "The account is not in an open campaign now." in page_of(opened)

    def test_leads_from_member_to_member(self) -> None:
        opened, other = case(account("acct_head_1")), case(account("acct_head_2"))
        campaign_with(opened.own_account, other.own_account)

        assert f'href="{address(other)}"' in page_of(opened)

    def test_costs_no_more_queries(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        opened, client = case(account("acct_head_1")), signed_in(person())
        campaign_with(opened.own_account, account("acct_head_2"))

        # as of every case, but 6 the campaign
        with django_assert_num_queries(9):
            client.get(address(opened))

    def test_costs_few_queries_after_a_decision_too(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        opened, client = case(account("acct_head_1", organisation="org_quay")), signed_in(person())
        campaign_with(opened.own_account, account("acct_head_2"))
        decide_on(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN), by=person())

        # as of every case of a campaign, and 10 to 12 where it is in force
        with django_assert_max_num_queries(12):
            client.get(address(opened))

    def test_is_not_shown_where_the_group_harvests_nothing(self) -> None:
        opened = case(account("acct_client_1"))
        campaign_with(opened.own_account, account("acct_client_2"), state=Campaign.State.WATCHED)

        assert "Campaign:" not in page_of(opened)


class TestTheNextCase:
    def test_is_the_first_after_one_that_is_left_undecided(self) -> None:
        first, second = case(score=95), case(score=90)
        case(score=99)

        response = signed_in(person()).get(f"/cases/next/?after={first.pk}")

        assert response["Location"] == address(second)

    def test_is_the_top_of_the_queue_after_a_decision(self) -> None:
        top, decided = case(score=99), case(score=90)
        decide(decided, DISMISS, decision_id=uuid.uuid4(), by=person(), now=NOW)

        response = signed_in(person()).get(f"/cases/next/?after={decided.pk}")

        assert response["Location"] == address(top)

    def test_starts_at_the_top_again_after_the_last(self) -> None:
        top, last = case(score=99), case(score=60)

        response = signed_in(person()).get(f"/cases/next/?after={last.pk}")

        assert response["Location"] == address(top)

    def test_is_none_that_somebody_else_has_claimed(self) -> None:
        taken, free = case(score=99), case(score=60)
        claim(taken, by=person("Jonas Lindqvist"), now=NOW)

        assert signed_in(person()).get("/cases/next/")["Location"] == address(free)

    def test_is_the_queue_when_nothing_waits(self) -> None:
        client = signed_in(person())

        assert client.get("/cases/next/")["Location"] == "/queue/"
        assert client.get("/cases/next/", headers=by_htmx("case"))["HX-Redirect"] == "/queue/"
        assert "No cases waiting." in text(client.get("/queue/"))
