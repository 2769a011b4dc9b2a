"""Requests of gateways over HTTP and the answers to them, shared by all protocols."""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import unquote, unquote_plus

import msgspec

from governance.gateways.check.json_nesting import TooManyBracketsError, replace_deep_values
from governance.staff.client_address import find_client
from governance.web.faults import plain_fault
from governance.web.problem_types import problem_type
from stillwatch_gateway import keys
from stillwatch_gateway.naming import LONGEST_NAME, adjacent_values, read_name
from stillwatch_gateway.normalization import is_nothing, name_of

Document = TypeVar("Document", bound=msgspec.Struct)
Result = TypeVar("Result")
# As ASGI has them.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST_PARTS: Final = 10
MOST_READ_LENIENTLY: Final = 2**20  # bytes
# Python 3.11 takes long to look one up in its class.
OK: Final = HTTPStatus.OK
NO_CONTENT: Final = HTTPStatus.NO_CONTENT
PROBLEM: Final = "application/problem+json"
NO_STORE: Final = (b"cache-control", b"no-store")
AGAIN_LATER: Final = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}


class Request:
    """A request. Its body, where it matters, is read once the sender has shown a usable service key."""

    __slots__ = ("_headers", "_peer", "body", "method", "path", "query")

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._peer: str = (scope.get("client") or ("",))[0]
        self.query: str = scope["query_string"].decode("latin-1")
        self.body = b""
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]

    def header(self, name: bytes) -> str | None:
        """The value of this header, in lower case; several of one name are joined by commas, as RFC 9110 says."""
        found = None
        for other, value in self._headers:
            if other == name:
                found = _text(value) if found is None else f"{found},{_text(value)}"
        return found

    @property
    def client(self) -> str:
        """The address of who asks, as far as it is known."""
        return find_client(self._peer, self.header(b"x-forwarded-for") or "")

    def sent(self, name: bytes) -> str | None:
        """As `header`, also where it came with underscores: servers behind a gateway may take it for the same."""
        found = [_text(value) for other, value in self._headers if other.replace(b"_", b"-") == name]
        return ",".join(found) if found else None


def _text(value: bytes) -> str:
    """The value of a header; blank where it is not ASCII, which has no one reading."""
    return value.decode() if value.isascii() else ""


class AccessQuery(NamedTuple):
    """Who wants to use the API, by any of these names, such as "account:acct_1042", in every reading.

    `unreadable` says which names were sent but cannot be read; it is blank where all can.
    """

    names: list[str]
    min_sequence: int = 0
    unreadable: str = ""


class CheckResponse(NamedTuple):
    """Status, headers and body."""

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes = b""

    async def send_to(self, send: Send) -> None:
        status, headers, body = self
        # The web server states the length.
        sent = [NO_STORE, *map(_encode_header, headers)]
        await send({"type": "http.response.start", "status": int(status), "headers": sent})
        await send({"type": "http.response.body", "body": body})


@lru_cache(1_024)
def _encode_header(header: tuple[str, str]) -> tuple[bytes, bytes]:
    """A header as ASGI wants it."""
    name, value = header
    return name.lower().encode(), value.encode("latin-1")


class RefusedRequestError(Exception):
    """A request that is answered with an error status instead of a decision or a message of the feed."""

    def __init__(self, status: HTTPStatus, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title = status, title

    def answer(self) -> CheckResponse:
        kind = problem_type(self.status, self.title)
        body = {"type": kind, "status": self.status.value, "title": self.title, "detail": str(self)}
        headers = [("Content-Type", PROBLEM)]
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers.append(("WWW-Authenticate", 'Bearer realm="stillwatch"'))
        if self.status in AGAIN_LATER:
            headers.append(("Retry-After", "1"))
        return CheckResponse(self.status, headers, msgspec.json.encode(body))


def bad_request_error(detail: str) -> RefusedRequestError:
    return RefusedRequestError(HTTPStatus.BAD_REQUEST, "Invalid request", detail)


def shown_bearer_token(request: Request) -> str | None:
    return keys.bearer_token(request.header(b"authorization") or "")


def query_parameters(query: str) -> list[tuple[str, str]]:
    """The members and values of the query; a value that may be encoded comes as it stands, and decoded after that.

    Raises RefusedRequestError.
    """
    if "%" not in query and "+" not in query:  # nothing to decode, as nearly always
        member, equals, value = query.partition("=")
        if equals and "&" not in value:
            return [(member, value)]
    parts = query.split("&")
    if len(parts) > MOST_PARTS:
        raise bad_request_error(f"The query has more than {MOST_PARTS} parts.")
    found = []
    try:
        for member, _, value in (part.partition("=") for part in parts):
            ways = value, unquote(value, errors="strict"), unquote_plus(value)
            found += [(unquote_plus(member, errors="strict"), way) for way in dict.fromkeys(ways)]
    except ValueError as error:
        raise bad_request_error("The query must be percent-encoded UTF-8.") from error
    return found


def last_value(given: Iterable[tuple[str, str]], member: str) -> str | None:
    """The value of a parameter of which the last one counts."""
    return dict(given).get(member)


def body_members(request: Request) -> list[tuple[str, Any]]:
    """The members of a JSON object in the body, also those that are there twice. Raises RefusedRequestError."""
    try:
        document = _undeep(lambda body: json.loads(body, object_pairs_hook=tuple), request.body)
    except ValueError as error:
        raise bad_request_error("The body is not JSON.") from error
    if not isinstance(document, tuple):
        raise bad_request_error("The body is not a JSON object.")
    return list(document)


def decode_body(request: Request, kind: type[Document]) -> Document:
    """What a body of JSON asks. Raises RefusedRequestError where it does not fit."""
    try:
        return _undeep(lambda body: msgspec.json.decode(body, type=kind), request.body)
    except TooManyBracketsError as error:
        raise bad_request_error(str(error)) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise bad_request_error(f"Invalid body: {plain_fault(error, kind)}.") from error


def decode_body_leniently(request: Request, kind: type[Document]) -> Document:
    """The same of a body that holds customers' texts beside what is asked: these may hold what is no Unicode, such as
    half of a surrogate pair, and numbers that are none. Only what is asked has to fit.
    """
    try:
        return _undeep(lambda body: msgspec.json.decode(body, type=kind), request.body)
    except TooManyBracketsError as error:
        raise bad_request_error(str(error)) from error
    except msgspec.ValidationError as error:
        raise bad_request_error(f"Invalid body: {plain_fault(error, kind)}.") from error
    except (msgspec.DecodeError, UnicodeError):  # rare, and several times as slow
        return _decoded_leniently(request.body, kind)


def _decoded_leniently(body: bytes, kind: type[Document]) -> Document:
    """Read what is left without lists and without objects inside of objects inside: nothing that is asked lies there,
    and Python would make an object of everything that customers send.
    """
    try:
        left = replace_deep_values(body, deepest=2, deepest_array=1)
        if len(left) > MOST_READ_LENIENTLY:
            raise bad_request_error(
                f"The body holds what is no JSON, such as half of a surrogate pair, and more than "
                f"{MOST_READ_LENIENTLY:,} bytes outside of lists."
            )
        return msgspec.convert(json.loads(left.decode("utf-8", "replace")), kind)
    except TooManyBracketsError as error:
        raise bad_request_error(str(error)) from error
    except (msgspec.ValidationError, ValueError) as error:
        raise bad_request_error(f"Invalid body: {plain_fault(error, kind)}.") from error


def _undeep(read: Callable[[bytes], Result], body: bytes) -> Result:
    """Read the body, if need be without what is nested too deep. Raises TooManyBracketsError."""
    try:
        return read(body)
    except RecursionError:
        return read(replace_deep_values(body))


class NameCollector:
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
        """Add every name that the value of a header may be; what is not ASCII is blank here."""
        sent = dict.fromkeys([value.strip(), *adjacent_values(value)]) if "," in value else (value.strip(),)
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


def parse_sequence(value: str | None) -> int:
    """Raises RefusedRequestError."""
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise bad_request_error("A sequence must be a whole number.")
    return int(value)
