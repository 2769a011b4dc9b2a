"""Campaigns, for programs that read them."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Q, QuerySet

from governance.campaigns.models import Campaign, CampaignMember
from governance.campaigns.serializers import CampaignQuery, CampaignRow, MemberQuery, MemberRow
from governance.staff.models import ServiceKey
from governance.web.row_lists import RowsView, describe_rows, filtered

CAMPAIGN: Final = "3f1c7f0e-5a43-4d0c-9c43-0a6d5d0f3a11"


@describe_rows(
    summary="List campaigns",
    description="Accounts that act as one.",
    example={
        "campaign": CAMPAIGN,
        "state": "open",
        "first_seen_at": "2026-10-20T08:00:00Z",
        "opened_at": "2026-10-21T08:00:00Z",
        "closed_at": None,
        "assessed_at": "2026-11-02T09:14:07Z",
        "size": 14,
        "events": 1204310,
        "score": 94,
        "model_version": "2026-10",
    },
)
class CampaignsView(RowsView):
    """`GET /api/v1/campaigns`."""

    scopes = {"GET": ServiceKey.Scope.CAMPAIGNS_READ}
    list_name, query, row, order = "campaigns", CampaignQuery, CampaignRow, ("-first_seen_at", "pk")

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Campaign]:
        return filtered(Campaign.objects.all(), asked, {"campaign": "pk"}, "state")


@describe_rows(
    summary="List members of campaigns",
    description="Which account is or was in which campaign.",
    example={
        "campaign": CAMPAIGN,
        "account": "acct_1042",
        "joined_at": "2026-10-21T08:00:00Z",
        "left_at": None,
        "is_left_out": False,
        "tied_to": 9,
        "strength": 0.82,
    },
)
class CampaignMembersView(RowsView):
    """`GET /api/v1/campaign-members`."""

    scopes = {"GET": ServiceKey.Scope.CAMPAIGNS_READ}
    list_name, query, row, order = "campaign_members", MemberQuery, MemberRow, ("-pk",)

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[CampaignMember]:
        rows = CampaignMember.objects.annotate(is_left_out=~Q(left_out_because=""))
        return filtered(rows, asked, {"campaign": "campaign_id", "account": "account__external_id"})
