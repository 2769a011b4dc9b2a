"""Whether an account has access, read from PostgreSQL. Gateways ask the check (gateways/check) instead."""

from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.gateways.check import request_parsing as asking
from governance.gateways.check.protocols.json_check import JSON_NAMES
from governance.restrictions.descriptions import describe_access
from governance.restrictions.names import Names, group_by_kind
from governance.restrictions.queries import access_by_possible_names
from governance.restrictions.serializers import (
    CheckRequest,
    restriction_as_json,
)
from governance.staff.models import ServiceKey
from governance.web.parsing import parse_query


class CheckAccessView(APIView):
    """`GET /api/v1/access/check?account=…` or `?api_key=…`: whether they may use the API now, asked of PostgreSQL.

    For people and scripts: gateways ask /access/check, which answers from memory.
    """

    scopes = {"GET": ServiceKey.Scope.ACCESS_READ}
    throttle_classes = ()  # see governance/web/rate_limits.py

    @describe_access
    def get(self, request: Request) -> Response:
        asked = CheckRequest(data=parse_query(request))
        asked.is_valid(raise_exception=True)
        names = _names_in(request)
        answer = access_by_possible_names(accounts=names["account"], api_keys=names["key"], now=timezone.now())
        strongest = answer.restriction
        return Response(
            {
                "decision": "allow" if answer.allowed else "deny",
                "known": answer.known,
                "reason": strongest.reason if strongest else None,
                "restriction": restriction_as_json(strongest) if strongest else None,
                "sequence": answer.sequence,
            }
        )


def _names_in(request: Request) -> Names:
    """The names that the query asks about, read as the hot check reads them. Raises ValidationError."""
    names = asking.NameCollector()
    try:
        for member, value in asking.query_parameters(request.META.get("QUERY_STRING", "")):
            names.add(JSON_NAMES[member], value)
    except asking.RefusedRequestError as error:
        raise ValidationError(str(error)) from error
    if names.unreadable:
        raise ValidationError(names.unreadable)
    return group_by_kind((kind, name) for kind, _, name in (one.partition(":") for one in names.found))
