"""How each kind of gateway asks whether somebody has access, and how it wants to be answered."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from governance.enforcement.access.asking import (
    NO_CONTENT,
    OK,
    Answer,
    Environ,
    Question,
    bad_question,
    bearer,
    decoded,
    names,
    number,
    parameters,
)
from stillwatch_gateway.naming import digest, litellm_account
from stillwatch_gateway.refusing import refusal
from stillwatch_gateway.restricted import Decision

encode: Final = msgspec.json.Encoder().encode
JSON: Final = [("Content-Type", "application/json")]
LONGEST_QUESTION: Final = 2**16
LONGEST_GUARDRAIL: Final = 32 * 2**20  # LiteLLM sends the prompts along, which are passed over


class Dialect(NamedTuple):
    """`service_key` finds the secret that the gateway shows, `question` what it asks (raises RefusedError)."""

    service_key: Callable[[Environ], str | None]
    question: Callable[[Environ], Question]
    answer: Callable[[Decision], Answer]


# Stillwatch's own: JSON ------------------------------------------------------------------------------------------


JSON_NAMES: Final = (
    ("account", "account"),
    ("key", "api_key"),
    ("digest", "key_digest"),
    ("organisation", "organisation"),
)


class _JsonQuestion(msgspec.Struct):
    account: str | None = None
    api_key: str | None = None
    key_digest: str | None = None
    organisation: str | None = None
    min_sequence: int = 0


def _json_question(environ: Environ) -> Question:
    if environ["REQUEST_METHOD"] == "POST":
        asked = decoded(environ, _JsonQuestion, most=LONGEST_QUESTION)
        given, min_sequence = msgspec.structs.asdict(asked), asked.min_sequence
    else:
        given = parameters(environ)
        min_sequence = number(given.get("min_sequence"))
    named = names(given, JSON_NAMES)
    if not named:
        raise bad_question("Name an account, an api_key, a key_digest or an organisation.")
    return Question(named, min_sequence)


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
    limits: _Limits
    withheld: tuple[str, ...]
    sequence: int
    age: float


def _json_answer(decision: Decision) -> Answer:
    allowed, kind, reason, number, requests, tokens, withheld, sequence, age, _ = decision
    said = _JsonAnswer(
        "allow" if allowed else "deny",
        reason,
        None if number is None else _Strongest(number, kind),
        _Limits(requests, tokens),
        withheld,
        sequence,
        int(1000 * age) / 1000,
    )
    return Answer(OK, JSON, encode(said))


# Those that decide by the status and pass headers on -------------------------------------------------------------


HEADER_NAMES: Final = (
    ("account", "HTTP_X_STILLWATCH_ACCOUNT"),
    ("key", "HTTP_X_STILLWATCH_API_KEY"),
    ("digest", "HTTP_X_STILLWATCH_KEY_DIGEST"),
    ("organisation", "HTTP_X_STILLWATCH_ORGANISATION"),
)


def _header_question(environ: Environ) -> Question:
    """By headers that the gateway sets, and by the API key that the customer shows.

    Each only adds a name, so that no customer gets out of a restriction by sending such a header.
    """
    shown = (bearer(environ), environ.get("HTTP_X_API_KEY"))
    return Question([*names(environ, HEADER_NAMES), *(f"digest:{digest(secret)}" for secret in shown if secret)])


def _decision_headers(decision: Decision) -> list[tuple[str, str]]:
    headers = [
        ("X-Stillwatch-Decision", "allow" if decision.allowed else "deny"),
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


def _nginx_answer(decision: Decision) -> Answer:
    """auth_request knows 2xx, 401 and 403; anything else is an error to it."""
    status = NO_CONTENT if decision.allowed else HTTPStatus.FORBIDDEN
    return Answer(status, _decision_headers(decision))


def _envoy_answer(decision: Decision) -> Answer:
    """ext_authz lets in by 200 alone; of anything else the customer gets the body."""
    if decision.allowed:
        return Answer(OK, _decision_headers(decision))
    return Answer(HTTPStatus.FORBIDDEN, JSON + _decision_headers(decision), refusal(decision).body)


# LiteLLM's generic guardrail API ---------------------------------------------------------------------------------


class _Metadata(msgspec.Struct):
    user_api_key_hash: str | None = None
    user_api_key_user_id: str | None = None
    user_api_key_team_id: str | None = None
    user_api_key_org_id: str | None = None


class _Guardrail(msgspec.Struct):
    request_data: _Metadata = msgspec.field(default_factory=_Metadata)


def _litellm_question(environ: Environ) -> Question:
    asked = decoded(environ, _Guardrail, most=LONGEST_GUARDRAIL).request_data
    key = asked.user_api_key_hash
    account = litellm_account(asked.user_api_key_team_id, asked.user_api_key_user_id, key)
    known = {"account": account, "key": key, "digest": key, "organisation": asked.user_api_key_org_id}
    return Question(names(known, ((kind, kind) for kind in known)))


def _litellm_answer(decision: Decision) -> Answer:
    body = {"action": "NONE"}
    if not decision.allowed:
        body = {"action": "BLOCKED", "blocked_reason": refusal(decision).message}
    return Answer(OK, JSON, encode(body))


# Which is spoken where -------------------------------------------------------------------------------------------


def _gateways_own(environ: Environ) -> str | None:
    """A header that customers' requests cannot bring in, since the gateway sets it: Authorization is the customer's."""
    return environ.get("HTTP_X_STILLWATCH_KEY")


STATUS_OF_BAD_QUESTION: Final = HTTPStatus.FORBIDDEN

PLAIN: Final = Dialect(lambda environ: bearer(environ) or _gateways_own(environ), _json_question, _json_answer)
NGINX: Final = Dialect(_gateways_own, _header_question, _nginx_answer)
ENVOY: Final = Dialect(_gateways_own, _header_question, _envoy_answer)
LITELLM: Final = Dialect(
    lambda environ: environ.get("HTTP_X_API_KEY") or _gateways_own(environ) or bearer(environ),
    _litellm_question,
    _litellm_answer,
)
