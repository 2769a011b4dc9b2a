"""What the API shows of customers, which is no address, card or e-mail domain of theirs, and takes of the register."""

from typing import Any, Final

from rest_framework import serializers

from accounts.models import Account, ApiKey
from governance.web.parsing import StrictSerializer
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


MOST_LINES: Final = 1_000


class RegisterRequest(StrictSerializer):
    """Lines of the register; what is in each is looked at one by one."""

    accounts = serializers.ListField(
        min_length=1,
        max_length=MOST_LINES,
        error_messages=dict.fromkeys(
            ("not_a_list", "min_length", "max_length", "empty"), f"This must be a list of 1 to {MOST_LINES:,}."
        ),
    )


class RejectedShown(serializers.Serializer[Any]):
    line = serializers.IntegerField(help_text="Its place in the list, from 1.")
    reason = serializers.CharField()


class RegisterAnswer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    rejections = RejectedShown(many=True)
    notes = serializers.ListField(child=serializers.CharField(), help_text="What moved to another owner.")
