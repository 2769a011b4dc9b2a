"""The case of a campaign that shows no harvest any more ends, unless somebody has taken it in hand."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from governance.campaigns.models import Campaign
from governance.review.actions import claim, reopen
from governance.review.campaign_cases import update_campaign_cases
from governance.review.holding import escalate, hold
from governance.review.models import CLAIM_LASTS, Case
from tests.factories import NOW, account, campaign_case, person
from tests.review.deciding import DISMISS_CAMPAIGN, decide_all

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(minutes=1)
IN_HAND: dict[str, Callable[[Case], None]] = {
    "claimed": lambda opened: claim(opened, by=person(), now=NOW),
    "held": lambda opened: hold(opened, until=NOW + timedelta(days=1), because="They answer.", by=person(), now=NOW),
    "escalated": lambda opened: escalate(opened, because="A licence?", by=person(), now=NOW),
}


@pytest.fixture
def opened() -> Case:
    return campaign_case(*(account() for _ in range(4)))


def is_open_after_the_search(opened: Case, state: Campaign.State = Campaign.State.WATCHED) -> bool:
    Campaign.objects.update(state=state)
    update_campaign_cases(now=SOON)
    return Case.objects.get(pk=opened.pk).is_open


def test_one_that_nobody_has_in_hand_ends(opened: Case) -> None:
    assert not is_open_after_the_search(opened)


@pytest.mark.parametrize("take", IN_HAND.values(), ids=IN_HAND)
def test_one_that_somebody_has_in_hand_stays(opened: Case, take: Callable[[Case], None]) -> None:
    take(opened)

    assert is_open_after_the_search(opened)


def test_one_that_was_claimed_ends_when_the_claim_is_over(opened: Case) -> None:
    claim(opened, by=person(), now=NOW)
    assert is_open_after_the_search(opened)

    update_campaign_cases(now=NOW + CLAIM_LASTS)

    assert not Case.objects.get(pk=opened.pk).is_open


def test_one_without_members_ends_whoever_has_it(opened: Case) -> None:
    claim(opened, by=person(), now=NOW)

    assert not is_open_after_the_search(opened, Campaign.State.CLOSED)


def test_one_that_was_reopened_by_hand_stays_after_the_claim_too(opened: Case) -> None:
    decide_all(opened, DISMISS_CAMPAIGN)
    Campaign.objects.update(state=Campaign.State.WATCHED)

    again = reopen(Case.objects.get(pk=opened.pk), by=person(), now=NOW)
    update_campaign_cases(now=NOW + CLAIM_LASTS * 2)

    again.refresh_from_db()
    assert again.is_open
