"""Asking for pages the way a browser does, with htmx and without."""

from typing import Any

from django.http import HttpResponse
from django.test import Client

from governance.campaigns.models import CampaignMember
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.forms import SeenMembersField
from governance.review.models import Case
from governance.staff.models import User


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def by_htmx(target: str, *, current: str = "/queue/", boosted: bool = False) -> dict[str, str]:
    """The headers with which htmx asks for what is to replace the element `target`."""
    headers = {"HX-Request": "true", "HX-Target": target, "HX-Current-URL": f"http://testserver{current}"}
    return headers | ({"HX-Boosted": "true"} if boosted else {})


def text(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def address(case: Case, what: str = "") -> str:
    return f"/cases/{case.pk}/{what}"


def members_seen(opened: Case) -> str:
    """What the page of a case has shown of the campaign of its account, as its form sends it."""
    own = opened.own_account.memberships.current().get()
    newest = CampaignMember.objects.current().filter(campaign=own.campaign_id).latest("pk").pk
    return SeenMembersField.sign(own.campaign_id, newest)


def block_form(**fields: str) -> dict[str, str]:
    """A decision to block, as the form sends it."""
    usual = {
        "decision": "7d3c1b0a-0000-4000-8000-000000000001",
        "action": RestrictionKind.BLOCK.value,
        "against": Reason.BULK_HARVEST.value,
        "terms_clause": "2.3 No training of competing models",
        "confirmed": "on",
    }
    return usual | fields


def campaign_form(opened: Case) -> dict[str, str]:
    """A decision to block the whole campaign of the account of a case, as the form of its page sends it."""
    return block_form(scope="campaign", members_seen=members_seen(opened))
