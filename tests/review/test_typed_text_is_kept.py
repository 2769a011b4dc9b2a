"""What was typed is shown again where it could not be stored."""

import pytest
from django.test import Client

from governance.campaigns.regrouping import merge_campaigns
from governance.review.actions import reopen
from governance.review.models import Case
from governance.review.saved_views import save_view
from tests.factories import NOW, account, campaign_case, case, own_campaign, person
from tests.review.bulk import bulk_form
from tests.review.campaign_pages import chosen
from tests.review.deciding import DISMISS, decide_all, decided
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]
TYPED = "They proved it was a school."


def test_of_a_decision_about_many_that_was_sent_before(mira: Client) -> None:
    form = bulk_form([case(account("acct_dune")).own_account])
    mira.post("/bulk/decide/", form)

    assert TYPED in text(mira.post("/bulk/decide/", form | {"note": TYPED}, follow=True))


def test_of_an_undo_that_came_too_late(mira: Client, harbour: Case) -> None:
    jonas = person("Jonas Lindqvist")
    decided(harbour, by=jonas)
    decided(reopen(Case.objects.get(pk=harbour.pk), by=jonas, now=NOW), DISMISS, by=jonas)

    assert TYPED in text(mira.post(address(harbour, "undo/"), {"note": TYPED}, headers=by_htmx("decide")))


def test_of_who_is_left_out_of_a_campaign_that_was_decided_first(mira: Client) -> None:
    members = [account(f"acct_{n}") for n in range(3)]
    opened = campaign_case(*members)
    form = chosen(opened, members[:2], left_out_because=TYPED)
    decide_all(opened)

    assert TYPED in text(mira.post(address(opened, "campaign/decide/"), form))


def test_of_a_merge_of_campaigns_that_are_merged_already(mira: Client) -> None:
    one, two = campaign_case(account(), account()), campaign_case(account(), account())
    merge_campaigns(own_campaign(two), own_campaign(one), reason="Same.", by=person().actor, now=NOW)

    form = {"other": str(one.campaign_id), "merge_because": TYPED}
    assert TYPED in text(mira.post(f"/campaigns/{two.campaign_id}/merge/", form))


def test_of_the_name_of_a_view_too_many() -> None:
    mira = person()
    for n in range(30):
        save_view(f"Mine {n}", query="", is_shared=False, by=mira, now=NOW)

    form = {"name": "Harvest in Malta", "query": "band=high"}
    assert "Harvest in Malta" in text(signed_in(mira).post("/queue/views/save/", form, follow=True))
