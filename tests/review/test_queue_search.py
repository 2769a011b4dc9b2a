"""Whom the search and the filters of the queue find: also campaigns by their members, however it is typed."""

import pytest
from django.test import Client

from accounts.models import Organisation
from governance.overview.queries import get_my_day
from governance.review.holding import assign, hold
from governance.review.models import Case
from governance.review.queries import queue_counts
from governance.review.saved_views import list_views, save_view
from governance.staff.roles import Role
from tests.factories import NOW, account, campaign_case, case, person
from tests.review.pages import address, by_htmx, text
from tests.review.test_holding import IN_A_DAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


@pytest.mark.parametrize(
    "query", ["q=acct_member", "q=ACCT_Member", "q=org_fen", "plan=Scale", "country=fi", "q=acct_member&view=mine"]
)
def test_a_campaign_is_found_by_its_members(query: str, mira: Client) -> None:
    whole = campaign_case(account("acct_member", organisation="org_fen", plan="scale", country="FI"), account())
    campaign_case(account(), account())
    mira.post(address(whole, "claim/"), headers=by_htmx("claim"))

    rows = mira.get(f"/queue/?{query}").context["page"].rows

    assert [row.case for row in rows] == [whole]


def test_an_account_is_found_in_capitals(harbour: Case, mira: Client) -> None:
    assert address(harbour) in text(mira.get("/queue/?q=ACCT_HARBOUR"))


@pytest.mark.parametrize("typed", ["M\u00fcller", "Mu\u0308ller", "M\u00dcLLER", "MU\u0308LLER"])
def test_an_organisation_is_found_however_its_letters_are_composed(typed: str, mira: Client) -> None:
    named = account("acct_x", organisation="org_m")
    Organisation.objects.update(name="M\u00fcller KG")
    whole = campaign_case(named, account())

    assert [row.case for row in mira.get("/queue/", {"q": typed}).context["page"].rows] == [whole]
    assert f'value="{named.pk}"' in text(mira.get(f"/campaigns/{whole.campaign_id}/", {"q": typed}))


def test_my_cases_are_the_same_in_the_queue_and_on_the_overview() -> None:
    mira, one = person(), case()
    assign(one, to=mira, because="", by=mira, now=NOW)
    hold(one, until=IN_A_DAY, because="Waiting.", by=mira, now=NOW)

    assert len(get_my_day(mira, now=NOW).mine) == queue_counts(user=mira, now=NOW).mine


def test_shared_views_are_offered_also_to_somebody_with_as_many_as_there_may_be() -> None:
    lead, mira = person("Ada Moreau", role=Role.LEAD), person()
    for n in range(30):
        save_view(f"Mine {n}", query="", is_shared=False, by=mira, now=NOW)

    save_view("Team", query="band=high", is_shared=True, by=lead, now=NOW)

    assert "Team" in [one.view.name for one in list_views(mira, now=NOW, is_counted=True)]


def test_taking_a_case_off_hold_that_is_not_on_hold_is_not_confirmed(harbour: Case, mira: Client) -> None:
    page = text(mira.post(address(harbour, "resume/"), headers=by_htmx("case")))

    assert "This case is not on hold any more." in page
    assert "Back in the queue." not in page
