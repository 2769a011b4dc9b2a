"""A question of a gateway as it comes over HTTP, and the answer on its way back: for every dialect."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import msgspec

from stillwatch_gateway import naming

Asked = TypeVar("Asked", bound=msgspec.Struct)
Environ = Mapping[str, Any]
StartResponse = Callable[..., Any]

LONGEST_NAME: Final = 200
MOST_PARTS: Final = 10
PROBLEM: Final = "application/problem+json"
STATUS_LINES: Final = {status: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Question(NamedTuple):
    """Who wants to use the API, by any of these names, such as "account:acct_1042"."""

    names: list[str]
    min_sequence: int = 0


class Answer(NamedTuple):
    """Status, headers and body."""

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes = b""

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        headers = [*self.headers, ("Cache-Control", "no-store")]
        if self.status is not HTTPStatus.NO_CONTENT:
            headers.append(("Content-Length", str(len(self.body))))
        start_response(STATUS_LINES[self.status], headers)
        return [self.body]


class RefusedError(Exception):
    """The question cannot be answered."""

    def __init__(self, status: HTTPStatus, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title = status, title

    def answer(self) -> Answer:
        body = {"type": "about:blank", "status": self.status.value, "title": self.title, "detail": str(self)}
        headers = [("Content-Type", PROBLEM)]
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers.append(("WWW-Authenticate", 'Bearer realm="stillwatch"'))
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(("Retry-After", "1"))
        return Answer(self.status, headers, msgspec.json.encode(body))


def bad_question(detail: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, "The question does not fit", detail)


def bearer(environ: Environ) -> str | None:
    return naming.bearer(environ.get("HTTP_AUTHORIZATION", ""))


def parameters(environ: Environ) -> dict[str, str]:
    """Of the query. Raises RefusedError."""
    query = environ.get("QUERY_STRING", "")
    if "%" not in query and "+" not in query and query.count("&") < MOST_PARTS:  # nothing to decode, as nearly always
        return dict(part.split("=", 1) for part in query.split("&") if "=" in part)
    try:
        return dict(parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARTS))
    except ValueError as error:
        raise bad_question("The query is not in the usual form, or has too many parts.") from error


def decoded(environ: Environ, kind: type[Asked], *, most: int) -> Asked:
    """What a body of JSON asks. Raises RefusedError where it does not fit, or is longer than `most` bytes."""
    try:
        return msgspec.json.decode(_body(environ, most=most), type=kind)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise bad_question(str(error)) from error


def _body(environ: Environ, *, most: int) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise bad_question("Content-Length is no number.") from error
    if length > most:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", f"At most {most:,} bytes are read.")
    body = environ["wsgi.input"].read(most + 1 if length == 0 and environ.get("HTTP_TRANSFER_ENCODING") else length)
    if len(body) > most:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", f"At most {most:,} bytes are read.")
    return bytes(body)


def names(**given: str | None) -> list[str]:
    """Those that are given, each by its kind; blank counts as not given. Raises RefusedError."""
    named = []
    for kind, value in given.items():
        if value:
            if len(value) > LONGEST_NAME:
                raise bad_question(f"A name has at most {LONGEST_NAME} characters.")
            named.append(f"{kind}:{value}")
    return named


def number(value: str | None) -> int:
    """Raises RefusedError."""
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise bad_question("A sequence is a whole number.")
    return int(value)
