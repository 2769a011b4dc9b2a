"""What the API shows of cases and decisions: no notes, and of staff their ids alone."""

from rest_framework import serializers

from governance.detection.models import BAND_CHOICES
from governance.review.models import Case, Decision
from governance.web.row_lists import ListQuery, RowSerializer


class CaseRow(RowSerializer):
    case = serializers.UUIDField(source="pk")
    account = serializers.CharField(source="account.external_id", allow_null=True)
    campaign = serializers.UUIDField(source="campaign_id", allow_null=True)
    part_of = serializers.UUIDField(source="part_of_id", allow_null=True, help_text="The case of its campaign.")
    status = serializers.ChoiceField(choices=Case.Status.choices)
    score = serializers.IntegerField()
    band = serializers.ChoiceField(choices=BAND_CHOICES)
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    claimed_by = serializers.UUIDField(source="claimed_by_id", allow_null=True)
    claimed_until = serializers.DateTimeField(allow_null=True)


class CaseQuery(ListQuery):
    case = serializers.UUIDField(required=False)
    account = serializers.CharField(required=False, max_length=128, help_text="Your id of it.")
    campaign = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=Case.Status.choices, required=False)
    band = serializers.ChoiceField(choices=BAND_CHOICES, required=False)
    since = serializers.DateTimeField(required=False, help_text="Opened then or later.")


class DecisionRow(RowSerializer):
    decision = serializers.UUIDField(source="pk")
    case = serializers.UUIDField(source="case_id")
    account = serializers.CharField(source="case.account.external_id", allow_null=True)
    campaign = serializers.UUIDField(source="campaign_id", allow_null=True)
    action = serializers.CharField()
    scope = serializers.ChoiceField(choices=Decision.Scope.choices)
    reason = serializers.CharField()
    terms_clause = serializers.CharField()
    decided_at = serializers.DateTimeField()
    decided_by = serializers.UUIDField(source="decided_by_id")
    restriction = serializers.IntegerField(source="restriction_id", allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)
    undone_by = serializers.UUIDField(source="undone_by_id", allow_null=True)


class DecisionQuery(ListQuery):
    decision = serializers.UUIDField(required=False)
    case = serializers.UUIDField(required=False)
    account = serializers.CharField(required=False, max_length=128, help_text="Your id of it.")
    campaign = serializers.UUIDField(required=False)
    action = serializers.CharField(required=False, max_length=32)
    since = serializers.DateTimeField(required=False, help_text="Decided then or later.")
