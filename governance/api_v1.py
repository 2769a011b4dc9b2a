"""Every endpoint for machines, below /api/v1/. Each names the scope that a service key needs.

What gateways ask all day is answered in front of Django: gateways/check/app.py.
"""

from django.urls import path

from governance.gateways.api import CheckAccessView
from governance.openapi.api import OpenApiView
from governance.restrictions.api import RestrictionsView, RestrictionView
from governance.usage.api import LiteLlmUsageView, UsageEventsView

app_name = "api"
urlpatterns = [
    path("openapi.json", OpenApiView.as_view(), name="openapi"),
    path("usage-events", UsageEventsView.as_view(), name="usage-events"),
    path("sources/litellm", LiteLlmUsageView.as_view(), name="litellm-usage"),
    path("access/check", CheckAccessView.as_view(), name="access-check"),
    path("restrictions", RestrictionsView.as_view(), name="restrictions"),
    path("restrictions/<int:number>", RestrictionView.as_view(), name="restriction"),
]
