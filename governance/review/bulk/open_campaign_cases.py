"""Which accounts are decided with the case of their campaign, and so not by themselves."""

from collections.abc import Collection
from uuid import UUID

from governance.campaigns.models import CampaignMember
from governance.review.models import Case


def find_campaigns_with_open_case(accounts: Collection[int]) -> dict[int, UUID]:
    """Return the campaigns that have an open case, by the accounts that belong to them now."""
    current = CampaignMember.objects.current().filter(account__in=accounts, campaign__cases__status=Case.Status.OPEN)
    return dict(current.values_list("account", "campaign"))
