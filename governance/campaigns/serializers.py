"""What the API shows of campaigns."""

from rest_framework import serializers

from governance.campaigns.models import Campaign
from governance.web.row_lists import ListQuery, RowSerializer


class CampaignRow(RowSerializer):
    campaign = serializers.UUIDField(source="pk")
    state = serializers.ChoiceField(choices=Campaign.State.choices)
    first_seen_at = serializers.DateTimeField()
    opened_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    assessed_at = serializers.DateTimeField(allow_null=True)
    size = serializers.IntegerField()
    events = serializers.IntegerField()
    score = serializers.IntegerField()
    model_version = serializers.CharField()


class CampaignQuery(ListQuery):
    campaign = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(choices=Campaign.State.choices, required=False)


class MemberRow(RowSerializer):
    campaign = serializers.UUIDField(source="campaign_id")
    account = serializers.CharField(source="account.external_id")
    joined_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    is_left_out = serializers.BooleanField(help_text="Staff say that it does not belong.")
    tied_to = serializers.IntegerField(help_text="Members it has wrappers, an address or a card in common with.")
    strength = serializers.FloatField()


class MemberQuery(ListQuery):
    campaign = serializers.UUIDField(required=False)
    account = serializers.CharField(required=False, max_length=128, help_text="Your id of it.")
