"""How each kind of gateway asks whether somebody has access, and how it wants to be answered."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import msgspec

from governance.gateways.check.request_parsing import (
    NO_CONTENT,
    OK,
    AccessQuery,
    CheckResponse,
    NameCollector,
    RefusedError,
    Request,
    bad_request,
    bearer,
    decoded_around_texts,
    members,
    number,
    parameter,
    parameters,
)
from stillwatch_gateway.keys import UnreadableKeysError, shown_keys, shows_token
from stillwatch_gateway.naming import listed, litellm_account
from stillwatch_gateway.normalization import is_nothing
from stillwatch_gateway.refusals import refusal
from stillwatch_gateway.restricted import Decision

encode: Final = msgspec.json.Encoder().encode
JSON: Final = [("Content-Type", "application/json")]
LONGEST_QUESTION: Final = 2**16
LONGEST_GUARDRAIL: Final = 32 * 2**20  # LiteLLM sends the prompts along, which are passed over


class CheckProtocol(NamedTuple):
    """`service_key` finds the secret that the gateway shows, `query` what it asks (raises RefusedError).

    `answer` takes the decision and, for a question about accounts, whether any is registered; `refuse` answers a
    question that cannot be answered because of what is asked.
    """

    service_key: Callable[[Request], str | None]
    query: Callable[[Request], AccessQuery]
    answer: Callable[[Decision, bool | None], CheckResponse]
    refuse: Callable[[RefusedError], CheckResponse]
    says_known: bool = False
    longest_body: int = 0  # in bytes, of a POST; of most nothing is read but headers


# Stillwatch's own: JSON ------------------------------------------------------------------------------------------


JSON_NAMES: Final = {"account": "account", "api_key": "key", "key_digest": "digest", "organisation": "organisation"}


def _json_question(request: Request) -> AccessQuery:
    """By members of the query or of a JSON object. Null, "" and what programs write for null count as not given."""
    names = NameCollector()
    if request.method == "POST":
        given: list[tuple[str, Any]] = members(request)
        min_sequence = _sequence(dict(given).get("min_sequence", 0))
    else:
        given = parameters(request.query)
        min_sequence = number(parameter(given, "min_sequence")) if len(given) > 1 else 0
    for member, value in given:
        kind = JSON_NAMES.get(member)
        if kind is None or value is None or value == "":
            continue
        if isinstance(value, str):
            names.add(kind, value)
        else:
            names.unreadable = f"{member} is no text."
    if not names.found and not names.unreadable:
        raise bad_request("Name an account, an api_key, a key_digest or an organisation.")
    return AccessQuery(names.found, min_sequence, names.unreadable)


def _sequence(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise bad_request("A sequence is a whole number.")
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


def _json_answer(decision: Decision, known: bool | None) -> CheckResponse:  # noqa: FBT001 - as Dialect has it
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
    return CheckResponse(OK, JSON, encode(said))


# Those that decide by the status and pass headers on -------------------------------------------------------------


HEADER_NAMES: Final = (
    ("account", b"x-stillwatch-account"),
    ("key", b"x-stillwatch-api-key"),
    ("digest", b"x-stillwatch-key-digest"),
    ("organisation", b"x-stillwatch-organisation"),
)
UNNAMED: Final = "Show an API key, as a bearer token or as X-Api-Key."


def _header_question(request: Request) -> AccessQuery:
    """By headers that the gateway sets, and by the API keys that the customer shows.

    Each only adds a name, so that no customer gets out of a restriction by sending such a header. Raises RefusedError
    where there is no name at all: an API that is open to some other credential would be open to everybody.
    """
    names = NameCollector()
    for kind, header in HEADER_NAMES:
        if (value := request.sent(header)) is not None:
            names.add_header(kind, value)
    authorization, api_key = request.header(b"authorization"), request.sent(b"x-api-key")
    for value in (authorization, api_key):
        if value is not None and not (value and ("," not in value or all(listed(value)))):
            names.unreadable = "An API key was shown that cannot be read: it is blank, or not ASCII."
    # A credential of another scheme may hold a blocked key, but is no name by which to let anybody in.
    if not (names.found or names.unreadable or api_key or shows_token(authorization or "")):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "No name", UNNAMED)
    if authorization or api_key:
        try:
            names.found += [f"digest:{digest}" for digest in shown_keys(authorization or "", api_key or "")]
        except UnreadableKeysError as error:
            names.unreadable = str(error)
    return AccessQuery(names.found, 0, names.unreadable)


def _decision_headers(decision: Decision) -> list[tuple[str, str]]:
    headers = [
        ("X-Stillwatch-Decision", "allow" if decision.allowed else "deny"),
        ("X-Stillwatch-Epoch", decision.epoch),
        ("X-Stillwatch-Sequence", str(decision.sequence)),
    ]
    if decision.number is not None:
        headers += [
            ("X-Stillwatch-Restriction", str(decision.number)),
            ("X-Stillwatch-Kind", str(decision.kind)),
            ("X-Stillwatch-Reason", str(decision.reason)),
        ]
    if decision.requests_per_minute is not None:
        headers.append(("X-Stillwatch-Requests-Per-Minute", str(decision.requests_per_minute)))
    if decision.tokens_per_minute is not None:
        headers.append(("X-Stillwatch-Tokens-Per-Minute", str(decision.tokens_per_minute)))
    if decision.withheld:
        headers.append(("X-Stillwatch-Withheld", ",".join(decision.withheld)))
    return headers


def _nginx_answer(decision: Decision, _: bool | None) -> CheckResponse:  # noqa: FBT001 - as Dialect has it
    """auth_request knows 2xx, 401 and 403; anything else is an error to it."""
    status = NO_CONTENT if decision.allowed else HTTPStatus.FORBIDDEN
    return CheckResponse(status, _decision_headers(decision))


def _nginx_refusal(error: RefusedError) -> CheckResponse:
    status = HTTPStatus.UNAUTHORIZED if error.status == HTTPStatus.UNAUTHORIZED else HTTPStatus.FORBIDDEN
    return error.answer()._replace(status=status)


def _envoy_answer(decision: Decision, _: bool | None) -> CheckResponse:  # noqa: FBT001 - as Dialect has it
    """ext_authz lets in by 200 alone; of anything else the customer gets the body."""
    if decision.allowed:
        return CheckResponse(OK, _decision_headers(decision))
    return CheckResponse(HTTPStatus.FORBIDDEN, JSON + _decision_headers(decision), refusal(decision).body)


def _envoy_refusal(error: RefusedError) -> CheckResponse:
    """Another status of 400 to 499 refuses as well, and the customer reads why."""
    said = {"error": {"message": str(error), "type": "access_unchecked", "param": None, "code": "access_unchecked"}}
    return CheckResponse(error.status, JSON, encode(said))


# LiteLLM's generic guardrail API ---------------------------------------------------------------------------------


class _Metadata(msgspec.Struct):
    user_api_key_hash: str | None = None
    user_api_key_user_id: str | None = None
    user_api_key_team_id: str | None = None
    user_api_key_org_id: str | None = None


class _Guardrail(msgspec.Struct):
    request_data: _Metadata = msgspec.field(default_factory=_Metadata)


def _litellm_question(request: Request) -> AccessQuery:
    asked = decoded_around_texts(request, _Guardrail).request_data
    key = asked.user_api_key_hash
    account = litellm_account(asked.user_api_key_team_id, asked.user_api_key_user_id, key)
    names = NameCollector()
    known = {"account": account, "key": key, "digest": key, "organisation": asked.user_api_key_org_id}
    for kind, name in known.items():
        if name and not is_nothing(name):  # white space too, which LiteLLM sends for its own requests
            names.add(kind, name)
    return AccessQuery(names.found, 0, names.unreadable)


def _litellm_answer(decision: Decision, _: bool | None) -> CheckResponse:  # noqa: FBT001 - as Dialect has it
    body = {"action": "NONE"}
    if not decision.allowed:
        body = {"action": "BLOCKED", "blocked_reason": refusal(decision).message}
    return CheckResponse(OK, JSON, encode(body))


def _litellm_refusal(error: RefusedError) -> CheckResponse:
    """In place of a status that is an error, after which LiteLLM may let the customer in: what is asked is theirs."""
    return CheckResponse(OK, JSON, encode({"action": "BLOCKED", "blocked_reason": str(error)}))


# Which is spoken where -------------------------------------------------------------------------------------------


def _gateways_own(request: Request) -> str | None:
    """A header that customers' requests cannot bring in, since the gateway sets it: Authorization is the customer's."""
    return request.header(b"x-stillwatch-key")


PLAIN: Final = CheckProtocol(
    lambda request: bearer(request) or _gateways_own(request),
    _json_question,
    _json_answer,
    RefusedError.answer,
    says_known=True,
    longest_body=LONGEST_QUESTION,
)
NGINX: Final = CheckProtocol(_gateways_own, _header_question, _nginx_answer, _nginx_refusal)
ENVOY: Final = CheckProtocol(_gateways_own, _header_question, _envoy_answer, _envoy_refusal)
LITELLM: Final = CheckProtocol(
    lambda request: request.header(b"x-api-key") or _gateways_own(request) or bearer(request),
    _litellm_question,
    _litellm_answer,
    _litellm_refusal,
    longest_body=LONGEST_GUARDRAIL,
)
