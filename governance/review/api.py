"""Cases and decisions, for programs that read them."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import QuerySet

from governance.review.models import Case, Decision
from governance.review.serializers import CaseQuery, CaseRow, DecisionQuery, DecisionRow
from governance.staff.models import ServiceKey
from governance.web.row_lists import RowsView, describe_rows, filtered

CASE: Final = "5e0f8d53-4f0e-4c5b-8a43-7b1f3f0f9a51"
REVIEWER: Final = "c2d8f0b4-9f9b-4e6f-9c0a-2f3c1c1f0e07"


@describe_rows(
    summary="List cases",
    description="The newest first. `claimed_by` is the id of a member of staff.",
    example={
        "case": CASE,
        "account": "acct_1042",
        "campaign": None,
        "part_of": None,
        "status": "open",
        "score": 87,
        "band": "critical",
        "opened_at": "2026-11-02T09:14:07Z",
        "due_at": "2026-11-02T11:14:07Z",
        "closed_at": None,
        "claimed_by": REVIEWER,
        "claimed_until": "2026-11-02T09:44:07Z",
    },
)
class CasesView(RowsView):
    """`GET /api/v1/cases`."""

    scopes = {"GET": ServiceKey.Scope.CASES_READ}
    list_name, query, row, order = "cases", CaseQuery, CaseRow, ("-opened_at", "pk")

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Case]:
        renamed = {
            "case": "pk",
            "account": "account__external_id",
            "campaign": "campaign_id",
            "since": "opened_at__gte",
        }
        return filtered(Case.objects.all(), asked, renamed, "status", "band")


@describe_rows(
    summary="List decisions",
    description="The newest first, without notes. `restriction` is the number of what was put in force.",
    example={
        "decision": "0d7c4b7e-6a3e-4a94-93b5-2f7de24a4e10",
        "case": CASE,
        "account": "acct_1042",
        "campaign": None,
        "action": "block",
        "scope": "account",
        "reason": "bulk_harvest",
        "terms_clause": "2.3 No training of competing models",
        "decided_at": "2026-11-02T09:30:00Z",
        "decided_by": REVIEWER,
        "restriction": 42,
        "undone_at": None,
        "undone_by": None,
    },
)
class DecisionsView(RowsView):
    """`GET /api/v1/decisions`."""

    scopes = {"GET": ServiceKey.Scope.DECISIONS_READ}
    list_name, query, row, order = "decisions", DecisionQuery, DecisionRow, ("-number", "pk")

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Decision]:
        renamed = {
            "decision": "pk",
            "case": "case_id",
            "account": "case__account__external_id",
            "campaign": "campaign_id",
            "since": "decided_at__gte",
        }
        return filtered(Decision.objects.all(), asked, renamed, "action")
