"""What the OpenAPI document says of restrictions."""

from typing import Any, Final

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework import serializers

from governance.restrictions.serializers import (
    BatchRequest,
    CheckRequest,
    LiftCampaignRequest,
    LiftRequest,
    RestrictionRequest,
    RestrictionRow,
    RestrictQuery,
)
from governance.web.idempotency import KEY_PARAMETER
from governance.web.row_lists import describe_rows

TAG: Final = ["Restrictions"]
RESTRICTION: Final = {
    "number": 42,
    "account": "acct_1042",
    "api_key": None,
    "organisation": None,
    "campaign": None,
    "kind": "block",
    "reason": "bulk_harvest",
    "terms_clause": "",
    "requests_per_minute": None,
    "tokens_per_minute": None,
    "withheld": [],
    "starts_at": "2026-11-02T09:14:07Z",
    "expires_at": None,
    "ended_at": None,
    "ending": None,
    "author": "auto-blocker",
    "approver": None,
    "ended_by": None,
    "ending_note": None,
    "withdrawn_at": None,
    "published_in_full_by": 42,
}
_BLOCK: Final = {"account": "acct_1042", "kind": "block", "reason": "bulk_harvest", "unique_key": "incident-7"}


class LiftAnswer(RestrictionRow):
    lifted = serializers.BooleanField(help_text="Whether this request lifted it.")
    sequence = serializers.IntegerField()


class LiftedCampaign(serializers.Serializer[Any]):
    lifted = serializers.IntegerField()
    sequence = serializers.IntegerField()


class AccessAnswer(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=["allow", "deny"])
    known = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True)
    restriction = RestrictionRow(allow_null=True)
    sequence = serializers.IntegerField()


def _header(name: str, meaning: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=meaning)


_DONE: Final = OpenApiResponse(
    {"type": "object", "additionalProperties": True},
    "The restriction, or of a campaign its restrictions, of many what became of each, of a dry run who would be hit.",
)

describe_list = describe_rows(
    summary="List restrictions",
    description="The newest first.",
    example=RESTRICTION,
    tag=TAG[0],
    before=serializers.IntegerField(allow_null=True, help_text="The parameter `before` of the next page."),
)
describe_restrict = extend_schema(
    operation_id="restrict",
    summary="Restrict one, many or a campaign",
    description=(
        "Name one of `account`, `api_key`, `organisation` and `campaign`. `throttle` needs a limit, `withhold` needs "
        "`withheld`. `dry_run` says who would be hit and changes nothing. 201 if something was restricted by this "
        "request, 200 if it had been before. 409 if `unique_key` was used for something else."
    ),
    tags=TAG,
    parameters=[KEY_PARAMETER, RestrictQuery],
    request=PolymorphicProxySerializer("Restrict", [RestrictionRequest, BatchRequest], resource_type_field_name=None),
    responses={200: _DONE, 201: _DONE},
    examples=[
        OpenApiExample("An account", _BLOCK, request_only=True),
        OpenApiExample("Many", {"restrictions": [_BLOCK]}, request_only=True),
        OpenApiExample("Restricted", RESTRICTION | {"sequence": 42}, response_only=True, status_codes=["200", "201"]),
    ],
)
describe_lift_campaign = extend_schema(
    operation_id="lift_campaign",
    summary="Lift the restrictions of a campaign",
    description="Members in the query, or in the body as JSON.",
    tags=TAG,
    parameters=[LiftCampaignRequest],
    responses={200: LiftedCampaign},
    examples=[OpenApiExample("Lifted", {"lifted": 3, "sequence": 45}, response_only=True)],
)
describe_one = extend_schema(
    operation_id="get_restriction",
    summary="Read a restriction",
    description="By its number.",
    tags=TAG,
    parameters=[_header("If-None-Match", "The ETag of what you have: 304 if it is still that.")],
    responses={200: RestrictionRow, 304: OpenApiResponse(None, "It is what you have.")},
    examples=[OpenApiExample("A block", RESTRICTION, response_only=True)],
)
describe_lift = extend_schema(
    operation_id="lift_restriction",
    summary="Lift a restriction",
    description=(
        "One that was restored under another number is lifted, and answered, under that. With `If-Match` it is lifted "
        "only if it is what you have seen, else 412."
    ),
    tags=TAG,
    parameters=[LiftRequest, _header("If-Match", "The ETag of the restriction as you have seen it.")],
    responses={200: LiftAnswer},
    examples=[
        OpenApiExample(
            "Lifted",
            RESTRICTION | {"ended_at": "2026-11-03T10:00:00Z", "ending": "lifted", "lifted": True, "sequence": 44},
            response_only=True,
        )
    ],
)
describe_access = extend_schema(
    operation_id="read_access",
    summary="Look up whether a customer has access",
    description="Read from PostgreSQL, for people and scripts. Name an account or an api_key.",
    tags=["Check and feed"],
    parameters=[CheckRequest],
    responses={200: AccessAnswer},
    examples=[
        OpenApiExample(
            "Denied",
            {"decision": "deny", "known": True, "reason": "bulk_harvest", "restriction": RESTRICTION, "sequence": 42},
            response_only=True,
        )
    ],
)
