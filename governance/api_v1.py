"""Every endpoint for machines, below /api/v1/. Each names the scope that a service key needs.

What gateways ask all day is answered in front of Django: gateways/check/app.py.
"""

from django.urls import path

from accounts.api import AccountsView, KeysView, OrganisationsView, RegisterView
from governance.campaigns.api import CampaignMembersView, CampaignsView
from governance.detection.api import AssessmentsView
from governance.gateways.api import CheckAccessView
from governance.openapi.api import OpenApiView
from governance.overview.log_pages.api import EntriesView
from governance.policies.api import PoliciesView
from governance.restrictions.api import RestrictionsView, RestrictionView
from governance.review.api import CasesView, DecisionsView
from governance.usage.api import LiteLlmUsageView, UsageEventsView

app_name = "api"
urlpatterns = [
    path("openapi.json", OpenApiView.as_view(), name="openapi"),
    path("usage-events", UsageEventsView.as_view(), name="usage-events"),
    path("sources/litellm", LiteLlmUsageView.as_view(), name="litellm-usage"),
    path("access/check", CheckAccessView.as_view(), name="access-check"),
    path("restrictions", RestrictionsView.as_view(), name="restrictions"),
    path("restrictions/<int:number>", RestrictionView.as_view(), name="restriction"),
    path("register", RegisterView.as_view(), name="register"),
    path("accounts", AccountsView.as_view(), name="accounts"),
    path("organisations", OrganisationsView.as_view(), name="organisations"),
    path("keys", KeysView.as_view(), name="keys"),
    path("assessments", AssessmentsView.as_view(), name="assessments"),
    path("campaigns", CampaignsView.as_view(), name="campaigns"),
    path("campaign-members", CampaignMembersView.as_view(), name="campaign-members"),
    path("cases", CasesView.as_view(), name="cases"),
    path("decisions", DecisionsView.as_view(), name="decisions"),
    path("policies", PoliciesView.as_view(), name="policies"),
    path("log-entries", EntriesView.as_view(), name="log-entries"),
]
