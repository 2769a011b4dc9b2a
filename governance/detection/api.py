"""Assessments, for programs that read them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from governance.detection.models import Assessment
from governance.detection.serializers import AssessmentQuery, AssessmentRow, shown_findings
from governance.staff.models import ServiceKey
from governance.web.row_lists import RowsView, describe_rows, filtered


@describe_rows(
    summary="List assessments",
    description="The newest first. Each is one scoring of an account; the points of its findings add up to the score.",
    example={
        "account": "acct_1042",
        "assessed_at": "2026-11-02T09:14:07Z",
        "confirmed_at": "2026-11-02T10:14:07Z",
        "window_start": "2026-10-03T09:00:00Z",
        "window_end": "2026-11-02T09:00:00Z",
        "events": 120431,
        "output_tokens": 98110243,
        "score": 87,
        "band": "critical",
        "probability": 0.93,
        "probability_low": 0.88,
        "probability_high": 0.97,
        "findings": [
            {
                "detector": "template_reuse",
                "title": "One template fills most prompts",
                "family": "content",
                "strength": 0.9,
                "points": 40,
                "sentence": "92 % of the prompts fill one template.",
            }
        ],
        "campaign": None,
        "model_version": "2026-10",
        "licensed": False,
    },
)
class AssessmentsView(RowsView):
    """`GET /api/v1/assessments`."""

    scopes = {"GET": ServiceKey.Scope.ASSESSMENTS_READ}
    list_name, query, row, order = "assessments", AssessmentQuery, AssessmentRow, ("-pk",)

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Assessment]:
        renamed = {"account": "account__external_id", "since": "assessed_at__gte"}
        return filtered(Assessment.objects.all(), asked, renamed, "band", "campaign")

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"findings": shown_findings(row["findings"])} if "findings" in row else row
