"""Shared by protocols that ask with the customer's headers, decide by the status, and pass headers on."""

from http import HTTPStatus
from typing import Final

from governance.gateways.check.request_parsing import AccessQuery, NameCollector, RefusedRequestError, Request
from stillwatch_gateway.keys import UnreadableKeysError, shown_keys, shows_token
from stillwatch_gateway.naming import split_header_values
from stillwatch_gateway.restriction_set import Decision

HEADER_NAMES: Final = (
    ("account", b"x-stillwatch-account"),
    ("key", b"x-stillwatch-api-key"),
    ("digest", b"x-stillwatch-key-digest"),
    ("organisation", b"x-stillwatch-organisation"),
)
UNNAMED: Final = "Send an API key as a bearer token or in X-Api-Key."


def header_query(request: Request) -> AccessQuery:
    """By headers that the gateway sets, and by the API keys that the customer shows.

    Each only adds a name, so that no customer escapes a restriction by sending such a header. Raises
    RefusedRequestError where there is no name at all: otherwise any other credential would open the API to everybody.
    """
    names = NameCollector()
    for kind, header in HEADER_NAMES:
        if (value := request.sent(header)) is not None:
            names.add_header(kind, value)
    authorization, api_key = request.header(b"authorization"), request.sent(b"x-api-key")
    for value in (authorization, api_key):
        if value is not None and not (value and ("," not in value or all(split_header_values(value)))):
            names.unreadable = "The API key cannot be read: it is blank or not ASCII."
    # A credential of another scheme may hold a blocked key, but is no name by which to let anybody in.
    if not (names.found or names.unreadable or api_key or shows_token(authorization or "")):
        raise RefusedRequestError(HTTPStatus.UNAUTHORIZED, "No name", UNNAMED)
    if authorization or api_key:
        try:
            names.found += [f"digest:{digest}" for digest in shown_keys(authorization or "", api_key or "")]
        except UnreadableKeysError as error:
            names.unreadable = str(error)
    return AccessQuery(names.found, 0, names.unreadable)


def decision_headers(decision: Decision) -> list[tuple[str, str]]:
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
