"""Customers, for programs that read and register them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions import RejectedLine, register_accounts
from accounts.models import Account, ApiKey, Organisation
from accounts.register import AccountLine, UnreadableLineError, parse_account_line
from accounts.serializers import (
    AccountQuery,
    AccountRow,
    KeyQuery,
    KeyRow,
    OrganisationQuery,
    OrganisationRow,
    RegisterAnswer,
    RegisterRequest,
)
from governance.staff.models import ServiceKey
from governance.web.authentication import acting_key
from governance.web.idempotency import KEY_PARAMETER, run_once
from governance.web.parsing import parse_object
from governance.web.row_lists import RowsView, describe_rows, filtered

SEEN = "2026-03-12T23:40:00Z"


@describe_rows(
    summary="List accounts",
    description="By your ids. Addresses, cards and e-mail domains of customers are not shown.",
    example={
        "account": "acct_1042",
        "organisation": "org_77",
        "status": "open",
        "plan": "team",
        "country": "NL",
        "created_at": "2026-03-12T23:32:51Z",
        "first_seen_at": SEEN,
        "closed_at": None,
        "erased_at": None,
    },
)
class AccountsView(RowsView):
    """`GET /api/v1/accounts`."""

    scopes = {"GET": ServiceKey.Scope.ACCOUNTS_READ}
    list_name, query, row, order = "accounts", AccountQuery, AccountRow, ("external_id",)

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Account]:
        filters = {"account": "external_id", "organisation": "organisation__external_id"}
        return filtered(Account.objects.all(), asked, filters, "status", "plan", "country")


@describe_rows(
    summary="List organisations",
    description="The customer companies, by your ids.",
    example={"organisation": "org_77", "name": "Harbour Ltd", "erased_at": None},
)
class OrganisationsView(RowsView):
    """`GET /api/v1/organisations`."""

    scopes = {"GET": ServiceKey.Scope.ACCOUNTS_READ}
    list_name, query, row, order = "organisations", OrganisationQuery, OrganisationRow, ("external_id",)

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Organisation]:
        return filtered(Organisation.objects.all(), asked, {"organisation": "external_id"})


@describe_rows(
    summary="List API keys",
    description="The ids of customers' API keys and whose they are, never a key or its digest.",
    example={
        "api_key": "key_5521",
        "account": "acct_1042",
        "first_seen_at": SEEN,
        "tied_by": "register",
        "contested_by": None,
        "contested_at": None,
    },
)
class KeysView(RowsView):
    """`GET /api/v1/keys`."""

    scopes = {"GET": ServiceKey.Scope.ACCOUNTS_READ}
    list_name, query, row, order = "keys", KeyQuery, KeyRow, ("external_id",)

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[ApiKey]:
        return filtered(ApiKey.objects.all(), asked, {"api_key": "external_id", "account": "account__external_id"})


class RegisterView(APIView):
    """`POST /api/v1/register`: what `import_accounts` reads, as a list of up to 1,000 accounts.

    All in one transaction. A line that cannot be applied changes nothing and rejects no other.
    """

    scopes = {"POST": ServiceKey.Scope.REGISTER_WRITE}

    @extend_schema(
        operation_id="register_accounts",
        summary="Register accounts, keys and licences",
        description=(
            "Makes the register say what these lines say, in their order and in one transaction. The same again "
            "changes nothing. A member that is absent leaves what is stored, null clears it. A line that cannot be "
            "applied rejects no other. docs/register.md explains the members."
        ),
        tags=["Register"],
        parameters=[KEY_PARAMETER],
        request={
            "application/json": {
                "type": "object",
                "required": ["accounts"],
                "additionalProperties": False,
                "properties": {
                    "accounts": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1_000,
                        "items": {"$ref": "#/components/schemas/AccountLine"},
                    }
                },
            }
        },
        responses={200: RegisterAnswer},
        examples=[
            OpenApiExample(
                "An account with a key and a licence",
                {
                    "accounts": [
                        {
                            "account": "acct_1042",
                            "organisation": "org_77",
                            "plan": "team",
                            "keys": [{"id": "key_5521"}],
                            "licence": {"training_permitted": True, "reference": "C-18"},
                        }
                    ]
                },
                request_only=True,
            ),
            OpenApiExample(
                "Registered",
                {"created": 1, "updated": 0, "unchanged": 0, "rejected": 0, "rejections": [], "notes": []},
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        # The rest of a list in which some were rejected may be sent again, corrected, under the same key.
        return run_once(
            request,
            lambda: _register(request),
            is_kept=lambda response: not response.data["rejected"],
            in_one_transaction=True,
        )


def _register(request: Request) -> Response:
    asked = RegisterRequest(data=parse_object(request))
    asked.is_valid(raise_exception=True)
    lines, places, rejected = _read(asked.validated_data["accounts"])
    done = register_accounts(lines, by=acting_key(request).actor, now=timezone.now())
    rejected += [RejectedLine(places[place], reason) for place, reason in done.rejected]
    rejections = [{"line": place + 1, "reason": reason} for place, reason in sorted(rejected)]
    counts = {"created": done.created, "updated": done.updated, "unchanged": done.unchanged}
    return Response(counts | {"rejected": len(rejections), "rejections": rejections, "notes": list(done.notes)})


def _read(given: Sequence[Any]) -> tuple[list[AccountLine], list[int], list[RejectedLine]]:
    """Return the lines that can be read, the place of each, and those that cannot."""
    lines: list[AccountLine] = []
    places: list[int] = []
    rejected: list[RejectedLine] = []
    for place, one in enumerate(given):
        try:
            lines.append(parse_account_line(json.dumps(one).encode()))
            places.append(place)
        except UnreadableLineError as error:
            rejected.append(RejectedLine(place, str(error)))
    return lines, places, rejected
