"""A question of a gateway as it comes over HTTP, and the answer on its way back: for every dialect."""

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import unquote, unquote_plus

import msgspec

from governance.web.faults import plain_fault
from governance.web.lengths import is_of_unknown_length
from stillwatch_gateway import keys
from stillwatch_gateway.naming import LONGEST_NAME, neighbours, read_name
from stillwatch_gateway.normalization import is_nothing, name_of

Asked = TypeVar("Asked", bound=msgspec.Struct)
Environ = Mapping[str, Any]
StartResponse = Callable[..., Any]

MOST_PARTS: Final = 10
# Python 3.11 takes long to look one up in its class.
OK: Final = HTTPStatus.OK
NO_CONTENT: Final = HTTPStatus.NO_CONTENT
PROBLEM: Final = "application/problem+json"
NO_STORE: Final = ("Cache-Control", "no-store")
STATUS_LINES: Final = {status: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Question(NamedTuple):
    """Who wants to use the API, by any of these names, such as "account:acct_1042", in every reading.

    `unreadable` says which names were sent but cannot be read; it is blank where all can.
    """

    names: list[str]
    min_sequence: int = 0
    unreadable: str = ""


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
    return keys.bearer(environ.get("HTTP_AUTHORIZATION", ""))


def parameters(environ: Environ) -> list[tuple[str, str]]:
    """The members and values of the query; a value that may be encoded comes as it stands, and decoded after that.

    Raises RefusedError.
    """
    query = environ.get("QUERY_STRING", "")
    if "%" not in query and "+" not in query:  # nothing to decode, as nearly always
        member, equals, value = query.partition("=")
        if equals and "&" not in value:
            return [(member, value)]
    parts = query.split("&")
    if len(parts) > MOST_PARTS:
        raise bad_question(f"The query has more than {MOST_PARTS} parts.")
    found = []
    try:
        for member, _, value in (part.partition("=") for part in parts):
            ways = value, unquote(value, errors="strict"), unquote_plus(value, errors="strict")
            found += [(unquote_plus(member, errors="strict"), way) for way in dict.fromkeys(ways)]
    except ValueError as error:
        raise bad_question("The query is not in the usual form: percent-encoded UTF-8.") from error
    return found


def parameter(given: Iterable[tuple[str, str]], member: str) -> str | None:
    """The value of a parameter of which the last one counts."""
    return dict(given).get(member)


def members(environ: Environ, *, most: int) -> list[tuple[str, Any]]:
    """The members of a JSON object in the body, also those that are there twice.

    Raises RefusedError where it is none, or longer than `most` bytes.
    """
    try:
        document = json.loads(_body(environ, most=most), object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise bad_question("The body is no JSON.") from error
    if not isinstance(document, tuple):
        raise bad_question("The body is no JSON object.")
    return list(document)


def decoded(environ: Environ, kind: type[Asked], *, most: int) -> Asked:
    """What a body of JSON asks. Raises RefusedError where it does not fit, or is longer than `most` bytes."""
    try:
        return msgspec.json.decode(_body(environ, most=most), type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise bad_question(f"The body does not fit: {plain_fault(error, kind)}.") from error


def decoded_around_texts(environ: Environ, kind: type[Asked], *, most: int) -> Asked:
    """The same of a body that holds customers' texts beside what is asked: these may hold what is no Unicode, such as
    half of a surrogate pair, and numbers that are none. Only what is asked has to fit.
    """
    body = _body(environ, most=most)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise bad_question(f"The body does not fit: {plain_fault(error, kind)}.") from error
    except (msgspec.DecodeError, UnicodeError):  # rare, and several times as slow
        return _decoded_leniently(body, kind)


def _decoded_leniently(body: bytes, kind: type[Asked]) -> Asked:
    try:
        return msgspec.convert(json.loads(body.decode("utf-8", "replace")), kind)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise bad_question(f"The body does not fit: {plain_fault(error, kind)}.") from error


def _body(environ: Environ, *, most: int) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise bad_question("Content-Length is no number.") from error
    if length > most:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", f"At most {most:,} bytes are read.")
    body = environ["wsgi.input"].read(most + 1 if is_of_unknown_length(environ) else length)
    if len(body) > most:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", f"At most {most:,} bytes are read.")
    return bytes(body)


class Names:
    """Collects the names by which a gateway asks, and what cannot be read of them."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.unreadable = ""

    def add(self, kind: str, value: str) -> None:
        """Add a name that was sent, unless it says that there is none; none is blank."""
        # As nearly always; blanks are no names, nor are texts with NUL, which no database here can hold.
        if value.isascii() and "%" not in value and "\0" not in value and len(value) <= LONGEST_NAME and value.strip():
            if not is_nothing(value):
                self.found.append(name_of(kind, value))
            return
        found, unreadable = read_name(kind, value)
        self.found += found
        self.unreadable = unreadable or self.unreadable

    def add_header(self, kind: str, value: str) -> None:
        """Add every value of a header that was sent. Web servers hand over as blank what is not ASCII."""
        sent = dict.fromkeys([value.strip(), *neighbours(value)]) if "," in value else (value.strip(),)
        for one in sent:
            self._add_sent(kind, one)

    def _add_sent(self, kind: str, value: str) -> None:
        if value:
            self.add(kind, value)
        else:
            self.unreadable = (
                f"The name of the {kind} cannot be read: percent-encode what is not ASCII, and send no header "
                "where there is no name."
            )


def number(value: str | None) -> int:
    """Raises RefusedError."""
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise bad_question("A sequence is a whole number.")
    return int(value)
