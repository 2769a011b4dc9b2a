"""What automated systems put into force and lift, and access as PostgreSQL itself knows it."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Account, ApiKey, Organisation
from accounts.normalization import normalize_id
from governance.audit.actor import Actor
from governance.enforcement.actions import (
    ConflictingKeyError,
    Terms,
    campaign_accounts,
    lift,
    lift_campaign,
    restrict_all,
    restrict_campaign,
)
from governance.enforcement.models import Reason, Restriction
from governance.enforcement.names import Target
from governance.enforcement.queries import Touched, access, last_number, touched
from governance.risk.models import Campaign
from governance.staff.models import ServiceKey
from governance.web.authentication import acting_key
from governance.web.idempotency import idempotency_key, once
from governance.web.problems import Problem

NEWEST_LISTED = 200
MOST_AT_ONCE = 1_000
TARGETS = ("account", "api_key", "organisation", "campaign")


class CheckRequest(serializers.Serializer[Any]):
    """Either `account` or `api_key`, as the seller calls them."""

    account = serializers.CharField(max_length=128, required=False)
    api_key = serializers.CharField(max_length=128, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name either an account or an api_key.")
        return attrs


class CheckAccess(APIView):
    """`GET /api/v1/access/check?account=…` or `?api_key=…`: whether they may use the API now, asked of PostgreSQL.

    For people and scripts: gateways ask /access/check, which answers from memory.
    """

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
    organisation = serializers.CharField(max_length=128, required=False)
    campaign = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(choices=Restriction.Kind.choices)
    reason = serializers.ChoiceField(choices=Reason.choices)
    terms_clause = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    starts_at = serializers.DateTimeField(required=False, default=None, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, default=None, allow_null=True)
    requests_per_minute = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False, default=None)
    tokens_per_minute = serializers.IntegerField(min_value=1, max_value=10**12, required=False, default=None)
    withheld = serializers.ListField(
        child=serializers.ChoiceField(choices=Restriction.Withheld.choices), required=False, default=list
    )
    unique_key = serializers.CharField(max_length=128, required=False)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This time is over already.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(target in attrs for target in TARGETS) != 1:
            raise serializers.ValidationError("Name one: an account, an api_key, an organisation or a campaign.")
        if attrs["kind"] == Restriction.Kind.THROTTLE and not (
            attrs["requests_per_minute"] or attrs["tokens_per_minute"]
        ):
            raise serializers.ValidationError(
                {"requests_per_minute": "A throttle needs a limit, or tokens_per_minute."}
            )
        if attrs["kind"] == Restriction.Kind.WITHHOLD and not attrs["withheld"]:
            raise serializers.ValidationError({"withheld": "Say what is withheld."})
        starts, ends = attrs["starts_at"], attrs["expires_at"]
        if starts is not None and ends is not None and ends <= starts:
            raise serializers.ValidationError({"expires_at": "It must end after it starts."})
        if "unique_key" not in attrs and not self.context["dry_run"]:
            key = self.context["idempotency_key"]
            if not key:
                raise serializers.ValidationError({"unique_key": "This, or the header Idempotency-Key, is needed."})
            attrs["unique_key"] = key
        return attrs


class Restrictions(APIView):
    """`POST /api/v1/restrictions` restricts one, many or a campaign, `GET` lists, `DELETE` lifts those of a campaign.

    `"dry_run": true` says who would be hit and changes nothing.
    """

    scopes = {
        "GET": ServiceKey.Scope.RESTRICTIONS_READ,
        "POST": ServiceKey.Scope.RESTRICTIONS_WRITE,
        "DELETE": ServiceKey.Scope.RESTRICTIONS_WRITE,
    }

    def get(self, request: Request) -> Response:
        restrictions = Restriction.objects.select_related("account", "key", "organisation")
        wanted = request.query_params
        if "account" in wanted:
            restrictions = restrictions.of_account(normalize_id(wanted["account"]))
        if "campaign" in wanted:
            restrictions = restrictions.filter(campaign=_campaign(wanted["campaign"]))
        if wanted.get("live") == "true":
            restrictions = restrictions.in_force(at=timezone.now())
        if "before" in wanted:
            restrictions = restrictions.filter(number__lt=_whole(wanted["before"]))
        listed = list(restrictions[:NEWEST_LISTED])
        more = listed[-1].number if len(listed) == NEWEST_LISTED else None
        return Response({"restrictions": [described(one) for one in listed], "before": more})

    def post(self, request: Request) -> Response:
        return once(request, lambda: self._act(request))

    def _act(self, request: Request) -> Response:
        data = request.data
        if not isinstance(data, dict):
            raise ValidationError("This must be a JSON object.")
        dry_run = data.get("dry_run") is True
        if "restrictions" in data:
            return self._many(request, data["restrictions"], dry_run=dry_run)
        return self._one(request, data, dry_run=dry_run)

    def _one(self, request: Request, data: Mapping[str, Any], *, dry_run: bool, place: str = "") -> Response:
        context = {"dry_run": dry_run, "idempotency_key": idempotency_key(request) + place}
        wanted = RestrictionRequest(data=data, context=context)
        wanted.is_valid(raise_exception=True)
        fields = wanted.validated_data
        now = timezone.now()
        target = _target(fields)
        if dry_run:
            return Response(_would(target, now=now))
        try:
            return _restrict(target, fields, by=acting_key(request).actor, now=now)
        except ConflictingKeyError as error:
            raise Problem(HTTPStatus.CONFLICT, "Key used before", str(error), number=error.earlier.number) from error

    def _many(self, request: Request, asked: object, *, dry_run: bool) -> Response:
        """Each by itself, so that a bad one refuses no other."""
        if not isinstance(asked, list) or not 0 < len(asked) <= MOST_AT_ONCE:
            raise ValidationError({"restrictions": f"This must be a list of 1 to {MOST_AT_ONCE:,}."})
        results: list[dict[str, Any]] = []
        for place, data in enumerate(asked):
            try:
                if not isinstance(data, dict):
                    raise ValidationError("This must be a JSON object.")
                response = self._one(request, data, dry_run=dry_run, place=f"/{place}")
                results.append({"status": response.status_code} | response.data)
            except APIException as error:
                results.append({"status": error.status_code, "error": error.detail})
        refused = sum("error" in result for result in results)
        counts = {"done": len(results) - refused, "refused": refused, "sequence": last_number()}
        return Response(counts | {"results": results})

    def delete(self, request: Request) -> Response:
        asked = LiftRequest(data={**request.query_params.dict(), **dict(request.data)})
        asked.is_valid(raise_exception=True)
        campaign = _campaign(request.query_params.get("campaign"))
        note, by = asked.validated_data["note"], acting_key(request).actor
        lifted = lift_campaign(campaign, note=note, by=by, now=timezone.now())
        return Response({"lifted": lifted, "sequence": last_number()})


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
        return Response(described(_restriction(number)) | {"sequence": last_number()})


def described(restriction: Restriction) -> dict[str, Any]:
    """A restriction as the API shows it."""
    return {
        "number": restriction.number,
        "account": restriction.account.external_id if restriction.account else None,
        "api_key": restriction.key.external_id if restriction.key else None,
        "organisation": restriction.organisation.external_id if restriction.organisation else None,
        "campaign": restriction.campaign_id,
        "kind": restriction.kind,
        "reason": restriction.reason,
        "terms_clause": restriction.terms_clause,
        "requests_per_minute": restriction.requests_per_minute,
        "tokens_per_minute": restriction.tokens_per_minute,
        "withheld": restriction.withheld,
        "starts_at": restriction.starts_at,
        "expires_at": restriction.expires_at,
        "ended_at": restriction.ended_at,
        "ending": restriction.ending or None,
        "author": restriction.author,
        "approver": restriction.approver or None,
        "ended_by": restriction.ended_by or None,
        "ending_note": restriction.ending_note or None,
    }


def _restrict(target: Target | Campaign, fields: Mapping[str, Any], *, by: Actor, now: datetime) -> Response:
    terms = Terms(
        kind=Restriction.Kind(fields["kind"]),
        reason=Reason(fields["reason"]),
        starts_at=fields["starts_at"],
        until=fields["expires_at"],
        terms_clause=fields["terms_clause"],
        requests_per_minute=fields["requests_per_minute"],
        tokens_per_minute=fields["tokens_per_minute"],
        withheld=fields["withheld"],
    )
    unique_key = f"api:{fields['unique_key']}"
    if isinstance(target, Campaign):
        done = restrict_campaign(target, terms, unique_key=unique_key, by=by, now=now)
        body = {
            "campaign": target.pk,
            "restrictions": [{"number": one.number, "account": one.target.external_id} for one in done.restrictions],
            "created": len(done.new),
            "sequence": last_number(),
        }
        return Response(body, status=HTTPStatus.CREATED if done.new else HTTPStatus.OK)
    [restriction], new = restrict_all([(target, unique_key)], terms, by=by, now=now)
    body = described(restriction) | {"sequence": last_number()}
    return Response(body, status=HTTPStatus.CREATED if new else HTTPStatus.OK)


def _would(target: Target | Campaign, *, now: datetime) -> dict[str, Any]:
    accounts = touched(campaign_accounts(target) if isinstance(target, Campaign) else [target], now=now)
    return {"dry_run": True, "accounts": len(accounts), "would_restrict": [_shown(one) for one in accounts]}


def _shown(one: Touched) -> dict[str, Any]:
    return {
        "account": one.account.external_id,
        "organisation": one.account.organisation.external_id if one.account.organisation else None,
        "plan": one.account.plan,
        "keys": one.keys,
        "training_permitted": one.training_permitted,
        "in_force": one.in_force,
    }


def _restriction(number: int) -> Restriction:
    restriction = Restriction.objects.select_related("account", "key", "organisation").filter(number=number).first()
    if restriction is None:
        raise NotFound(f"There is no restriction {number}.")
    return restriction


def _target(fields: Mapping[str, Any]) -> Target | Campaign:
    if "campaign" in fields:
        return _campaign(fields["campaign"])
    found: Account | ApiKey | Organisation | None
    if "api_key" in fields:
        found = ApiKey.objects.filter(external_id=normalize_id(fields["api_key"])).first()
    elif "organisation" in fields:
        found = Organisation.objects.filter(external_id=normalize_id(fields["organisation"])).first()
    else:
        found = Account.objects.filter(external_id=normalize_id(fields["account"])).first()
    if found is None:
        [named] = [name for name in TARGETS if name in fields]
        raise NotFound(f"There is no such {named.replace('api_', '')}.")
    return found


def _campaign(pk: str | UUID | None) -> Campaign:
    try:
        campaign = Campaign.objects.filter(pk=UUID(str(pk))).first()
    except ValueError as error:
        raise ValidationError({"campaign": "This is no id of a campaign."}) from error
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return campaign


def _whole(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise ValidationError({"before": "This is no whole number."})
    return int(value)
