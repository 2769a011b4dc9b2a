"""Campaigns from the first door, usage that comes in, to what a reviewer reads."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest

from accounts.models import Account
from governance.campaigns.explanation import explanation_note
from governance.campaigns.models import Campaign, CampaignMember, CampaignSearch
from governance.campaigns.store import _match_campaigns, count_changes, search_campaigns
from governance.detection.models import Assessment
from governance.platform.locks import Lock
from tests.campaigns.traffic import ALL_TASKS, HEADS, WRAPPERS, govern, prompts_of, send
from tests.factories import NOW, account, training_licence
from tests.gateways.somebody_else import somebody_else_has


def harvest(*accounts: str, first: int = 0, each: int = 30, start: int = 0) -> None:
    """Let these accounts divide one collection among them, from its part number `first` on."""
    send(accounts, lambda place, number: prompts_of(first + place, number), each=each, start=start)


def members(campaign: Campaign) -> set[str]:
    return set(campaign.members.current().values_list("account__external_id", flat=True))


def latest(account: str) -> Assessment:
    return Assessment.objects.filter(account__external_id=account).latest_of_each().get()


def detectors_of(assessment: Assessment) -> set[str]:
    return {finding["detector"] for finding in assessment.findings}


def on_one_card(accounts: Sequence[str]) -> None:
    for name in accounts:
        account(name, organisation=f"org_{name}", payment_fingerprint="card_1")


@pytest.mark.django_db
class TestACampaign:
    def test_is_found_and_explained_where_accounts_share_wrappers_and_divide_the_work(self) -> None:
        harvest(*HEADS)

        govern()

        campaign = Campaign.objects.get()
        assert campaign.state == Campaign.State.OPEN, campaign.watched_because
        assert members(campaign) == set(HEADS)
        assert sum(finding["points"] for finding in campaign.findings) == campaign.score >= 31
        for head in HEADS:
            assert latest(head).campaign == campaign.pk
            assert "acts_with_others" in detectors_of(latest(head))
            assert latest(head).response == "case"
        note = " ".join(explanation_note(Account.objects.get(external_id="acct_a")).split())
        assert "5 accounts of 5 organisations open or close all of their prompts" in note
        assert "Among users of one public evaluation it is 40 % or more" in note
        assert "acct_b" in note

    def test_puts_a_member_before_a_reviewer_that_has_hardly_begun(self) -> None:
        harvest(*HEADS)
        govern()

        harvest("acct_f", first=5, each=6)
        govern()

        assert latest("acct_f").response == "case"
        assert "acts_with_others" in detectors_of(latest("acct_f"))

    def test_takes_in_an_account_without_text_that_its_card_pays_for(self) -> None:
        on_one_card([*HEADS, "acct_mute"])
        harvest(*HEADS)
        send(["acct_mute"], lambda _place, _number: None)

        govern()

        assert members(Campaign.objects.get()) == {*HEADS, "acct_mute"}

    def test_stays_the_same_as_members_come_and_leaves_out_a_licensed_distiller(self) -> None:
        harvest(*HEADS)
        govern()
        before = Campaign.objects.get()

        training_licence(Account.objects.get(external_id="acct_e"))
        harvest("acct_f", "acct_g", first=5)
        govern()

        assert Campaign.objects.get() == before
        assert members(before) == {"acct_a", "acct_b", "acct_c", "acct_d", "acct_f", "acct_g"}
        left = CampaignMember.objects.get(account__external_id="acct_e", left_out_because="")
        assert left.left_at == NOW

    @pytest.mark.parametrize("state", [Campaign.State.OPEN, Campaign.State.WATCHED])
    def test_is_closed_when_nobody_is_left_in_it(self, state: Campaign.State) -> None:
        if state == Campaign.State.WATCHED:
            for name in HEADS:
                account(name, organisation=f"org_{name}", email_domain="uni.example")
        harvest(*HEADS)
        govern()
        before = Campaign.objects.get()
        for one in Account.objects.all():
            training_licence(one)
        count_changes(len(HEADS))

        rescored = search_campaigns(now=NOW)

        after = Campaign.objects.get()
        assert (before.state, after.state) == (state, Campaign.State.CLOSED)
        assert (after.size, after.closed_at, members(after)) == (0, NOW, set())
        assert rescored == (len(HEADS) if state == Campaign.State.OPEN else 0)

    def test_is_searched_for_by_one_process_at_a_time(self) -> None:
        harvest(*HEADS)
        with somebody_else_has(Lock.CAMPAIGN_SEARCH):
            govern()
            meanwhile = Campaign.objects.count()

        govern()

        assert (meanwhile, Campaign.objects.count()) == (0, 1)

    def test_is_searched_for_no_more_than_its_traffic_asks_for(self) -> None:
        harvest(*HEADS)
        govern()
        searched_at = CampaignSearch.objects.get().searched_at

        govern(NOW + timedelta(hours=1))

        assert CampaignSearch.objects.get().searched_at == searched_at


def test_of_the_groups_that_a_campaign_fell_into_the_largest_goes_on_with_it() -> None:
    first, second = uuid.UUID(int=1), uuid.UUID(int=2)
    was_in = dict.fromkeys(range(1, 6), first) | {6: second}

    assert _match_campaigns([{1, 2, 3}, {4, 5, 6}, {7}], was_in) == {0: first, 1: second}


@pytest.mark.django_db
class TestAGroupThatIsNoCampaign:
    @staticmethod
    def is_watched(because: str) -> bool:
        campaign = Campaign.objects.get()
        explanation = explanation_note(Account.objects.get(external_id="acct_a"))
        return (
            campaign.state == Campaign.State.WATCHED
            and because in campaign.watched_because
            and because in " ".join(explanation.split())
            and not Assessment.objects.filter(campaign__isnull=False).exists()
        )

    def test_runs_the_same_public_evaluation(self) -> None:
        send(HEADS, lambda _place, number: WRAPPERS[number % 3].format(ALL_TASKS[number]))

        govern()

        assert self.is_watched("Members send the same prompts")

    def test_is_one_institution(self) -> None:
        for name in HEADS:
            account(name, organisation=f"org_{name}", email_domain="uni.example")
        harvest(*HEADS)

        govern()

        assert self.is_watched("one e-mail domain")

    def test_does_ordinary_work_with_one_public_tool(self) -> None:
        jobs = ("Classify this message by urgency. Label:", "Translate into German:", "Summarise the visit:")

        def visit(place: int, number: int) -> str:
            return f"{jobs[number % 3]}\n\n{ALL_TASKS[40 * place + number].lower()}, we were told at the desk"

        send(HEADS, visit, temperature=0, max_tokens=40)

        govern()

        assert self.is_watched("do not read like a harvest")
        assert not Assessment.objects.flagged().exists()
