"""Stillwatch's own protocol: names in the query or in a JSON object, and a decision as JSON."""

from typing import Any, Final

import msgspec

from governance.gateways.check.protocol import JSON_HEADERS, CheckProtocol, encode_json, own_header
from governance.gateways.check.request_parsing import (
    OK,
    AccessQuery,
    CheckResponse,
    NameCollector,
    RefusedRequestError,
    Request,
    bad_request_error,
    body_members,
    last_value,
    parse_sequence,
    query_parameters,
    shown_bearer_token,
)
from stillwatch_gateway.restriction_set import Decision

LONGEST_BODY: Final = 2**16
JSON_NAMES: Final = {"account": "account", "api_key": "key", "key_digest": "digest", "organisation": "organisation"}


def _query(request: Request) -> AccessQuery:
    """By members of the query or of a JSON object. Null, "" and what programs write for null count as not given."""
    names = NameCollector()
    if request.method == "POST":
        given: list[tuple[str, Any]] = body_members(request)
        min_sequence = _sequence(dict(given).get("min_sequence", 0))
    else:
        given = query_parameters(request.query)
        min_sequence = parse_sequence(last_value(given, "min_sequence")) if len(given) > 1 else 0
    for member, value in given:
        kind = JSON_NAMES.get(member)
        if kind is None or value is None or value == "":
            continue
        if isinstance(value, str):
            names.add(kind, value)
        else:
            names.unreadable = f"{member} is not text."
    if not names.found and not names.unreadable:
        raise bad_request_error("Name an account, an api_key, a key_digest or an organisation.")
    return AccessQuery(names.found, min_sequence, names.unreadable)


def _sequence(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise bad_request_error("A sequence must be a whole number.")
    return value


class _Limits(msgspec.Struct):
    requests_per_minute: int | None
    tokens_per_minute: int | None


class _Strongest(msgspec.Struct):
    number: int
    kind: str | None


class _JsonAnswer(msgspec.Struct):
    decision: str
    reason: str | None
    restriction: _Strongest | None
    known: bool | None
    limits: _Limits
    withheld: tuple[str, ...]
    epoch: str
    sequence: int
    age: float


def _answer(decision: Decision, known: bool | None) -> CheckResponse:  # noqa: FBT001 - as CheckProtocol has it
    allowed, kind, reason, number, requests, tokens, withheld, sequence, age, _, _, epoch = decision
    said = _JsonAnswer(
        "allow" if allowed else "deny",
        reason,
        None if number is None else _Strongest(number, kind),
        known,
        _Limits(requests, tokens),
        withheld,
        epoch,
        sequence,
        int(1000 * age) / 1000,
    )
    return CheckResponse(OK, JSON_HEADERS, encode_json(said))


PROTOCOL: Final = CheckProtocol(
    "/access/check",
    service_key=lambda request: shown_bearer_token(request) or own_header(request),
    query=_query,
    answer=_answer,
    refuse=RefusedRequestError.answer,
    says_known=True,
    says_unreadable=True,
    longest_body=LONGEST_BODY,
)
