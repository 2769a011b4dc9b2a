"""What the API shows of customers: no address, card or e-mail domain of theirs."""

from rest_framework import serializers

from accounts.models import Account, ApiKey
from governance.web.row_lists import ListQuery, RowSerializer


class AccountRow(RowSerializer):
    account = serializers.CharField(source="external_id")
    organisation = serializers.CharField(source="organisation.external_id", allow_null=True)
    status = serializers.ChoiceField(choices=Account.Status.choices)
    plan = serializers.CharField()
    country = serializers.CharField()
    created_at = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    erased_at = serializers.DateTimeField(allow_null=True)


class AccountQuery(ListQuery):
    account = serializers.CharField(required=False, max_length=128, help_text="Your id of it.")
    organisation = serializers.CharField(required=False, max_length=128, help_text="Your id of it.")
    status = serializers.ChoiceField(choices=Account.Status.choices, required=False)
    plan = serializers.CharField(required=False, max_length=64)
    country = serializers.CharField(required=False, max_length=2)


class OrganisationRow(RowSerializer):
    organisation = serializers.CharField(source="external_id")
    name = serializers.CharField()
    erased_at = serializers.DateTimeField(allow_null=True)


class OrganisationQuery(ListQuery):
    organisation = serializers.CharField(required=False, max_length=128, help_text="Your id of it.")


class KeyRow(RowSerializer):
    api_key = serializers.CharField(source="external_id")
    account = serializers.CharField(source="account.external_id")
    first_seen_at = serializers.DateTimeField()
    tied_by = serializers.ChoiceField(choices=ApiKey.TiedBy.choices)
    contested_by = serializers.CharField(source="contested_by.external_id", allow_null=True)
    contested_at = serializers.DateTimeField(allow_null=True)


class KeyQuery(ListQuery):
    api_key = serializers.CharField(required=False, max_length=128, help_text="Your id of it.")
    account = serializers.CharField(required=False, max_length=128, help_text="Your id of its account.")
