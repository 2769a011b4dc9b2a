"""What staff decided about accounts still counts after their campaigns were split or merged by hand."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Account
from governance.campaigns.regrouping import merge_campaigns, split_campaign
from governance.review.campaign_cases import update_campaign_cases
from governance.review.handing_out import claim_next, find_next_case
from governance.review.models import Case
from governance.review.queue_filters import QueueFilter
from governance.review.reopening_rules import QUIET_FOR
from tests.factories import NOW, account, campaign_case, campaign_of, case, own_campaign, person
from tests.review.deciding import DISMISS, DISMISS_CAMPAIGN, decide_all, decided
from tests.review.pages import address, block_form, campaign_form, signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def members() -> list[Account]:
    return [account(f"acct_{number}") for number in range(5)]


def merge(into: Case, other: Case) -> None:
    merge_campaigns(own_campaign(into), own_campaign(other), reason="One card.", by=person().actor, now=NOW)


def split(opened: Case, members: list[Account]) -> None:
    pks = [one.pk for one in members]
    split_campaign(own_campaign(opened), pks, reason="Two groups.", by=person().actor, now=NOW)


def is_ticked(page: str, member: Account) -> bool:
    box = re.search(rf'<input[^>]*name="accounts"[^>]*value="{member.pk}"[^>]*>', page)
    assert box is not None
    return "checked" in box[0]


class TestSplitting:
    def test_a_dismissed_campaign_opens_a_case_only_after_a_fortnight(self, members: list[Account]) -> None:
        opened = campaign_case(*members)
        decide_all(opened, DISMISS_CAMPAIGN)
        split(opened, members[:2])

        update_campaign_cases(now=NOW + timedelta(hours=1))
        at_once = Case.objects.filter(status=Case.Status.OPEN).count()
        update_campaign_cases(now=NOW + QUIET_FOR)

        assert (at_once, Case.objects.filter(status=Case.Status.OPEN).count()) == (0, 2)

    def test_off_who_was_left_out_opens_no_case(self, members: list[Account]) -> None:
        opened = campaign_case(*members)
        decide_all(opened, without=members[:2])
        split(opened, members[:2])

        update_campaign_cases(now=NOW)

        assert not Case.objects.filter(status=Case.Status.OPEN).exists()

    def test_a_campaign_that_waits_opens_a_case_of_the_new_one(self, members: list[Account]) -> None:
        split(campaign_case(*members), members[:2])

        update_campaign_cases(now=NOW)

        assert Case.objects.filter(status=Case.Status.OPEN).count() == 2

    def test_between_preview_and_confirmation_shows_the_preview_again(self, members: list[Account]) -> None:
        mira, opened = signed_in(person()), campaign_case(*members)
        form = as_confirmed(mira, opened, members)
        split(opened, members[:4])

        response = mira.post(address(opened, "campaign/decide/"), form)

        assert response.status_code == 409
        assert "4 of the ticked accounts have left the campaign since. They are not covered." in text(response)
        assert Case.objects.get(pk=opened.pk).is_open
        again = form | {"accounts": str(members[4].pk)}
        assert mira.post(address(opened, "campaign/decide/"), again).status_code == 302


class TestMerging:
    def test_leaves_those_unticked_who_were_left_out(self, members: list[Account]) -> None:
        first, second = campaign_case(*members), campaign_case(account(), account())
        decide_all(first, without=members[:1])

        merge(second, first)

        page = text(signed_in(person()).get(f"/campaigns/{second.campaign_id}/"))
        assert [is_ticked(page, one) for one in members[:2]] == [False, True]

    def test_leaves_nothing_to_hand_out_of_the_campaign_that_is_gone(self) -> None:
        kept, gone = campaign_case(account(), account(), score=50), campaign_case(account(), account(), score=95)
        mira = person()

        merge(kept, gone)

        assert find_next_case(QueueFilter(), leaving=None, user=mira, now=NOW) == kept
        assert claim_next(QueueFilter(), leaving=None, by=mira, now=NOW) == kept
        update_campaign_cases(now=NOW)
        gone.refresh_from_db()
        assert gone.status == Case.Status.ENDED


def as_confirmed(client: Client, opened: Case, members: list[Account]) -> dict[str, str]:
    """The form of a preview that was looked at."""
    newest = own_campaign(opened).members.latest("pk").pk
    form = block_form(seen=str(newest), accounts=",".join(str(one.pk) for one in members))
    assert client.post(address(opened, "campaign/preview/"), form).status_code == 200
    return form


def test_whom_a_colleague_dismissed_is_let_be_by_a_decision_about_the_campaign(members: list[Account]) -> None:
    one, dismissed = case(members[0]), case(members[1])
    campaign_of(*members)
    decided(dismissed, DISMISS, by=person("Jonas Lind"))
    client = signed_in(person("Ben Adler"))
    assert "4 of the 5 accounts in this campaign" in text(client.get(address(one)))

    client.post(address(one, "decide/"), campaign_form(one))

    assert not members[1].restrictions.exists()
    assert members[2].restrictions.exists()


def test_whom_a_colleague_dismissed_is_not_ticked_on_the_page_of_the_campaign(members: list[Account]) -> None:
    decided(case(members[1]), DISMISS)
    whole = campaign_case(*members)

    page = text(signed_in(person()).get(f"/campaigns/{whole.campaign_id}/"))

    assert not is_ticked(page, members[1])
    assert is_ticked(page, members[2])
