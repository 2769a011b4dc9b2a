"""Requests and answers of the restrictions API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rest_framework import serializers

from accounts.normalization import is_nothing, normalize_id
from governance.restrictions.kinds import Withheld, foreign_terms, kind_choices, missing_need
from governance.restrictions.models import Restriction
from governance.restrictions.queries import AffectedAccount
from governance.restrictions.reasons import restricting_choices
from governance.web.flags import JsonFlag, QueryFlag
from governance.web.parsing import StrictSerializer
from governance.web.row_lists import ListQuery, RowSerializer
from governance.web.visible import escape_invisible

MOST_AT_ONCE: Final = 1_000
TARGETS: Final = ("account", "api_key", "organisation", "campaign")


class IdField(serializers.CharField):
    """An id that somebody outside gives, in its one spelling. Refuses what programs write where they know none."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if is_nothing(text):
            raise serializers.ValidationError(f'"{text}" means no value: give an id, or leave this out.')
        return normalize_id(text)


class VisibleField(serializers.CharField):
    """Text of one line that people are shown. Refuses control characters and marks of direction."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if escape_invisible(text) != text:
            raise serializers.ValidationError("Leave out control characters and marks of direction.")
        return text


class OneOf(serializers.ChoiceField):
    """One of several codes; an error names all of them."""

    def __init__(self, choices: Sequence[tuple[str, str]], **options: Any) -> None:
        codes = ", ".join(str(code) for code, _ in choices)
        super().__init__(choices, error_messages={"invalid_choice": f'"{{input}}" is not one of {codes}.'}, **options)


class CheckRequest(StrictSerializer):
    """Either `account` or `api_key`, as the seller calls them."""

    account = IdField(max_length=128, required=False)
    api_key = IdField(max_length=128, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name either an account or an api_key.")
        return attrs


class RestrictionRequest(StrictSerializer):
    """A restriction as an automated system asks for it. `now` comes in by the context."""

    account = IdField(max_length=128, required=False)
    api_key = IdField(max_length=128, required=False)
    organisation = IdField(max_length=128, required=False)
    campaign = serializers.UUIDField(required=False)
    kind = OneOf(choices=kind_choices())
    reason = OneOf(choices=restricting_choices())
    terms_clause = VisibleField(max_length=120, required=False, default="", allow_blank=True)
    starts_at = serializers.DateTimeField(required=False, default=None, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, default=None, allow_null=True)
    requests_per_minute = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False, default=None)
    tokens_per_minute = serializers.IntegerField(min_value=1, max_value=10**12, required=False, default=None)
    withheld = serializers.ListField(child=OneOf(choices=Withheld.choices), required=False, default=list)
    unique_key = IdField(required=False)
    dry_run = JsonFlag(required=False, default=False)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= self.context["now"]:
            raise serializers.ValidationError("This time is in the past.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(target in attrs for target in TARGETS) != 1:
            raise serializers.ValidationError("Name one: an account, an api_key, an organisation or a campaign.")
        if (need := missing_need(attrs["kind"], attrs)) is not None:
            needed = " or ".join(need.members)
            raise serializers.ValidationError({need.members[0]: f"A restriction of this kind needs {needed}."})
        if foreign := foreign_terms(attrs["kind"], attrs):
            raise serializers.ValidationError(
                {
                    member: f"This belongs to the kind {kinds}, not to {attrs['kind']}. Leave it out, or send two."
                    for member, kinds in foreign.items()
                }
            )
        starts, ends = attrs["starts_at"], attrs["expires_at"]
        if starts is not None and ends is not None and ends <= starts:
            raise serializers.ValidationError({"expires_at": "expires_at must be after starts_at."})
        return attrs


class BatchRequest(StrictSerializer):
    """Many restrictions; what is in each is looked at one by one."""

    restrictions = serializers.ListField(
        min_length=1,
        max_length=MOST_AT_ONCE,
        error_messages=dict.fromkeys(
            ("not_a_list", "min_length", "max_length", "empty"), f"This must be a list of 1 to {MOST_AT_ONCE:,}."
        ),
    )
    dry_run = JsonFlag(required=False, default=False)


class RestrictQuery(StrictSerializer):
    dry_run = QueryFlag(required=False, default=False)


class RestrictionListQuery(ListQuery):
    """Which restrictions are listed."""

    account = IdField(max_length=128, required=False, help_text="Your id of it: also what is on its organisation.")
    campaign = serializers.UUIDField(required=False)
    kind = OneOf(choices=kind_choices(), required=False)
    reason = OneOf(choices=restricting_choices(), required=False)
    live = QueryFlag(required=False, default=False, help_text="Those in force now alone.")
    before = serializers.IntegerField(
        min_value=0, max_value=2**63 - 1, required=False, help_text="Those with a lower number."
    )


class RestrictionRow(RowSerializer):
    number = serializers.IntegerField()
    account = serializers.CharField(source="account.external_id", allow_null=True)
    api_key = serializers.CharField(source="key.external_id", allow_null=True)
    organisation = serializers.CharField(source="organisation.external_id", allow_null=True)
    campaign = serializers.UUIDField(source="campaign_id", allow_null=True)
    kind = serializers.ChoiceField(choices=kind_choices())
    reason = serializers.CharField()
    terms_clause = serializers.CharField()
    requests_per_minute = serializers.IntegerField(allow_null=True)
    tokens_per_minute = serializers.IntegerField(allow_null=True)
    withheld = serializers.ListField(child=serializers.ChoiceField(choices=Withheld.choices))
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    ending = serializers.CharField(allow_null=True)
    author = serializers.CharField()
    approver = serializers.CharField(allow_null=True)
    ended_by = serializers.CharField(allow_null=True)
    ending_note = serializers.CharField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    published_in_full_by = serializers.IntegerField(allow_null=True)


class LiftRequest(StrictSerializer):
    """Why a restriction is lifted."""

    note = serializers.CharField(max_length=500)


class LiftCampaignRequest(LiftRequest):
    campaign = serializers.UUIDField()


def restriction_as_json(restriction: Restriction) -> dict[str, Any]:
    """Return a restriction as the API shows it."""
    return {
        "number": restriction.number,
        "account": restriction.account.external_id if restriction.account else None,
        "api_key": restriction.key.external_id if restriction.key else None,
        "organisation": restriction.organisation.external_id if restriction.organisation else None,
        "campaign": restriction.campaign_id,
        **restriction.terms.as_json(),
        "starts_at": restriction.starts_at,
        "expires_at": restriction.expires_at,
        "ended_at": restriction.ended_at,
        "ending": restriction.ending or None,
        "author": restriction.author,
        "approver": restriction.approver or None,
        "ended_by": restriction.ended_by or None,
        "ending_note": restriction.ending_note or None,
        "withdrawn_at": restriction.withdrawn_at,
        "published_in_full_by": restriction.published_in_full_by,
    }


def row_as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the database as `restriction_as_json` shows the same restriction."""
    blanks = ("ending", "approver", "ended_by", "ending_note")
    return {**row, **{name: row[name] or None for name in blanks}, "withheld": sorted(set(row["withheld"]))}


def affected_account_as_json(one: AffectedAccount) -> dict[str, Any]:
    """Return an account that a dry run lists as affected."""
    return {
        "account": one.account.external_id,
        "organisation": one.account.organisation.external_id if one.account.organisation else None,
        "plan": one.account.plan,
        "keys": one.keys,
        "training_permitted": one.training_permitted,
        "in_force": one.in_force,
    }
