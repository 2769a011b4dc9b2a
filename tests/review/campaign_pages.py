"""What the tests of the pages of campaigns have in common."""

from typing import Any

from accounts.models import Account
from governance.campaigns.models import Campaign
from governance.review.models import Case
from tests.factories import FINDING, account, campaign_case, own_campaign
from tests.review.pages import block_form, text

SIZE = 5


def five_accounts() -> list[Account]:
    return [account(f"acct_{number}", organisation=f"org_{number}", plan="scale") for number in range(SIZE)]


def case_with_findings(members: list[Account]) -> Case:
    opened = campaign_case(*members)
    Campaign.objects.update(score=38, findings=[FINDING | {"title": "Acts as one"}], events=900)
    return opened


def page(opened: Case, query: str = "") -> str:
    return f"/campaigns/{opened.campaign_id}/{query}"


def chosen(opened: Case, members: list[Account], **fields: Any) -> dict[str, Any]:
    """The form of a decision about these members, as the page sends it."""
    newest = own_campaign(opened).members.latest("pk").pk
    return block_form(**fields) | {"accounts": [one.pk for one in members], "seen": newest} | fields


def says_ticked(response: Any, number: int, *, of: int) -> bool:
    return f"<b data-ticked>{number}</b> of {of} ticked." in text(response)
