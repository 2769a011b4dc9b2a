"""What the API shows of assessments."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rest_framework import serializers

from governance.detection.models import BAND_CHOICES
from governance.web.row_lists import ListQuery, RowSerializer

# Of a finding as it is stored. The rest are figures for the pages.
_SHOWN: Final = ("detector", "title", "family", "strength", "points", "sentence")


class FindingShown(serializers.Serializer[Any]):
    """What a detector saw, and how many points of the score are its own."""

    detector = serializers.CharField()
    title = serializers.CharField()
    family = serializers.CharField()
    strength = serializers.FloatField()
    points = serializers.IntegerField()
    sentence = serializers.CharField()


class AssessmentRow(RowSerializer):
    account = serializers.CharField(source="account.external_id")
    assessed_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField()
    window_start = serializers.DateTimeField()
    window_end = serializers.DateTimeField()
    events = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    score = serializers.IntegerField()
    band = serializers.ChoiceField(choices=BAND_CHOICES)
    probability = serializers.FloatField()
    probability_low = serializers.FloatField()
    probability_high = serializers.FloatField()
    findings = FindingShown(many=True)
    campaign = serializers.UUIDField(allow_null=True)
    model_version = serializers.CharField()
    licensed = serializers.BooleanField()


class AssessmentQuery(ListQuery):
    account = serializers.CharField(required=False, max_length=128, help_text="Your id of it.")
    band = serializers.ChoiceField(choices=BAND_CHOICES, required=False)
    campaign = serializers.UUIDField(required=False)
    since = serializers.DateTimeField(required=False, help_text="Assessed then or later.")


def shown_findings(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: finding[name] for name in _SHOWN} for finding in findings]
