"""The API by which automated systems restrict and lift."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import APIException, AuthenticationFailed, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Account, ApiKey, Organisation
from governance.campaigns.models import Campaign
from governance.restrictions.actions import campaign_accounts, lift_campaign, restrict_all, restrict_campaign
from governance.restrictions.conflicts import ConflictingKeyError, StartsLaterError
from governance.restrictions.descriptions import (
    describe_lift,
    describe_lift_campaign,
    describe_list,
    describe_one,
    describe_restrict,
)
from governance.restrictions.lifting import ChangedMeanwhileError, lift_as_seen
from governance.restrictions.models import Restriction
from governance.restrictions.names import Target
from governance.restrictions.queries import affected_accounts, find_newest_numbers, last_number
from governance.restrictions.serializers import (
    TARGETS,
    BatchRequest,
    LiftCampaignRequest,
    LiftRequest,
    RestrictionListQuery,
    RestrictionRequest,
    RestrictionRow,
    RestrictQuery,
    affected_account_as_json,
    restriction_as_json,
    row_as_json,
)
from governance.restrictions.terms import parse_terms
from governance.staff.models import ServiceKey
from governance.web.authentication import acting_key
from governance.web.cursors import Cursor
from governance.web.etags import etag_of, is_as_seen, is_known_already
from governance.web.idempotency import LONGEST_KEY, UnusableKeyError, idempotency_key, run_once
from governance.web.parsing import StrictSerializer, parse_object, parse_query
from governance.web.problems import Problem
from governance.web.row_lists import RowsView, filtered


@describe_list
class RestrictionsView(RowsView):
    """`POST /api/v1/restrictions` restricts one, many or a campaign, `GET` lists, `DELETE` lifts those of a campaign.

    `"dry_run": true` says who would be hit and changes nothing.
    """

    scopes = {
        "GET": ServiceKey.Scope.RESTRICTIONS_READ,
        "POST": ServiceKey.Scope.RESTRICTIONS_WRITE,
        "DELETE": ServiceKey.Scope.RESTRICTIONS_WRITE,
    }

    list_name, query, row, order = "restrictions", RestrictionListQuery, RestrictionRow, ("-number",)
    # What is blank or in any order in the database is not where it is shown.
    needed = ("ending", "approver", "ended_by", "ending_note", "withheld")

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Restriction]:
        restrictions = Restriction.objects.all()
        if "account" in asked:
            restrictions = restrictions.of_account(asked["account"])
        if "campaign" in asked:
            restrictions = restrictions.filter(campaign=_campaign(asked["campaign"]))
        if asked["live"]:
            restrictions = restrictions.in_force(at=timezone.now())
        return filtered(restrictions, asked, {"before": "number__lt"}, "kind", "reason")

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        return row_as_json(row)

    def page_members(self, following: Cursor | None) -> dict[str, Any]:
        return {"before": following.values[0] if following else None}

    @describe_restrict
    def post(self, request: Request) -> Response:
        # Of a batch in which some were refused the rest may be sent again, corrected, under the same key.
        return run_once(
            request,
            lambda: self._act(request),
            is_kept=lambda response: not response.data.get("refused"),
            in_one_transaction=_is_about_one(request),
        )

    def _act(self, request: Request) -> Response:
        data, dry_run = parse_object(request), _valid(RestrictQuery(data=parse_query(request)))["dry_run"]
        if "restrictions" in data:
            return self._many(request, _valid(BatchRequest(data=data)), dry_run=dry_run)
        return self._one(request, data, dry_run=dry_run)

    def _one(self, request: Request, data: object, *, dry_run: bool, of_many: bool = False) -> Response:
        if not isinstance(data, dict):
            raise ValidationError("This must be a JSON object.")
        key, now = acting_key(request), timezone.now()
        fields = _valid(RestrictionRequest(data=data, context={"now": now}))
        target = _target(fields)
        if dry_run or fields["dry_run"]:
            return Response(_would(target, now=now))
        unique_key = _unique_key(request, fields, of_many=of_many)
        try:
            return _restrict(target, fields, unique_key=unique_key, key=key, now=now)
        except ConflictingKeyError as error:
            differences = {name: difference._asdict() for name, difference in error.differences.items()}
            raise Problem(
                HTTPStatus.CONFLICT,
                "Key already used",
                str(error),
                number=error.earlier.number,
                differences=differences,
            ) from error
        except StartsLaterError as error:
            raise Problem(HTTPStatus.CONFLICT, "Already restricted", str(error), number=error.active.number) from error

    def _many(self, request: Request, asked: Mapping[str, Any], *, dry_run: bool) -> Response:
        """Each by itself, so that a bad one refuses no other."""
        results: list[dict[str, Any]] = []
        for data in asked["restrictions"]:
            try:
                response = self._one(request, data, dry_run=dry_run or asked["dry_run"], of_many=True)
                results.append({"status": response.status_code} | response.data)
            except AuthenticationFailed:  # the key was revoked meanwhile: what is left is not done
                raise
            except APIException as error:
                members = error.members if isinstance(error, Problem) else {}
                results.append({"status": error.status_code, "error": error.detail, **members})
        refused = sum("error" in result for result in results)
        counts = {"done": len(results) - refused, "refused": refused, "sequence": last_number()}
        return Response(counts | {"results": results})

    @describe_lift_campaign
    def delete(self, request: Request) -> Response:
        asked = _valid(LiftCampaignRequest(data=_query_or_body(request)))
        lifted = lift_campaign(
            _campaign(asked["campaign"]), note=asked["note"], by=acting_key(request).actor, now=timezone.now()
        )
        return Response({"lifted": lifted, "sequence": last_number()})


class RestrictionView(APIView):
    """`GET /api/v1/restrictions/N` shows one, `DELETE` lifts it (with a `note` in the body or the query).

    One that was replaced for a time and restored under another number is lifted, and answered, under that. `lifted`
    says whether this request did that, or whether it had ended before.
    """

    scopes = {
        "GET": ServiceKey.Scope.RESTRICTIONS_READ,
        "DELETE": ServiceKey.Scope.RESTRICTIONS_WRITE,
    }

    @describe_one
    def get(self, request: Request, number: int) -> Response:
        shown = restriction_as_json(_restriction(number))
        etag = etag_of(shown)
        if is_known_already(request, etag):
            return Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
        return Response(shown, headers={"ETag": etag})

    @describe_lift
    def delete(self, request: Request, number: int) -> Response:
        asked = _valid(LiftRequest(data=_query_or_body(request)))
        try:
            lifted = lift_as_seen(
                _restriction(number),
                is_as_seen=lambda current: is_as_seen(request, etag_of(restriction_as_json(current))),
                note=asked["note"],
                by=acting_key(request).actor,
                now=timezone.now(),
            )
        except ChangedMeanwhileError as error:
            detail = f"Restriction {number} is not what If-Match names any more; it was not lifted."
            raise Problem(HTTPStatus.PRECONDITION_FAILED, "Changed meanwhile", detail) from error
        newest = restriction_as_json(_restriction(find_newest_numbers([number])[number]))
        body = newest | {"lifted": lifted, "sequence": last_number()}
        return Response(body, headers={"ETag": etag_of(newest)})


def _is_about_one(request: Request) -> bool:
    """Return True for a request that restricts one target alone, and so holds locks for a moment only."""
    return not {"restrictions", "campaign"} & set(parse_object(request))


def _valid(asked: StrictSerializer) -> Mapping[str, Any]:
    """Raises ValidationError."""
    asked.is_valid(raise_exception=True)
    fields: Mapping[str, Any] = asked.validated_data
    return fields


def _query_or_body(request: Request) -> dict[str, Any]:
    """What is given in the query and in the body. Raises ValidationError where something is given in both."""
    query, body = parse_query(request), parse_object(request)
    if twice := sorted(set(query) & set(body)):
        raise ValidationError(dict.fromkeys(twice, "Give this in the query or in the body."))
    return query | body


def _unique_key(request: Request, fields: Mapping[str, Any], *, of_many: bool) -> str:
    """By what the request is known when it is sent again: the key it gives, or none that anything else can have.

    Of many, each is known by the header with whom it is against and how, so that it may move within the list.
    """
    if given := fields.get("unique_key"):
        if len(given) > LONGEST_KEY:
            raise UnusableKeyError(f"A unique_key has at most {LONGEST_KEY} characters.")
        return str(given)
    if not (header := idempotency_key(request)):
        return str(uuid4())
    if not of_many:
        return header
    place = "/".join([fields["kind"], *(f"{target}:{fields[target]}" for target in TARGETS if target in fields)])
    return f"{header}/{hashlib.sha256(place.encode()).hexdigest()[:32]}"


def _restrict(
    target: Target | Campaign, fields: Mapping[str, Any], *, unique_key: str, key: ServiceKey, now: datetime
) -> Response:
    """Keys belong to the service key that gives them."""
    terms = parse_terms(fields, until=fields["expires_at"])
    unique_key, by = f"api:{key.pk}:{unique_key}", key.actor
    if isinstance(target, Campaign):
        done = restrict_campaign(target, terms, unique_key=unique_key, by=by, now=now)
        body = {
            "campaign": target.pk,
            "restrictions": [
                {"number": one.number, "account": one.target.external_id, "ended_at": one.ended_at}
                for one in done.restrictions
            ],
            "created": len(done.new),
            "sequence": last_number(),
        }
        return Response(body, status=HTTPStatus.CREATED if done.new else HTTPStatus.OK)
    [restriction], new = restrict_all([(target, unique_key)], terms, by=by, now=now)
    body = restriction_as_json(restriction) | {"sequence": last_number()}
    return Response(body, status=HTTPStatus.CREATED if new else HTTPStatus.OK)


def _would(target: Target | Campaign, *, now: datetime) -> dict[str, Any]:
    accounts = affected_accounts(campaign_accounts(target) if isinstance(target, Campaign) else [target], now=now)
    return {
        "dry_run": True,
        "accounts": len(accounts),
        "would_restrict": [affected_account_as_json(one) for one in accounts],
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
        found = ApiKey.objects.filter(external_id=fields["api_key"]).first()
    elif "organisation" in fields:
        found = Organisation.objects.filter(external_id=fields["organisation"]).first()
    else:
        found = Account.objects.filter(external_id=fields["account"]).first()
    if found is None:
        [named] = [name for name in TARGETS if name in fields]
        raise NotFound(f"There is no such {named.replace('api_', '')}.")
    return found


def _campaign(pk: UUID) -> Campaign:
    campaign = Campaign.objects.filter(pk=pk).first()
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return campaign
