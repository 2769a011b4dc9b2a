"""Envoy's ext_authz over HTTP.

https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_authz_filter

It asks at the customer's own address, below this protocol's path.
"""

from http import HTTPStatus
from typing import Final

from governance.gateways.check.header_protocols import decision_headers, header_query
from governance.gateways.check.protocol import JSON_HEADERS, CheckProtocol, encode_json, own_header
from governance.gateways.check.request_parsing import OK, CheckResponse, RefusedRequestError
from stillwatch_gateway.refusals import refusal
from stillwatch_gateway.restriction_set import Decision


def _answer(decision: Decision, _: bool | None) -> CheckResponse:  # noqa: FBT001 - as CheckProtocol has it
    """ext_authz lets in by 200 alone. Of a refusal Envoy passes headers and body on to the customer, who must not read
    why they are restricted: so the decision's headers are left out.
    """
    if decision.allowed:
        return CheckResponse(OK, decision_headers(decision))
    return CheckResponse(HTTPStatus.FORBIDDEN, JSON_HEADERS, refusal(decision).body)


def _refusal(error: RefusedRequestError) -> CheckResponse:
    """Another status of 400 to 499 refuses as well, and the customer reads why."""
    said = {"error": {"message": str(error), "type": "access_unchecked", "param": None, "code": "access_unchecked"}}
    return CheckResponse(error.status, JSON_HEADERS, encode_json(said))


PROTOCOL: Final = CheckProtocol(
    "/access/envoy", service_key=own_header, query=header_query, answer=_answer, refuse=_refusal, is_prefix=True
)
