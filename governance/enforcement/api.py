"""What gateways ask, and what automated systems put into force."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Account, ApiKey
from governance.enforcement.actions import ConflictingKeyError, Terms, lift, restrict
from governance.enforcement.models import Reason, Restriction
from governance.enforcement.queries import access
from governance.staff.models import ServiceKey
from governance.web.authentication import acting_key
from governance.web.problems import Problem

NEWEST_LISTED = 200


class CheckRequest(serializers.Serializer[Any]):
    """Either `account` or `api_key`, as the seller calls them."""

    account = serializers.CharField(max_length=128, required=False)
    api_key = serializers.CharField(max_length=128, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name either an account or an api_key.")
        return attrs


class CheckAccess(APIView):
    """`GET /api/v1/access/check?account=…` or `?api_key=…`: whether they may use the API now."""

    scopes = {"GET": ServiceKey.Scope.ACCESS_READ}

    def get(self, request: Request) -> Response:
        asked = CheckRequest(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        answer = access(**asked.validated_data, now=timezone.now())
        strongest = answer.restriction
        return Response(
            {
                "decision": "allow" if answer.allowed else "deny",
                "known": answer.known,
                "reason": strongest.reason if strongest else None,
                "restriction": described(strongest) if strongest else None,
                "sequence": answer.sequence,
            }
        )


class RestrictionRequest(serializers.Serializer[Any]):
    """A restriction as an automated system asks for it."""

    account = serializers.CharField(max_length=128, required=False)
    api_key = serializers.CharField(max_length=128, required=False)
    kind = serializers.ChoiceField(choices=Restriction.Kind.choices)
    reason = serializers.ChoiceField(choices=Reason.choices)
    terms_clause = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    expires_at = serializers.DateTimeField(required=False, default=None, allow_null=True)
    requests_per_minute = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False, default=None)
    unique_key = serializers.CharField(max_length=128)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This time is over already.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("account" in attrs) == ("api_key" in attrs):
            raise serializers.ValidationError("Name either an account or an api_key.")
        if attrs["kind"] == Restriction.Kind.THROTTLE and attrs["requests_per_minute"] is None:
            raise serializers.ValidationError({"requests_per_minute": "A throttle needs a limit."})
        return attrs


class Restrictions(APIView):
    """`POST /api/v1/restrictions` restricts, once for each `unique_key`; `GET` lists the newest, of one account too."""

    scopes = {
        "GET": ServiceKey.Scope.RESTRICTIONS_READ,
        "POST": ServiceKey.Scope.RESTRICTIONS_WRITE,
    }

    def get(self, request: Request) -> Response:
        restrictions = Restriction.objects.select_related("account", "key")
        account = request.query_params.get("account")
        if account is not None:
            restrictions = restrictions.of_account(account)
        return Response({"restrictions": [described(one) for one in restrictions[:NEWEST_LISTED]]})

    def post(self, request: Request) -> Response:
        wanted = RestrictionRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        fields = wanted.validated_data
        now = timezone.now()
        unique_key = f"api:{fields['unique_key']}"
        try:
            restriction = restrict(
                _target(fields.get("account"), fields.get("api_key")),
                Terms(
                    kind=Restriction.Kind(fields["kind"]),
                    reason=Reason(fields["reason"]),
                    terms_clause=fields["terms_clause"],
                    until=fields["expires_at"],
                    requests_per_minute=fields["requests_per_minute"],
                ),
                unique_key=unique_key,
                by=acting_key(request).actor,
                now=now,
            )
        except ConflictingKeyError as error:
            raise Problem(HTTPStatus.CONFLICT, "Key used before", str(error), number=error.earlier.number) from error
        created = restriction.starts_at == now
        return Response(described(restriction), status=HTTPStatus.CREATED if created else HTTPStatus.OK)


class LiftRequest(serializers.Serializer[Any]):
    """Why a restriction is lifted."""

    note = serializers.CharField(max_length=500)


class OneRestriction(APIView):
    """`GET /api/v1/restrictions/N` shows one, `DELETE` lifts it (with a `note` in the body or the query)."""

    scopes = {
        "GET": ServiceKey.Scope.RESTRICTIONS_READ,
        "DELETE": ServiceKey.Scope.RESTRICTIONS_WRITE,
    }

    def get(self, request: Request, number: int) -> Response:
        return Response(described(_restriction(number)))

    def delete(self, request: Request, number: int) -> Response:
        asked = LiftRequest(data={**request.query_params.dict(), **dict(request.data)})
        asked.is_valid(raise_exception=True)
        lift(_restriction(number), note=asked.validated_data["note"], by=acting_key(request).actor, now=timezone.now())
        return Response(described(_restriction(number)))


def described(restriction: Restriction) -> dict[str, Any]:
    """A restriction as the API shows it."""
    return {
        "number": restriction.number,
        "account": restriction.account.external_id if restriction.account else None,
        "api_key": restriction.key.external_id if restriction.key else None,
        "kind": restriction.kind,
        "reason": restriction.reason,
        "terms_clause": restriction.terms_clause,
        "requests_per_minute": restriction.requests_per_minute,
        "starts_at": restriction.starts_at,
        "expires_at": restriction.expires_at,
        "ended_at": restriction.ended_at,
        "ending": restriction.ending or None,
        "author": restriction.author,
        "ended_by": restriction.ended_by or None,
        "ending_note": restriction.ending_note or None,
    }


def _restriction(number: int) -> Restriction:
    restriction = Restriction.objects.select_related("account", "key").filter(number=number).first()
    if restriction is None:
        raise NotFound(f"There is no restriction {number}.")
    return restriction


def _target(account: str | None, api_key: str | None) -> Account | ApiKey:
    found: Account | ApiKey | None
    if api_key is not None:
        found = ApiKey.objects.filter(external_id=api_key).first()
    else:
        found = Account.objects.filter(external_id=account).first()
    if found is None:
        raise NotFound("There is no such account." if account else "There is no such key.")
    return found
