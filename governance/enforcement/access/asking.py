"""A question of a gateway as it comes over HTTP, and the answer on its way back: for every dialect."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import msgspec

from stillwatch_gateway import naming
from stillwatch_gateway.normalization import name_of

Asked = TypeVar("Asked", bound=msgspec.Struct)
Environ = Mapping[str, Any]
StartResponse = Callable[..., Any]

LONGEST_NAME: Final = 200
MOST_PARTS: Final = 10
# Python 3.11 takes long to look one up in its class.
OK: Final = HTTPStatus.OK
NO_CONTENT: Final = HTTPStatus.NO_CONTENT
PROBLEM: Final = "application/problem+json"
NO_STORE: Final = ("Cache-Control", "no-store")
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
        status, headers, body = self
        headers = [*headers, NO_STORE]
        if status is not NO_CONTENT:
            headers.append(("Content-Length", str(len(body))))
        start_response(STATUS_LINES[status], headers)
        return [body]


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
    if "%" not in query and "+" not in query:  # nothing to decode, as nearly always
        member, equals, value = query.partition("=")
        if equals and "&" not in value:
            return {member: value}
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


def names(given: Mapping[str, Any], places: Iterable[tuple[str, str]]) -> list[str]:
    """The names that are given, each with its kind; `places` says which kind stands under which member.

    Blank counts as not given. Raises RefusedError.
    """
    named = []
    for kind, member in places:
        if value := given.get(member):
            if len(value) > LONGEST_NAME:
                raise bad_question(f"A name has at most {LONGEST_NAME} characters.")
            named.append(name_of(kind, value))
    return named


def number(value: str | None) -> int:
    """Raises RefusedError."""
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise bad_question("A sequence is a whole number.")
    return int(value)
