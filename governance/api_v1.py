"""Every endpoint for machines, below /api/v1/. Each names the scope that a service key needs.

What gateways ask all day is answered in front of Django: gateways/check/app.py.
"""

from django.urls import path

from governance.gateways.api import CheckAccess
from governance.restrictions.api import OneRestriction, Restrictions
from governance.usage.api import LiteLlmUsage, UsageEvents

app_name = "api"
urlpatterns = [
    path("usage-events", UsageEvents.as_view(), name="usage-events"),
    path("sources/litellm", LiteLlmUsage.as_view(), name="litellm-usage"),
    path("access/check", CheckAccess.as_view(), name="access-check"),
    path("restrictions", Restrictions.as_view(), name="restrictions"),
    path("restrictions/<int:number>", OneRestriction.as_view(), name="restriction"),
]
