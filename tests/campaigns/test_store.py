"""Campaigns in the database, from usage that comes in."""

import json
from datetime import datetime, timedelta

import pytest

from accounts.models import Account
from governance import pipeline
from governance.campaigns.explanation import explanation_note
from governance.campaigns.models import Campaign, CampaignMember, Link
from governance.detection.models import Assessment
from governance.usage.actions import record_lines
from tests.factories import NOW, training_licence, usage_event

WRAPPERS = (
    "Answer the following at length, covering every side of it.\n\n{}",
    "Task: {}\nGive a full and detailed reply with all of your reasoning.",
    "### Assignment\n{}\n\nThink it through step by step before the answer:",
)
SUBJECTS = (
    "the tides of {} and the moon", "why bread rises in {}", "a sonnet on {} and autumn", "how {} vote in parliament",
    "sorting {} in linear time", "the causes of the war of {}", "a recipe with {} and lemon", "the price of {} futures",
    "how {} cells divide", "the rules of {} football", "what {} say about free will", "repairing {} engines at home",
)  # fmt: skip


def harvest_lines(*accounts: str, each: int = 30, start: int = 0, at: datetime = NOW) -> list[bytes]:
    """The accounts divide new questions on everything among them, in the same wrappers by turns."""
    lines = []
    for place, account in enumerate(accounts):
        for number in range(start, start + each):
            topic = SUBJECTS[(number + place) % len(SUBJECTS)].format(f"{account[-1]}{number} {number * 7919 % 997}")
            content = WRAPPERS[number % len(WRAPPERS)].format(topic)
            event = usage_event(
                id=f"{account}-{number}",
                account=account,
                organisation=f"org_{account}",
                occurred_at=(at - timedelta(hours=1) + timedelta(minutes=number % 50)).isoformat(),
                parameters={"temperature": 1.0, "max_tokens": 900},
                messages=[{"role": "user", "content": content}],
            )
            lines.append(json.dumps(event).encode())
    return lines


def harvest(*accounts: str, each: int = 30, start: int = 0, at: datetime = NOW) -> None:
    record_lines(harvest_lines(*accounts, each=each, start=start, at=at), source="native", now=at)


def govern(at: datetime = NOW) -> None:
    while pipeline.govern(now=at):
        pass


def members(campaign: Campaign) -> set[str]:
    return set(campaign.members.current().values_list("account__external_id", flat=True))


HEADS = ("acct_a", "acct_b", "acct_c", "acct_d", "acct_e")


@pytest.mark.django_db
class TestACampaign:
    def test_is_found_among_accounts_that_share_wrappers_and_divide_the_prompts(self) -> None:
        harvest(*HEADS)

        govern()

        campaign = Campaign.objects.get()
        assert campaign.state == Campaign.State.OPEN
        assert members(campaign) == set(HEADS)
        assert campaign.score >= 50

    def test_counts_for_each_of_its_members_and_names_itself(self) -> None:
        harvest(*HEADS)

        govern()

        for assessment in Assessment.objects.latest_of_each():
            assert assessment.campaign == Campaign.objects.get().pk
            assert "campaign_member" in {finding["detector"] for finding in assessment.findings}

    def test_puts_a_member_before_a_reviewer_that_has_hardly_begun(self) -> None:
        harvest(*HEADS)
        govern()

        harvest("acct_f", each=6)
        govern()

        newcomer = Assessment.objects.filter(account__external_id="acct_f").latest_of_each().get()
        assert newcomer.response == "case"
        assert any("Over 6 accounts of its campaign" in finding["sentence"] for finding in newcomer.findings)

    def test_stays_the_same_as_members_come(self) -> None:
        harvest(*HEADS)
        govern()
        before = Campaign.objects.get()

        harvest("acct_f", "acct_g")
        govern()

        assert Campaign.objects.get() == before
        assert members(before) == {*HEADS, "acct_f", "acct_g"}

    def test_remembers_who_left(self) -> None:
        harvest(*HEADS, each=12)
        govern()
        leaver = Account.objects.get(external_id="acct_e")
        Link.objects.touching([leaver.pk]).delete()

        harvest("acct_a", start=100, each=40)
        govern()

        membership = CampaignMember.objects.filter(account=leaver).earliest("joined_at")
        assert membership.left_at == NOW
        assert members(membership.campaign) == {"acct_a", "acct_b", "acct_c", "acct_d"}

    def test_leaves_out_a_licensed_distiller_and_says_why(self) -> None:
        harvest(*HEADS, each=1)
        training_licence(Account.objects.get(external_id="acct_e"))
        harvest(*HEADS, start=1)

        govern()

        campaign = Campaign.objects.get()
        assert members(campaign) == {"acct_a", "acct_b", "acct_c", "acct_d"}
        left_out = campaign.members.left_out().get()
        assert left_out.account.external_id == "acct_e"
        assert left_out.left_out_because == "A licence permits training on the answers."

    def test_is_told_in_the_note_on_an_account(self) -> None:
        harvest(*HEADS)
        govern()

        told = explanation_note(Account.objects.get(external_id="acct_a"))

        assert "A person decides" in told
        assert "5 accounts" in told
        assert "acct_b" in told


@pytest.mark.django_db
class TestAGroupThatHarvestsNothing:
    def test_is_watched_and_counts_for_nothing(self) -> None:
        jobs = ("Classify this message by urgency. Label:", "Translate into German:", "Summarise the visit:")
        lines = []
        for clinic in HEADS:
            for number in range(30):
                content = f"{jobs[number % 3]}\n\n{SUBJECTS[number % 12].format(f'{clinic} {number * 31}')}"
                event = usage_event(
                    id=f"{clinic}-{number}",
                    account=clinic,
                    organisation=f"org_{clinic}",
                    parameters={"temperature": 0, "max_tokens": 40},
                    messages=[{"role": "user", "content": content}],
                )
                lines.append(json.dumps(event).encode())
        record_lines(lines, source="native", now=NOW)

        govern()

        assert Campaign.objects.get().state == Campaign.State.WATCHED
        assert not Assessment.objects.filter(campaign__isnull=False).exists()
        assert not Assessment.objects.flagged().exists()
