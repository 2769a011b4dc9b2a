"""NGINX's auth_request.

https://nginx.org/en/docs/http/ngx_http_auth_request_module.html
"""

from http import HTTPStatus
from typing import Final

from governance.gateways.check.header_protocols import decision_headers, header_query
from governance.gateways.check.protocol import CheckProtocol, own_header
from governance.gateways.check.request_parsing import NO_CONTENT, CheckResponse, RefusedRequestError
from stillwatch_gateway.restriction_set import Decision


def _answer(decision: Decision, _: bool | None) -> CheckResponse:  # noqa: FBT001 - as CheckProtocol has it
    """auth_request knows 2xx, 401 and 403; anything else is an error to it."""
    status = NO_CONTENT if decision.allowed else HTTPStatus.FORBIDDEN
    return CheckResponse(status, decision_headers(decision))


def _refusal(error: RefusedRequestError) -> CheckResponse:
    status = HTTPStatus.UNAUTHORIZED if error.status == HTTPStatus.UNAUTHORIZED else HTTPStatus.FORBIDDEN
    return error.answer()._replace(status=status)


PROTOCOL: Final = CheckProtocol(
    "/access/nginx", service_key=own_header, query=header_query, answer=_answer, refuse=_refusal
)
