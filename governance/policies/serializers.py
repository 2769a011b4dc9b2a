"""What the API shows of policies."""

from rest_framework import serializers

from governance.policies.models import PolicyVersion
from governance.web.row_lists import ListQuery, RowSerializer


class PolicyRow(RowSerializer):
    version = serializers.CharField()
    state = serializers.ChoiceField(choices=PolicyVersion.State.choices)
    content = serializers.CharField(help_text="The file that was proposed, in TOML.")
    proposed_at = serializers.DateTimeField()
    proposed_by = serializers.UUIDField(source="proposed_by_id")
    live_since = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.UUIDField(source="approved_by_id", allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)
    scorings = serializers.IntegerField()


class PolicyQuery(ListQuery):
    version = serializers.CharField(required=False, max_length=40)
    state = serializers.ChoiceField(choices=PolicyVersion.State.choices, required=False)
