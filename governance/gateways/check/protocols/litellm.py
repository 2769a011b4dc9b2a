"""LiteLLM's generic guardrail API.

https://docs.litellm.ai/docs/adding_provider/generic_guardrail_api
"""

from typing import Final

import msgspec

from governance.gateways.check.protocol import JSON_HEADERS, CheckProtocol, encode_json, own_header
from governance.gateways.check.request_parsing import (
    OK,
    AccessQuery,
    CheckResponse,
    NameCollector,
    RefusedRequestError,
    Request,
    decode_body_leniently,
    shown_bearer_token,
)
from stillwatch_gateway.naming import litellm_account
from stillwatch_gateway.normalization import is_nothing
from stillwatch_gateway.refusals import refusal
from stillwatch_gateway.restriction_set import Decision

LONGEST_BODY: Final = 32 * 2**20  # LiteLLM sends the prompts along, which are passed over


class _Metadata(msgspec.Struct):
    user_api_key_hash: str | None = None
    user_api_key_user_id: str | None = None
    user_api_key_team_id: str | None = None
    user_api_key_org_id: str | None = None


class _Guardrail(msgspec.Struct):
    request_data: _Metadata = msgspec.field(default_factory=_Metadata)


def _query(request: Request) -> AccessQuery:
    asked = decode_body_leniently(request, _Guardrail).request_data
    key = asked.user_api_key_hash
    account = litellm_account(asked.user_api_key_team_id, asked.user_api_key_user_id, key)
    names = NameCollector()
    known = {"account": account, "key": key, "digest": key, "organisation": asked.user_api_key_org_id}
    for kind, name in known.items():
        if name and not is_nothing(name):  # white space too, which LiteLLM sends for its own requests
            names.add(kind, name)
    return AccessQuery(names.found, 0, names.unreadable)


def _answer(decision: Decision, _: bool | None) -> CheckResponse:  # noqa: FBT001 - as CheckProtocol has it
    body = {"action": "NONE"}
    if not decision.allowed:
        body = {"action": "BLOCKED", "blocked_reason": refusal(decision).message}
    return CheckResponse(OK, JSON_HEADERS, encode_json(body))


def _refusal(error: RefusedRequestError) -> CheckResponse:
    """In place of a status that is an error, after which LiteLLM may let the customer in: what is asked is theirs."""
    return CheckResponse(OK, JSON_HEADERS, encode_json({"action": "BLOCKED", "blocked_reason": str(error)}))


PROTOCOL: Final = CheckProtocol(
    "/beta/litellm_basic_guardrail_api",
    service_key=lambda request: request.header(b"x-api-key") or own_header(request) or shown_bearer_token(request),
    query=_query,
    answer=_answer,
    refuse=_refusal,
    longest_body=LONGEST_BODY,
)
