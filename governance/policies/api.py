"""Policies, for programs that read them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from governance.policies.models import PolicyVersion
from governance.policies.serializers import PolicyQuery, PolicyRow
from governance.staff.models import ServiceKey
from governance.web.row_lists import RowsView, describe_rows, filtered


@describe_rows(
    summary="List policies",
    description="Every version, the newest first. At most one is live.",
    example={
        "version": "2026-11-a",
        "state": "live",
        "content": 'version = "2026-11-a"',
        "proposed_at": "2026-11-01T08:00:00Z",
        "proposed_by": "c2d8f0b4-9f9b-4e6f-9c0a-2f3c1c1f0e07",
        "live_since": "2026-11-02T08:00:00Z",
        "approved_by": "7a53d1e2-35f6-4c8c-9d0f-8a2f6f1f4b90",
        "retired_at": None,
        "scorings": 120431,
    },
)
class PoliciesView(RowsView):
    """`GET /api/v1/policies`."""

    scopes = {"GET": ServiceKey.Scope.POLICIES_READ}
    list_name, query, row, order = "policies", PolicyQuery, PolicyRow, ("-proposed_at", "pk")

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[PolicyVersion]:
        return filtered(PolicyVersion.objects.all(), asked, {}, "version", "state")
